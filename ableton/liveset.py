"""Experimental: a Live Set that the user saved, copied, with the stems on its audio tracks.

The format of .als changes between versions of Live, and nothing but Live can tell whether a set loads. So no
set is made from nothing: all that stands in it comes from the template, but for names, times, files, tempo
and locators. The template itself is never written to.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from ableton.livetracks import Clip, LiveTracks, empty, required, set_value
from ableton.tempomap import TempoMap, tempo_map
from bridge.errors import ConfigError
from bridge.music import Music
from bridge.protocols import Progress, SongToExport

OLDEST_LIVE = 11
BEFORE_ALL = "-63072000"
"""The time at which Live keeps what holds from the start."""
SETTING = "export.live_template"
MOST_XML_BYTES = 64 << 20
"""Some hundred tracks; as elements it takes fourteen times as much memory."""


class LiveSetExporter:
    """Writes ``Session/<Title>.als`` where the settings name a template."""

    name = "liveset"
    version = "1"

    def export(self, song: SongToExport, folder: Path, progress: Progress) -> tuple[Path, ...]:
        """The filled copy; nothing without a template. ConfigError where the template cannot be used."""
        if song.live_template is None:
            return ()
        path = folder / "Session" / f"{song.title}.als"
        path.parent.mkdir()
        root = read_set(song.live_template)
        fill(root, song, song.live_template)
        path.write_bytes(set_bytes(root))
        progress(1.0)
        return (path,)


def read_set(path: Path) -> Element:
    """The root of a Live Set, gzipped or plain; ConfigError for anything else, and for one before Live 11."""
    try:
        root = fromstring(_xml(path))
    except (OSError, EOFError, zlib.error, ParseError, LookupError, ValueError) as cause:
        raise _unusable(path, f"cannot be read ({cause})", "Save it again in Live.") from cause
    if root.tag != "Ableton" or root.find("LiveSet/Tracks") is None:
        raise _unusable(path, f"is no Live Set but <{root.tag}>", "Name an .als file.")
    major = root.get("MinorVersion", "").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_LIVE:
        saved_by = root.get("Creator", "an unknown version")
        raise _unusable(path, f"was saved by {saved_by}", f"Save it in Live {OLDEST_LIVE} or newer.")
    return root


def _xml(path: Path) -> bytes:
    """The text of a set; ConfigError for one that would fill the memory, as itself or by what it declares."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        text = (gzip.GzipFile(fileobj=file) if is_packed else file).read(MOST_XML_BYTES + 1)
    if len(text) > MOST_XML_BYTES:
        most = f"holds more than {MOST_XML_BYTES >> 20} MB of XML"
        raise _unusable(path, most, "Save a set with fewer tracks and devices.")
    if b"<!DOCTYPE" in text.replace(b"\0", b""):
        raise _unusable(path, "declares entities, which Live never does", "Save it again in Live.")
    return text


def set_bytes(root: Element) -> bytes:
    """A Live Set as a file: the same content gives the same bytes."""
    text = b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(
        root, encoding="UTF-8", xml_declaration=False
    )
    return gzip.compress(text + b"\n", mtime=0)


def fill(root: Element, song: SongToExport, template: Path) -> None:
    """Put the song's stems, tempo and sections into a set. ConfigError where it has no place for stems."""
    live_set = required(root, "LiveSet")
    tempi = tempo_map(song.music.grid)
    tracks = LiveTracks(live_set)
    if not tracks.places:
        raise _unusable(
            template,
            "has no audio track with a clip in the arrangement",
            "Drop any audio file on an audio track in the Arrangement View and save the set.",
        )
    tracks.fill(song.stems, lambda stem: _clip(stem.delivered_path, song, tempi))
    _set_tempo(live_set, tempi)
    _set_locators(live_set, song.music, tempi)


def _clip(delivered_path: str, song: SongToExport, tempi: TempoMap) -> Clip:
    duration_s = song.frames / song.rate_hz
    return Clip(
        path=song.delivery / delivered_path,
        relative_path=f"../{delivered_path}",
        start_beat=tempi.lead_beats,
        end_beat=tempi.lead_beats + tempi.beat_at(duration_s),
        duration_s=duration_s,
        frames=song.frames,
        rate_hz=song.rate_hz,
        bpm=tempi.bpm,
    )


def _set_tempo(live_set: Element, tempi: TempoMap) -> None:
    main = live_set.find("MainTrack")  # since Live 12
    main = main if main is not None else required(live_set, "MasterTrack")
    mixer = required(main, "DeviceChain/Mixer")
    set_value(mixer, "Tempo/Manual", f"{tempi.bpm:.9g}")
    _automate(main, required(mixer, "Tempo/AutomationTarget"), "FloatEvent", _tempo_events(tempi))
    meter = str(tempi.beats_per_bar - 1 + 2 * 99)
    set_value(mixer, "TimeSignature/Manual", meter)
    _automate(main, required(mixer, "TimeSignature/AutomationTarget"), "EnumEvent", [(BEFORE_ALL, meter)])


def _tempo_events(tempi: TempoMap) -> Iterator[tuple[str, str]]:
    """Times and values; Live draws lines between points, so each step is two at one time."""
    yield BEFORE_ALL, f"{tempi.bpm:.9g}"
    before = tempi.bpm
    for span in tempi.spans[1:]:
        time = f"{tempi.lead_beats + span.start_beat:.9g}"
        yield time, f"{before:.9g}"
        yield time, f"{span.bpm:.9g}"
        before = span.bpm


def _automate(main: Element, target: Element, tag: str, events: Iterable[tuple[str, str]]) -> None:
    """Replace the events of the envelope that the set holds for that target; the set may hold none."""
    for envelope in main.findall("AutomationEnvelopes/Envelopes/AutomationEnvelope"):
        pointee = envelope.find("EnvelopeTarget/PointeeId")
        if pointee is not None and pointee.get("Value") == target.get("Id"):
            holder = required(envelope, "Automation/Events")
            empty(holder)
            for number, (time, value) in enumerate(events):
                SubElement(holder, tag, Id=str(number), Time=time, Value=value)


def _set_locators(live_set: Element, music: Music, tempi: TempoMap) -> None:
    holder = live_set.find("Locators/Locators")
    if holder is None:
        return
    empty(holder)
    for number, section in enumerate(music.sections):
        locator = SubElement(holder, "Locator", Id=str(number))
        time = f"{tempi.lead_beats + tempi.beat_at(section.start_s):.9g}"
        values = {"LomId": "0", "Time": time, "Name": section.name, "Annotation": "", "IsSongStart": "false"}
        for tag, value in values.items():
            SubElement(locator, tag, Value=value)


def _unusable(path: Path, found: str, remedy: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {path} {found}. {remedy}")

"""The song as a .dawproject: stems, tempo, sections and presets, for Bitwig, Studio One, Cubase and others.

DAWproject 1.0 (github.com/bitwig/dawproject, Project.xsd and MetaData.xsd): a zip of two descriptions, the
stems and the presets of their chains. The stems are not warped: they stay as they are at any tempo. The
plug-ins are switched off: what is heard first are the dry stems.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from ableton.colours import colour_of
from ableton.tempomap import tempo_map
from bridge import __version__
from bridge.audio import probe
from bridge.music import Section
from bridge.protocols import Progress, SongToExport, StemToExport, no_progress
from bridge.stages.base import part_of
from bridge.stages.findings import stem_title
from presets import VstPreset

COPY_BYTES = 1 << 20
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same song gives the same bytes."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, production 2: what tags may hold and XML may not."""


class DawProjectExporter:
    """Writes ``Session/<Title>.dawproject``."""

    name = "dawproject"
    version = "1"

    def export(self, song: SongToExport, folder: Path, progress: Progress) -> tuple[Path, ...]:
        """One file that holds all: as large as the stems together; AudioError where one cannot be read."""
        path = folder / "Session" / f"{song.title}.dawproject"
        path.parent.mkdir()
        with ZipFile(path, "w") as archive:
            _write_text(archive, "project.xml", _Project(song).element())
            _write_text(archive, "metadata.xml", _metadata(song))
            for inside, preset in _presets(song):
                _write_file(archive, inside, preset, no_progress)
            for number, stem in enumerate(song.stems):
                start, end = number / len(song.stems), (number + 1) / len(song.stems)
                _write_file(archive, _audio_path(stem), stem.asset.path, part_of(progress, start, end))
        progress(1.0)
        return (path,)


def _audio_path(stem: StemToExport) -> str:
    return f"audio/{PurePosixPath(stem.delivered_path).name}"


def _preset_path(stem: StemToExport, number: int) -> str:
    return f"plugins/{stem.label} {number + 1} {stem.presets[number].parent.name}.vstpreset"


def _presets(song: SongToExport) -> Iterator[tuple[str, Path]]:
    for stem in song.stems:
        for number, preset in enumerate(stem.presets):
            yield _preset_path(stem, number), preset


class _Project:
    """Builds ``project.xml``; times are in beats."""

    def __init__(self, song: SongToExport) -> None:
        self._song = song
        self._tempi = tempo_map(song.music.grid)
        self._ids = (f"id{number}" for number in count())
        self._tempo_id = next(self._ids)
        self._track_ids: list[str] = []

    def element(self) -> Element:
        project = Element("Project", version="1.0")
        SubElement(project, "Application", name="stembridge", version=__version__)
        self._add_transport(project)
        self._add_structure(project)
        self._add_arrangement(project)
        SubElement(project, "Scenes")
        return project

    def _add_transport(self, project: Element) -> None:
        transport = SubElement(project, "Transport")
        _real(transport, "Tempo", self._tempi.bpm, "bpm", self._tempo_id, low=20, high=666)
        signature = {"numerator": str(self._tempi.beats_per_bar), "denominator": "4"}
        SubElement(transport, "TimeSignature", signature, id=next(self._ids))

    def _add_structure(self, project: Element) -> None:
        structure = SubElement(project, "Structure")
        master_id = next(self._ids)
        for stem in self._song.stems:
            name, colour = stem_title(stem.label), colour_of(stem.role)
            self._track_ids.append(next(self._ids))
            track = SubElement(
                structure,
                "Track",
                contentType="audio",
                loaded="true",
                id=self._track_ids[-1],
                name=name,
                color=colour,
            )
            channel = self._add_channel(track, role="regular", destination=master_id, id=next(self._ids))
            self._insert_devices(channel, stem)
        track = SubElement(
            structure, "Track", contentType="audio", loaded="true", id=next(self._ids), name="Master"
        )
        self._add_channel(track, role="master", id=master_id)

    def _add_channel(self, track: Element, **attributes: str) -> Element:
        channel = SubElement(track, "Channel", attributes, audioChannels="2", solo="false")
        SubElement(channel, "Mute", value="false", id=next(self._ids), name="Mute")
        _real(channel, "Pan", 0.5, "normalized", next(self._ids), low=0, high=1)
        _real(channel, "Volume", 1, "linear", next(self._ids), low=0, high=2)
        return channel

    def _insert_devices(self, channel: Element, stem: StemToExport) -> None:
        devices = Element("Devices")
        for number, path in enumerate(stem.presets):
            preset = VstPreset.from_bytes(path.read_bytes(), str(path))
            plugin = SubElement(
                devices,
                "Vst3Plugin",
                deviceID=preset.class_id,
                deviceName=path.parent.name,
                deviceVendor=path.parent.parent.name,
                deviceRole="audioFX",
                loaded="true",
                id=next(self._ids),
                name=path.parent.name,
            )
            SubElement(plugin, "Parameters")
            SubElement(plugin, "Enabled", value="false", id=next(self._ids), name="On/Off")
            SubElement(plugin, "State", path=_preset_path(stem, number))
        if len(devices):
            channel.insert(0, devices)

    def _add_arrangement(self, project: Element) -> None:
        arrangement = SubElement(project, "Arrangement", id=next(self._ids))
        lanes = SubElement(arrangement, "Lanes", timeUnit="beats", id=next(self._ids))
        for stem, track_id in zip(self._song.stems, self._track_ids, strict=True):
            lane = SubElement(lanes, "Lanes", track=track_id, id=next(self._ids))
            self._add_clip(SubElement(lane, "Clips", id=next(self._ids)), stem)
        self._add_markers(arrangement, self._song.music.sections)
        if len(self._tempi.spans) > 1:
            self._add_tempo_changes(arrangement)

    def _add_clip(self, clips: Element, stem: StemToExport) -> None:
        info = probe(stem.asset.path)
        clip = SubElement(
            clips,
            "Clip",
            time=_number(self._tempi.lead_beats),
            duration=_number(self._tempi.beat_at(info.duration_s)),
            contentTimeUnit="seconds",
            playStart="0",
            playStop=_number(info.duration_s),
            name=stem_title(stem.label),
            color=colour_of(stem.role),
        )
        audio = SubElement(
            clip,
            "Audio",
            algorithm="raw",
            channels=str(info.channels),
            duration=_number(info.duration_s),
            sampleRate=str(info.rate_hz),
            timeUnit="seconds",
            id=next(self._ids),
        )
        SubElement(audio, "File", path=_audio_path(stem))

    def _add_markers(self, arrangement: Element, sections: Sequence[Section]) -> None:
        if not sections:  # the schema has no empty list of them
            return
        markers = SubElement(arrangement, "Markers", timeUnit="beats", id=next(self._ids))
        for section in sections:
            SubElement(markers, "Marker", time=self._beat(section.start_s), name=section.name)

    def _add_tempo_changes(self, arrangement: Element) -> None:
        points = SubElement(arrangement, "TempoAutomation", timeUnit="beats", unit="bpm", id=next(self._ids))
        SubElement(points, "Target", parameter=self._tempo_id)
        for number, span in enumerate(self._tempi.spans):
            beat = self._tempi.lead_beats + span.start_beat if number else 0
            SubElement(points, "RealPoint", time=_number(beat), value=_number(span.bpm), interpolation="hold")

    def _beat(self, time_s: float) -> str:
        return _number(self._tempi.lead_beats + self._tempi.beat_at(time_s))


def _real(
    parent: Element, tag: str, value: float, unit: str, number: str, *, low: float, high: float
) -> None:
    limits = {"max": _number(high), "min": _number(low)}
    SubElement(parent, tag, limits, unit=unit, value=_number(value), id=number, name=tag)


def _number(value: float) -> str:
    return f"{value:.12g}"


def _metadata(song: SongToExport) -> Element:
    """Title, artist, album, where it came from: what the tags hold."""
    tags = song.track.tags
    texts = {"Title": song.track.title, "Artist": tags.artist, "Album": tags.album}
    texts |= {"Website": tags.url, "Comment": tags.comment}
    metadata = Element("MetaData")
    for tag, text in texts.items():
        if text:
            SubElement(metadata, tag).text = _NOT_IN_XML.sub(" ", text)
    return metadata


def _write_text(archive: ZipFile, name: str, root: Element) -> None:
    indent(root)
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    archive.writestr(info, tostring(root, encoding="UTF-8", xml_declaration=True))


def _write_file(archive: ZipFile, name: str, path: Path, progress: Progress) -> None:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_STORED
    info.file_size = path.stat().st_size  # decides on ZIP64
    done = 0
    with path.open("rb") as source, archive.open(info, "w") as target:
        while block := source.read(COPY_BYTES):
            target.write(block)
            done += len(block)
            progress(done / info.file_size)

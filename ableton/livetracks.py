"""The audio tracks of a Live Set: which of them take a stem, how one is copied, how a clip is filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from bridge.errors import ConfigError
from bridge.protocols import StemToExport
from bridge.stages.findings import stem_title
from bridge.stemset import role_of
from bridge.values import Role, Value

COLOURS = {
    Role.VOCALS: 0,
    Role.BACKING_VOCALS: 12,
    Role.DRUMS: 1,
    Role.PERCUSSION: 2,
    Role.BASS: 9,
    Role.OTHER: 7,
    Role.GUITAR: 1,
    Role.PIANO: 10,
    Role.KEYBOARD: 10,
    Role.STRINGS: 4,
    Role.SYNTH: 11,
    Role.BRASS: 2,
    Role.WOODWINDS: 6,
    Role.FX: 12,
}
"""Places in the first row of Live's palette: pink, orange, ochre, yellow, lime, green, mint, cyan, sky, blue,
lavender, purple, magenta, white."""
SHORTEST_WARP_BEATS = 1 / 32
"""Where Live itself puts the second marker of a steady clip."""
CLIP = "DeviceChain/MainSequencer/Sample/ArrangerAutomation/Events/AudioClip"
_POINTEE = re.compile(r"(.*Target|Pointee|ControllerTargets\.\d+)")
"""Elements that others point to by an id which is theirs alone in the whole set."""
_NEUTRAL = {
    "SampleRef/FileRef/LivePackName": "",
    "SampleRef/FileRef/LivePackId": "",
    "SampleRef/FileRef/SourceHint": "",
    "GrooveSettings/GrooveId": "-1",
    "Fade": "false",
    "IsSongTempoLeader": "false",
    "IsSongTempoMaster": "false",
}
"""What a clip may have of its old file or of the user's hand, where its version of Live knows it."""
_EMPTIED = (
    "Envelopes/Envelopes",
    "Onsets/UserOnsets",
    "SavedWarpMarkersForStretched",
    "SampleRef/SourceContext",
)


class Clip(Value):
    """A stem as a clip that is not warped; times on the track are in beats."""

    path: Path
    relative_path: str
    """From the set's folder, with forward slashes."""
    start_beat: float
    end_beat: float
    duration_s: float
    frames: int
    rate_hz: int
    bpm: float


class LiveTracks:
    """The tracks of a set. Audio tracks with a clip in the arrangement are places for stems."""

    def __init__(self, live_set: Element) -> None:
        self._live_set = live_set
        self._tracks = required(live_set, "Tracks")
        self.places = [track for track in self._tracks.findall("AudioTrack") if track.find(CLIP) is not None]
        for place in self.places:
            _expect_not_frozen(place)

    def fill(self, stems: Sequence[StemToExport], clip_of: Callable[[StemToExport], Clip]) -> None:
        """Put each stem on the place that has its name, else on one without a stem's name, else on a copy.

        Places that no stem takes lose their clips: they hold another song.
        """
        model, last = deepcopy(self.places[0]), self.places[0]
        free = list(self.places)
        for stem in stems:
            track = _named(free, stem) or _unnamed(free)
            if track is None:
                track = last = self._copy(model, last)
            else:
                free.remove(track)
            _fill_track(track, stem, clip_of(stem))
        for track in free:
            _empty_track(track)

    def _copy(self, model: Element, last: Element) -> Element:
        """A new track with ids of its own, right after ``last``: tracks of a group stand together."""
        track = deepcopy(model)
        track.set("Id", str(self._next_id()))
        fresh: dict[str, str] = {}
        for element in track.iter():
            if _POINTEE.fullmatch(element.tag) and "Id" in element.attrib:
                fresh[element.attrib["Id"]] = str(self._next_id())
                element.set("Id", fresh[element.attrib["Id"]])
        for element in track.iter("PointeeId"):
            element.set("Value", fresh.get(element.get("Value", ""), element.get("Value", "")))
        for slot in track.iterfind(".//ClipSlotList/ClipSlot/ClipSlot/Value"):
            empty(slot)
        self._tracks.insert(list(self._tracks).index(last) + 1, track)
        return track

    def _next_id(self) -> int:
        counter = required(self._live_set, "NextPointeeId")
        number = int(counter.get("Value", "0"))
        counter.set("Value", str(number + 1))
        return number


def required(parent: Element, path: str) -> Element:
    """The element at that path; ConfigError where the template has none."""
    found = parent.find(path)
    if found is None:
        raise ConfigError(
            f"The Live Set has a <{parent.tag}> without {path}; this version of Live is not known. "
            "Leave export.live_template empty, and please report this with the version."
        )
    return found


def set_value(parent: Element, path: str, value: str) -> None:
    """Set what an element of Live says; ConfigError where there is none."""
    required(parent, path).set("Value", value)


def empty(element: Element) -> None:
    """Remove what stands inside an element."""
    element[:] = []
    element.text = None


def _name(track: Element) -> str:
    names = (track.find("Name/UserName"), track.find("Name/EffectiveName"))
    return next((name.get("Value", "") for name in names if name is not None and name.get("Value")), "")


def _named(places: Sequence[Element], stem: StemToExport) -> Element | None:
    """The place that is called as the stem, before one whose name means the same role."""
    title = stem_title(stem.label).casefold()
    same_name = [track for track in places if _name(track).casefold() == title]
    same_role = [track for track in places if role_of(_name(track)) is stem.role]
    return next(iter(same_name + same_role), None)


def _unnamed(places: Iterable[Element]) -> Element | None:
    return next((track for track in places if role_of(_name(track)) is None), None)


def _expect_not_frozen(track: Element) -> None:
    """What a frozen track plays is another copy of its clips."""
    frozen = track.find("Freeze")
    if frozen is not None and frozen.get("Value") == "true":
        raise ConfigError(
            f"The track '{_name(track)}' of the Live Set is frozen. Unfreeze it and save the set again."
        )


def _fill_track(track: Element, stem: StemToExport, clip: Clip) -> None:
    """Name the track, and leave the stem alone in its arrangement. A track of its name keeps its colour."""
    if role_of(_name(track)) is not stem.role:
        set_value(track, "Color", str(COLOURS[stem.role]))
    title = stem_title(stem.label)
    set_value(track, "Name/EffectiveName", title)
    set_value(track, "Name/UserName", title)
    first = required(track, CLIP)
    _empty_track(track).append(first)
    _fill_clip(first, title, required(track, "Color").get("Value", "0"), clip)


def _empty_track(track: Element) -> Element:
    """Take away its clips and takes; the place in the arrangement where they were."""
    lanes = track.find("TakeLanes/TakeLanes")
    if lanes is not None:
        empty(lanes)
    events = required(track, CLIP.rpartition("/")[0])
    empty(events)
    return events


def _fill_clip(element: Element, title: str, colour: str, clip: Clip) -> None:
    """Set everything that belongs to the clip's file; without warping, Live counts its loop in seconds."""
    start, end, seconds = (f"{number:.12g}" for number in (clip.start_beat, clip.end_beat, clip.duration_s))
    element.set("Time", start)
    for path, value in {
        "CurrentStart": start,
        "CurrentEnd": end,
        "Loop/LoopStart": "0",
        "Loop/LoopEnd": seconds,
        "Loop/StartRelative": "0",
        "Loop/LoopOn": "false",
        "Loop/OutMarker": seconds,
        "Loop/HiddenLoopStart": "0",
        "Loop/HiddenLoopEnd": seconds,
        "Name": title,
        "Color": colour,
        "Disabled": "false",
        "IsWarped": "false",
        "PitchCoarse": "0",
        "PitchFine": "0",
        "SampleVolume": "1",
        "SampleRef/FileRef/RelativePathType": "1",
        "SampleRef/FileRef/RelativePath": clip.relative_path,
        "SampleRef/FileRef/Path": clip.path.as_posix(),
        "SampleRef/FileRef/OriginalFileSize": "0",
        "SampleRef/FileRef/OriginalCrc": "0",
        "SampleRef/LastModDate": "0",
        "SampleRef/DefaultDuration": str(clip.frames),
        "SampleRef/DefaultSampleRate": str(clip.rate_hz),
    }.items():
        set_value(element, path, value)
    for path, value in _NEUTRAL.items():
        if element.find(path) is not None:
            set_value(element, path, value)
    for path in _EMPTIED:
        emptied = element.find(path)
        if emptied is not None:
            empty(emptied)
    _set_markers(required(element, "WarpMarkers"), clip.bpm)


def _set_markers(markers: Element, bpm: float) -> None:
    """The two markers of a steady clip, for when the user switches warping on."""
    empty(markers)
    for number, beat in enumerate((0.0, SHORTEST_WARP_BEATS)):
        time = {"SecTime": f"{beat * 60 / bpm:.9g}", "BeatTime": f"{beat:.9g}"}
        SubElement(markers, "WarpMarker", time, Id=str(number))

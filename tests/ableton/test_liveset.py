"""The Live Set: the user's template, with the stems where it has room for them, and nothing else changed."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from ableton.liveset import MOST_XML_BYTES, LiveSetExporter, read_set
from bridge.errors import ConfigError
from bridge.generate import ComposedSong
from bridge.music import BeatGrid
from bridge.protocols import Exporter, SongToExport, no_progress
from tests.ableton.livesets import audio_track, write_set
from tests.ableton.songs import song_to_export

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "formats" / "als"
STEMS = ["Vocals", "Drums", "Bass", "Other"]


@pytest.fixture(scope="module")
def song(composed: ComposedSong, tmp_path_factory: pytest.TempPathFactory) -> SongToExport:
    return song_to_export(composed, tmp_path_factory.mktemp("song"))


Fill = Callable[..., Element]


@pytest.fixture
def fill(song: SongToExport, tmp_path: Path) -> Fill:
    """Fills a set of those tracks, and gives the root of what was made."""

    def filled(*tracks: str, song: SongToExport = song, **form: object) -> Element:
        template = write_set(tmp_path / "template.als", tracks, **form)  # type: ignore[arg-type]
        return exported(song, template, tmp_path)

    return filled


def exported(song: SongToExport, template: Path, folder: Path) -> Element:
    before = hashlib.sha256(template.read_bytes()).digest()
    (path,) = LiveSetExporter().export(song.evolve(live_template=template), folder, no_progress)
    assert path.relative_to(folder).as_posix() == f"Session/{song.title}.als"
    assert hashlib.sha256(template.read_bytes()).digest() == before, "the template was written to"
    return fromstring(gzip.decompress(path.read_bytes()))


def tracks(root: Element) -> list[Element]:
    return root.findall("LiveSet/Tracks/AudioTrack")


def value(element: Element, path: str) -> str:
    found = element.find(path)
    assert found is not None, path
    return found.get("Value", "")


def clips(track: Element) -> list[Element]:
    return track.findall("DeviceChain/MainSequencer/Sample/ArrangerAutomation/Events/AudioClip")


def files(root: Element) -> dict[str, str]:
    """The file that each track with a clip plays."""
    return {
        value(track, "Name/UserName"): value(clips(track)[0], "SampleRef/FileRef/RelativePath")
        for track in tracks(root)
        if clips(track)
    }


def test_it_is_an_exporter() -> None:
    """With a name and a version."""
    assert isinstance(LiveSetExporter(), Exporter)


def test_without_a_template_there_is_no_set(song: SongToExport, tmp_path: Path) -> None:
    """Never a set from nothing."""
    assert LiveSetExporter().export(song, tmp_path, no_progress) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["11.0_11300", "12.0_12049", "12.2_12203"])
@pytest.mark.parametrize("is_gzipped", [True, False])
def test_one_track_with_a_clip_is_enough(
    fill: Fill, song: SongToExport, version: str, is_gzipped: bool
) -> None:
    """It takes the first stem, and copies of it take the others."""
    root = fill(audio_track(3, ""), version=version, is_gzipped=is_gzipped)
    assert list(files(root)) == STEMS
    assert list(files(root).values()) == [f"../{stem.delivered_path}" for stem in song.stems]
    assert [track.tag for track in root.find("LiveSet/Tracks") or ()][-1] == "MidiTrack"


def test_tracks_take_the_stem_that_they_are_named_for(fill: Fill) -> None:
    """Wherever they stand; with their colour. What is left goes to tracks without a stem's name."""
    root = fill(
        audio_track(1, "Bass"),
        audio_track(2, "My return"),
        audio_track(3, "Drums"),
        audio_track(4, "Lead Vox"),
    )
    assert list(files(root)) == ["Bass", "Other", "Drums", "Vocals"]
    assert [value(track, "Color") for track in tracks(root)] == ["23", "7", "23", "23"]


def test_a_track_for_another_instrument_is_left_and_empty(fill: Fill) -> None:
    """The clip of the last song is gone, the track stays."""
    root = fill(audio_track(1, "Guitar"), audio_track(2, ""))
    guitar = next(track for track in tracks(root) if value(track, "Name/UserName") == "Guitar")
    assert clips(guitar) == []
    assert len(guitar.find("TakeLanes/TakeLanes") or ()) == 0
    assert sorted(files(root)) == sorted(STEMS)


def test_tracks_without_a_clip_are_left_alone(fill: Fill) -> None:
    """They are the user's own."""
    root = fill(audio_track(1, "Resampling", clips=0), audio_track(2, ""))
    own = tracks(root)[0]
    assert value(own, "Name/UserName") == "Resampling"
    assert own.find("DeviceChain/MainSequencer/ClipSlotList/ClipSlot/ClipSlot/Value/AudioClip") is not None


def test_clips_are_whole_unwarped_and_at_one_place(
    fill: Fill, song: SongToExport, composed: ComposedSong
) -> None:
    """One clip a track, as long as the stem, its downbeats at bars in the song's tempo."""
    root = fill(audio_track(1, "", clips=3))
    bpm = float(value(root, "LiveSet/MainTrack/DeviceChain/Mixer/Tempo/Manual"))
    assert bpm == pytest.approx(composed.truth.tempo_bpm, abs=0.05)
    for track in tracks(root):
        (clip,) = clips(track)
        start, end = float(value(clip, "CurrentStart")), float(value(clip, "CurrentEnd"))
        assert (clip.get("Time"), value(clip, "IsWarped")) == (value(clip, "CurrentStart"), "false")
        assert (end - start) * 60 / bpm == pytest.approx(16.0, abs=0.001)
        assert value(clip, "Loop/LoopEnd") == "16"
        assert value(clip, "SampleRef/DefaultDuration") == str(song.frames)
        assert value(clip, "PitchCoarse") == value(clip, "PitchFine") == "0"
        downbeats = [start + downbeat_s * bpm / 60 for downbeat_s in composed.truth.downbeats_s]
        assert all(abs((beat + 2) % 4 - 2) < 0.06 for beat in downbeats)
        first, second = clip.findall("WarpMarkers/WarpMarker")
        assert first.get("SecTime") == first.get("BeatTime") == "0"
        seconds, beats = float(second.get("SecTime", "")), float(second.get("BeatTime", ""))
        assert beats / seconds * 60 == pytest.approx(bpm, rel=1e-6)


def test_files_are_named_from_the_set_and_from_the_root(fill: Fill, song: SongToExport) -> None:
    """So that they are found where the delivery lies, and still where the set is moved."""
    root = fill(audio_track(1, ""))
    for track, stem in zip(tracks(root), song.stems, strict=True):
        reference = clips(track)[0].find("SampleRef/FileRef")
        assert reference is not None
        assert value(reference, "Path") == (song.delivery / stem.delivered_path).as_posix()
        session = song.delivery / "Session"
        assert (session / value(reference, "RelativePath")).resolve() == (
            song.delivery / stem.delivered_path
        ).resolve()
        assert value(reference, "RelativePathType") == "1"


def test_nothing_of_the_old_clip_is_left(fill: Fill) -> None:
    """No envelope, no source, no size of another file."""
    (clip,) = clips(tracks(fill(audio_track(1, "Vocals"), audio_track(2, "")))[0])
    assert [list(clip.find(path) or ()) for path in ("Envelopes/Envelopes", "SampleRef/SourceContext")] == [
        [],
        [],
    ]
    old = {"77", "78", "79", "80", "old", "/music/old.wav", "Samples/old.wav", "Core Library", "4"}
    assert not old & {element.get("Value") for element in clip.iter()}


def test_ids_that_are_pointed_to_stay_unique(fill: Fill) -> None:
    """Copies have ids of their own that their automation points to, and the counter is past them all."""
    root = fill(audio_track(1, "Solo"), audio_track(2, "Guitar"))
    tags = re.compile(r".*Target|Pointee")
    ids = [element.get("Id") for element in root.iter() if tags.fullmatch(element.tag) and element.get("Id")]
    assert len(ids) == len(set(ids))
    track_ids = [track.get("Id") for track in root.find("LiveSet/Tracks") or ()]
    assert len(track_ids) == len(set(track_ids)) == 6
    assert max(map(int, filter(None, [*ids, *track_ids]))) < int(value(root, "LiveSet/NextPointeeId"))
    for track in tracks(root):
        own = {element.get("Id") for element in track.iter() if tags.fullmatch(element.tag)}
        assert {element.get("Value") for element in track.iter("PointeeId")} <= own


def test_a_copy_has_no_clips_of_the_session(fill: Fill) -> None:
    """The track that was there keeps its own."""
    first, second, *_ = tracks(fill(audio_track(1, "")))
    slot = "DeviceChain/MainSequencer/ClipSlotList/ClipSlot/ClipSlot/Value"
    assert [len(track.find(slot) or ()) for track in (first, second)] == [1, 0]


def test_copies_stand_beside_what_they_are_copies_of(fill: Fill) -> None:
    """In its group: Live knows the tracks of a group by their standing together."""
    root = fill(audio_track(1, "", group=7), audio_track(2, "Guitar"))
    groups = [value(track, "TrackGroupId") for track in tracks(root)]
    assert groups == ["7"] * 4 + ["-1"]
    assert list(files(root)) == STEMS


def test_no_clip_leads_the_tempo(fill: Fill) -> None:
    """The set has its own; a leader from the template would push it aside."""
    for track in tracks(fill(audio_track(1, ""))):
        assert value(clips(track)[0], "IsSongTempoLeader") == "false"


def test_the_tempo_holds_from_the_start(fill: Fill) -> None:
    """What the template had automated is gone."""
    root = fill(audio_track(1, ""))
    events = root.findall("LiveSet/MainTrack/AutomationEnvelopes//FloatEvent")
    tempo = value(root, "LiveSet/MainTrack/DeviceChain/Mixer/Tempo/Manual")
    assert [(event.get("Time"), event.get("Value")) for event in events] == [("-63072000", tempo)]


def test_a_change_of_tempo_is_a_step(fill: Fill, song: SongToExport) -> None:
    """Two points at one time; bars of three are bars of three."""
    beats = [0.5 * number for number in range(20)] + [9.5 + 0.7 * (number + 1) for number in range(20)]
    grid = BeatGrid(tempo_bpm=120, confidence=1, beats_s=tuple(beats), beats_per_bar=3)
    root = fill(audio_track(1, ""), song=song.evolve(music=song.music.evolve(grid=grid)))
    events = root.findall("LiveSet/MainTrack/AutomationEnvelopes//FloatEvent")
    assert [round(float(event.get("Value", ""))) for event in events] == [120, 120, 86]
    assert events[1].get("Time") == events[2].get("Time")
    (meter,) = root.findall("LiveSet/MainTrack/AutomationEnvelopes//EnumEvent")
    assert (
        meter.get("Value") == value(root, "LiveSet/MainTrack/DeviceChain/Mixer/TimeSignature/Manual") == "200"
    )


def test_sections_are_locators(fill: Fill, composed: ComposedSong) -> None:
    """In place of the template's."""
    locators = fill(audio_track(1, "")).findall("LiveSet/Locators/Locators/Locator")
    assert [value(locator, "Name") for locator in locators] == [span.kind for span in composed.truth.sections]
    times = [float(value(locator, "Time")) for locator in locators]
    assert times == sorted(times)


def test_the_same_song_gives_the_same_bytes(song: SongToExport, tmp_path: Path) -> None:
    """Whenever it is written."""
    template = write_set(tmp_path / "template.als", [audio_track(1, "")])
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.extend(
            LiveSetExporter().export(song.evolve(live_template=template), tmp_path / name, no_progress)
        )
    assert made[0].read_bytes() == made[1].read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"RIFFabcdWAVE", "cannot be read", id="another file"),
        pytest.param(gzip.compress(b"<Ableton>")[:-6], "cannot be read", id="cut off"),
        pytest.param(gzip.compress(b"<Ableton"), "cannot be read", id="broken XML"),
        pytest.param(b"<Ableton MinorVersion='12.0'><Preset/></Ableton>", "is no Live Set", id="a preset"),
        pytest.param(
            b"<?xml version='1.0' encoding='bogus'?><Ableton/>", "cannot be read", id="no known letters"
        ),
        pytest.param(
            b"<!DOCTYPE Ableton [<!ENTITY a 'aaaaaaaa'>]><Ableton>&a;</Ableton>",
            "declares entities",
            id="entities",
        ),
        pytest.param(
            "<!DOCTYPE Ableton [<!ENTITY a 'aaaaaaaa'>]><Ableton>&a;</Ableton>".encode("utf-16"),
            "declares entities",
            id="entities in other letters",
        ),
        pytest.param(b"<html/>", "is no Live Set but <html>", id="a page"),
        pytest.param(
            b"<Ableton MinorVersion='10.0' Creator='Live 10.1'><LiveSet><Tracks/></LiveSet></Ableton>",
            "was saved by Live 10.1. Save it in Live 11 or newer",
            id="too old",
        ),
        pytest.param(
            b"<Ableton MinorVersion='12.0'><LiveSet><Tracks/></LiveSet></Ableton>",
            "has no audio track with a clip in the arrangement",
            id="no place",
        ),
    ],
)
def test_what_cannot_be_used_is_said(song: SongToExport, tmp_path: Path, content: bytes, says: str) -> None:
    """With the setting, the file and what to do."""
    template = tmp_path / "mine.als"
    template.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        exported(song, template, tmp_path)
    assert says in caught.value.message
    assert "export.live_template" in caught.value.message
    assert str(template) in caught.value.message


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "a gzip bomb"])
def test_one_that_would_fill_the_memory_is_said(
    song: SongToExport, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """Before it is in the memory."""
    template = tmp_path / "huge.als"
    template.write_bytes(pack(bytes(MOST_XML_BYTES + 1)))
    with pytest.raises(ConfigError, match="holds more than 64 MB of XML"):
        LiveSetExporter().export(song.evolve(live_template=template), tmp_path, no_progress)


def test_a_template_that_is_not_there_is_said(song: SongToExport, tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(ConfigError, match=r"none\.als cannot be read"):
        LiveSetExporter().export(song.evolve(live_template=tmp_path / "none.als"), tmp_path, no_progress)


@pytest.mark.parametrize("others", [(), ("Vocals", "Drums", "Bass", "Other")])
def test_a_frozen_track_is_said(fill: Fill, others: tuple[str, ...]) -> None:
    """Its clips are not what it plays, whether a stem takes it or it should fall silent."""
    free = (audio_track(number + 2, name) for number, name in enumerate(others))
    with pytest.raises(ConfigError, match="'Takes' of the Live Set is frozen"):
        fill(audio_track(1, "Takes", is_frozen=True), *free)


def test_a_set_of_an_unknown_form_is_said(song: SongToExport, tmp_path: Path) -> None:
    """With what was looked for."""
    text = gzip.decompress(write_set(tmp_path / "a.als", [audio_track(1, "")]).read_bytes())
    template = tmp_path / "b.als"
    template.write_bytes(text.replace(b"CurrentEnd", b"EndOfAll"))
    with pytest.raises(ConfigError, match="<AudioClip> without CurrentEnd"):
        exported(song, template, tmp_path)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="shared/data is not beside the checkout")
class TestRealSets:
    """Sets that Live 11.3 saved; neither has an audio track, so one is put in by hand."""

    @pytest.mark.parametrize("name", ["ableton_Test.als", "ableton_Zipped.als"])
    def test_they_are_read(self, name: str) -> None:
        """Gzipped or plain."""
        assert read_set(SAMPLES / name).get("Creator") == "Ableton Live 11.3.13"

    def test_one_without_audio_has_no_place(self, song: SongToExport, tmp_path: Path) -> None:
        """And says so."""
        with pytest.raises(ConfigError, match="no audio track with a clip"):
            exported(song, SAMPLES / "ableton_Test.als", tmp_path)

    def test_only_what_was_asked_for_changes(self, song: SongToExport, tmp_path: Path) -> None:
        """All else of a real set stays as Live wrote it."""
        text = (SAMPLES / "ableton_Test.als").read_text(encoding="utf-8")
        template = tmp_path / "template.als"
        track = f"</MidiTrack>{audio_track(60, '')}"
        template.write_text(text.replace("</MidiTrack>", track, 1), encoding="utf-8")
        root = exported(song, template, tmp_path)
        assert list(files(root)) == STEMS
        assert Counter(written(fromstring(text))) - Counter(written(root)) == Counter(
            {
                'NextPointeeId {"Value": "22165"}': 1,
                'FloatEvent {"Id": "2", "Time": "-63072000", "Value": "120"}': 1,
                'Manual {"Value": "120"}': 1,
            }
        )


def written(root: Element) -> list[str]:
    return [f"{element.tag} {json.dumps(element.attrib)}" for element in root.iter()]

"""The .dawproject: valid by its schema, and what it says is what the song is."""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from ableton.dawproject import DawProjectExporter, _Project
from bridge.errors import JobCancelled
from bridge.generate import ComposedSong
from bridge.music import BeatGrid, Music
from bridge.protocols import Exporter, SongToExport, no_progress
from presets import Library, VstPreset, preset_files
from tests.ableton.songs import TITLE, song_to_export

SCHEMAS = Path(__file__).parents[3] / "shared" / "data" / "formats" / "dawproject"


@pytest.fixture(scope="module")
def song(composed: ComposedSong, tmp_path_factory: pytest.TempPathFactory) -> SongToExport:
    """Its vocals with the presets of a chain, the other stems without."""
    folder = tmp_path_factory.mktemp("song")
    whole = song_to_export(composed, folder)
    presets = []
    for file in preset_files(Library().chain("vocals", "neutral"), "x"):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if "(Windows)" not in file.path:
            presets.append(path)
    assert len(presets) >= 1
    stems = [stem.evolve(presets=tuple(presets)) if stem.label == "vocals" else stem for stem in whole.stems]
    return whole.evolve(stems=tuple(stems))


def exported(song: SongToExport, folder: Path) -> Path:
    (path,) = DawProjectExporter().export(song, folder, no_progress)
    assert path.relative_to(folder).as_posix() == f"Session/{song.title}.dawproject"
    return path


@pytest.fixture(scope="module")
def archive(song: SongToExport, tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return ZipFile(exported(song, tmp_path_factory.mktemp("out")))


@pytest.fixture(scope="module")
def project(archive: ZipFile) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read("project.xml"))


def schema(name: str) -> Any:
    lxml = pytest.importorskip("lxml.etree", reason="lxml is not installed: nothing checks schemas")
    path = SCHEMAS / name
    if not path.exists():
        pytest.skip(f"the schemas of DAWproject are not there ({path})")
    return lxml.XMLSchema(lxml.parse(str(path)))


def parsed(text: bytes) -> Any:
    lxml = pytest.importorskip("lxml.etree")
    return lxml.fromstring(text)


def test_it_is_an_exporter() -> None:
    """With a name and a version."""
    assert isinstance(DawProjectExporter(), Exporter)


def test_it_is_valid(archive: ZipFile) -> None:
    """By the schemas of DAWproject 1.0."""
    schema("Project.xsd").assertValid(parsed(archive.read("project.xml")))
    schema("MetaData.xsd").assertValid(parsed(archive.read("metadata.xml")))


@pytest.mark.parametrize(
    ("good", "broken"),
    [
        pytest.param(b'unit="bpm"', b'unit="furlongs"', id="a unit that is none"),
        pytest.param(b' numerator="4"', b"", id="half a time signature"),
        pytest.param(b"<Structure>", b"<Structure><Banana/>", id="an element that is none"),
        pytest.param(b'id="id1"', b'id="id2"', id="an id twice"),
        pytest.param(b'sampleRate="16000"', b'sampleRate="fast"', id="a rate in words"),
    ],
)
def test_a_broken_one_is_not(archive: ZipFile, good: bytes, broken: bytes) -> None:
    """The schema does look."""
    text = archive.read("project.xml")
    assert good in text
    assert not schema("Project.xsd").validate(parsed(text.replace(good, broken, 1)))


def test_it_holds_the_stems_to_the_byte(
    archive: ZipFile, song: SongToExport, project: ElementTree.Element
) -> None:
    """Each clip's file is in the zip, and is its stem."""
    lanes = project.findall("Arrangement/Lanes/Lanes")
    files = [lane.find("Clips/Clip/Audio/File").get("path") for lane in lanes]  # type: ignore[union-attr]
    assert [hashlib.sha256(archive.read(str(path))).hexdigest() for path in files] == [
        stem.asset.sha256 for stem in song.stems
    ]
    assert archive.testzip() is None


def test_tracks_are_named_and_coloured(project: ElementTree.Element) -> None:
    """A track for each stem, all of them into the master."""
    tracks = project.findall("Structure/Track")
    assert [track.get("name") for track in tracks] == ["Vocals", "Drums", "Bass", "Other", "Master"]
    assert len({track.get("color") for track in tracks[:-1]}) == 4
    master = tracks[-1].find("Channel")
    assert master is not None
    assert {track.find("Channel").get("destination") for track in tracks[:-1]} == {master.get("id")}  # type: ignore[union-attr]
    lanes = project.findall("Arrangement/Lanes/Lanes")
    assert [lane.get("track") for lane in lanes] == [track.get("id") for track in tracks[:-1]]


def test_bars_begin_at_downbeats(project: ElementTree.Element, composed: ComposedSong) -> None:
    """The clips start where they must for it; the tempo is the song's."""
    tempo = project.find("Transport/Tempo")
    clips = project.findall(".//Clip")
    assert tempo is not None
    assert float(tempo.get("value", "")) == pytest.approx(composed.truth.tempo_bpm, abs=0.05)
    (start,) = {float(clip.get("time", "")) for clip in clips}
    for downbeat_s in composed.truth.downbeats_s:
        beat = start + downbeat_s * float(tempo.get("value", "")) / 60
        assert abs((beat + 2) % 4 - 2) < 0.06
    assert project.find("Arrangement/TempoAutomation") is None


def test_clips_are_their_stems_to_the_sample(song: SongToExport, tmp_path: Path) -> None:
    """Raw, from the first frame to the last, however long the song is: here two hours at 96 kHz."""
    frames, rate_hz = 7200 * 96_000 + 1, 96_000
    path = tmp_path / "sparse.wav"
    data_bytes = 2 * frames
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", data_bytes + 36, b"WAVE", b"fmt ", 16, 1, 1, rate_hz,
                       2 * rate_hz, 2, 16, b"data", data_bytes)  # fmt: skip
    path.write_bytes(head)
    os.truncate(path, len(head) + data_bytes)
    stem = song.stems[0].evolve(asset=song.stems[0].asset.evolve(path=path), presets=())
    clip = _Project(song.evolve(stems=(stem,))).element().find(".//Clip")
    assert clip is not None
    audio = clip.find("Audio")
    assert audio is not None
    assert (audio.get("algorithm"), audio.get("sampleRate"), audio.get("channels")) == ("raw", "96000", "1")
    assert (clip.get("contentTimeUnit"), audio.get("timeUnit"), clip.get("playStart")) == (
        "seconds",
        "seconds",
        "0",
    )
    for seconds in (clip.get("playStop", ""), audio.get("duration", "")):
        assert float(seconds) * rate_hz == pytest.approx(frames, abs=0.01)


def test_sections_are_markers(project: ElementTree.Element, composed: ComposedSong) -> None:
    """In order, at their beats."""
    markers = project.findall("Arrangement/Markers/Marker")
    assert [marker.get("name") for marker in markers] == [span.kind for span in composed.truth.sections]
    times = [float(marker.get("time", "")) for marker in markers]
    assert times == sorted(times)


def test_presets_are_embedded_and_switched_off(
    project: ElementTree.Element, archive: ZipFile, song: SongToExport
) -> None:
    """Each under the class id that its own bytes name; what sounds first are the dry stems."""
    vocals = project.findall("Structure/Track")[0]
    plugins = vocals.findall("Channel/Devices/Vst3Plugin")
    assert len(plugins) == len(song.stems[0].presets)
    for plugin, source in zip(plugins, song.stems[0].presets, strict=True):
        state, enabled = plugin.find("State"), plugin.find("Enabled")
        assert state is not None
        assert enabled is not None
        assert enabled.get("value") == "false"
        data = archive.read(state.get("path", ""))
        assert data == source.read_bytes()
        assert VstPreset.from_bytes(data).class_id == plugin.get("deviceID")
        assert plugin.get("deviceName") == source.parent.name
    assert project.findall("Structure/Track")[1].find("Channel/Devices") is None


def test_tags_are_carried_over(archive: ZipFile) -> None:
    """Signs of XML and other scripts included."""
    metadata = ElementTree.fromstring(archive.read("metadata.xml"))
    assert metadata.findtext("Title") == TITLE
    assert metadata.findtext("Artist") == "Ärzte & Co"


def test_tags_that_no_xml_can_hold_are_told_without_it(song: SongToExport, tmp_path: Path) -> None:
    """Control signs from broken tags become blanks."""
    tags = song.track.tags.evolve(comment="one\x00two\x0bthree\uffff")
    path = exported(song.evolve(track=song.track.evolve(tags=tags)), tmp_path)
    metadata = ElementTree.fromstring(ZipFile(path).read("metadata.xml"))
    assert metadata.findtext("Comment") == "one two three "


def test_a_song_that_changes_its_tempo_has_it_automated(song: SongToExport, tmp_path: Path) -> None:
    """Held from point to point, still valid."""
    beats = [0.5 * number for number in range(20)] + [9.5 + 0.7 * (number + 1) for number in range(20)]
    grid = BeatGrid(tempo_bpm=120, confidence=1, beats_s=tuple(beats), first_downbeat=1)
    changed = song.evolve(music=song.music.evolve(grid=grid))
    text = ZipFile(exported(changed, tmp_path)).read("project.xml")
    points = ElementTree.fromstring(text).findall("Arrangement/TempoAutomation/RealPoint")
    assert [round(float(point.get("value", ""))) for point in points] == [120, 86]
    assert [float(point.get("time", "")) for point in points] == pytest.approx([0, 19 + 3], abs=0.1)
    schema("Project.xsd").assertValid(parsed(text))


def test_music_of_which_nothing_was_heard_is_valid(song: SongToExport, tmp_path: Path) -> None:
    """Without beats, sections or stems."""
    nothing = Music(duration_s=16, grid=BeatGrid(tempo_bpm=0, confidence=0))
    text = ZipFile(exported(song.evolve(music=nothing, stems=()), tmp_path)).read("project.xml")
    schema("Project.xsd").assertValid(parsed(text))


def test_the_same_song_gives_the_same_bytes(song: SongToExport, tmp_path: Path) -> None:
    """Whenever it is written."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = exported(song, tmp_path / "one"), exported(song, tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()


def test_it_can_be_cancelled(song: SongToExport, tmp_path: Path) -> None:
    """At any stem."""

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        DawProjectExporter().export(song, tmp_path, cancel)

"""What is a song by its name, and what is not."""

import json
from pathlib import Path

import pytest

from bridge.service.songs import (
    is_delivery,
    is_likely_stem_set,
    is_open_folder,
    is_song_name,
    kept_free,
    leads_to_delivery,
)


@pytest.mark.parametrize(
    "name", ["Song.wav", "Song.MP3", "a.b.flac", "Title Stems (103BPM).zip", "ü♪.m4a", "Song.part 2.wav"]
)
def test_songs_and_archives_are_taken(name: str) -> None:
    assert is_song_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Song.wav.crdownload", "Song.mp3.part", "Song.mp3.download", "Song.wav.tmp", "Song.wav.partial",
        "Song.mp3.opdownload", "Song.tmp.wav", "Song.temp.mp3", ".Song.wav", "._Song.wav", ".DS_Store",
        "Thumbs.db", "desktop.ini", "~$Song.wav", ".dropbox.wav", ".Song.wav.icloud", "Song.wav.icloud",
        "~syncthing~Song.wav.tmp", ".syncthing.Song.wav.tmp", "Song.asd", "Song.als", "Song", "Song.txt",
        "Song.wav.stembridge.txt", "",
    ],
)  # fmt: skip
def test_everything_else_is_left_alone(name: str) -> None:
    assert not is_song_name(name)


def test_a_name_that_a_download_will_get_is_kept_free() -> None:
    names = ["Song.mp3", "Song.mp3.part", "Other.wav.CRDOWNLOAD", "Third.wav", "part", ".part"]
    assert kept_free(names) == {"Song.mp3", "Other.wav", ""}


@pytest.mark.parametrize(
    ("name", "is_open"),
    [
        ("2026", True), ("quick", True), ("StemBridge", False), ("stembridge", False), (".hidden", False),
        ("Song.mp3.download", False), ("__MACOSX", False), ("$RECYCLE.BIN", False), ("@eaDir", False),
        ("Song.logicx", False), ("Samples", True),
    ],
)  # fmt: skip
def test_folders_that_hold_no_songs_stay_closed(name: str, is_open: bool) -> None:
    assert is_open_folder(name, delivery_folder="StemBridge") is is_open


def test_the_samples_of_a_live_project_are_no_songs() -> None:
    """Live's "Collect All and Save" copies delivered stems there."""
    for name in ("Samples", "Backup"):
        assert not is_open_folder(name, delivery_folder="StemBridge", is_in_live_project=True)
    assert is_open_folder("Exports", delivery_folder="StemBridge", is_in_live_project=True)


def test_a_folder_with_our_manifest_is_a_delivery_and_one_with_anothers_is_not(tmp_path: Path) -> None:
    for name, content in {
        "ours": json.dumps({"format": "stembridge/manifest/1"}),
        "web app": json.dumps({"name": "x"}),
        "list": "[]",
        "broken": "{",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(content, encoding="utf-8")
    assert [
        name for name in ("ours", "web app", "list", "broken", "none") if is_delivery(tmp_path / name)
    ] == ["ours"]


def test_a_link_into_a_delivery_is_seen_through(tmp_path: Path) -> None:
    stem = tmp_path / "Song" / "Stems" / "Vocals.wav"
    stem.parent.mkdir(parents=True)
    stem.touch()
    link = tmp_path / "Vocals.wav"
    link.symlink_to(stem)
    assert not leads_to_delivery(str(link))
    (tmp_path / "Song" / "manifest.json").write_text('{"format": "stembridge/manifest/1"}', encoding="utf-8")
    assert leads_to_delivery(str(link))


@pytest.mark.parametrize(
    ("names", "is_likely"),
    [
        (["0 Lead Vocals.wav", "1 Drums.wav"], True),
        (["Song (Vocals).mp3", "Song (Drums).mp3", "Song.mp3"], True),
        (["Song - Bass.wav", "Song - Drums.wav"], True),
        (["Kick.wav", "Snare.wav", "Choir.wav"], True),
        (["Vocals.wav"], False),
        (["One.mp3", "Two.mp3", "Three.mp3"], False),
        (["One.mp3", "Two.mp3", "Three.mp3", "Four.mp3", "A (Vocals).mp3", "B (Drums).mp3"], False),
        ([], False),
    ],
)
def test_a_folder_of_stems_is_recognised_by_names(names: list[str], is_likely: bool) -> None:
    assert is_likely_stem_set(names) is is_likely

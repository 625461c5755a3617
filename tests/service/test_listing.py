"""What a scan finds in a real folder."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config import load_config, shipped_config_path
from bridge.service.listing import Rules, rules_of, scan, song_at
from bridge.service.songs import NOTE_SUFFIX

MANIFEST = '{"format": "stembridge/manifest/1"}'


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(root=tmp_path, delivery_folder="StemBridge", inboxes={"quick"})


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"song")


def found(rules: Rules, folder: Path | None = None) -> set[str]:
    listing = scan(folder or rules.root, rules)
    return {path.relative_to(rules.root).as_posix() for path, _ in listing.found}


def test_songs_are_found_at_every_depth(rules: Rules) -> None:
    put(rules.root, "a.wav", "2026/may/b.mp3", "quick/c.zip", "2026/readme.txt")
    assert found(rules) == {"a.wav", "2026/may/b.mp3", "quick/c.zip"}


def test_the_rules_of_a_watched_folder_come_from_the_settings(tmp_path: Path) -> None:
    folders = [{"path": str(tmp_path / name)} for name in (".", "inner", "inner/most")]
    settings = {"watch": {"folders": folders}, "delivery": {"folder": "Ours"}}
    config = load_config(shipped_config_path(), settings)
    outer, inner, most = (rules_of(folder, config) for folder in config.watch.folders)
    assert (outer.root, outer.delivery_folder) == (tmp_path, "Ours")
    assert "quick" in outer.inboxes
    assert outer.nested == {str(inner.root), str(most.root)}
    assert (inner.nested, most.nested) == ({str(most.root)}, frozenset())


def test_our_own_output_is_not_found_wherever_it_lies(rules: Rules) -> None:
    put(
        rules.root,
        "StemBridge/Song/Stems/Song - Vocals (dry).wav",
        "StemBridge/.0123.partial/Stems/x.wav",
        "Project/StemBridge/Song/Master/Song.wav",
        "moved/Song/Stems/Song - Vocals (dry).wav",
        "song.wav",
    )
    (rules.root / "moved" / "Song" / "manifest.json").write_text(MANIFEST, encoding="utf-8")
    assert found(rules) == {"song.wav"}
    assert not rules.may_hold_songs(rules.root / "moved" / "Song" / "Stems")
    assert not rules.may_hold_songs(rules.root / "Project" / "StemBridge" / "Song" / "Master")
    assert rules.may_hold_songs(rules.root / "moved")


def test_the_samples_of_a_live_project_inside_are_not_found(rules: Rules) -> None:
    put(rules.root, "My Project/Samples/Imported/Song - Vocals.wav", "My Project/bounce.wav")
    (rules.root / "My Project" / "Ableton Project Info").mkdir()
    assert found(rules) == {"My Project/bounce.wav"}
    assert not rules.may_hold_songs(rules.root / "My Project" / "Samples" / "Imported")


def test_a_nested_watched_folder_is_somebody_elses(rules: Rules) -> None:
    put(rules.root, "a.wav", "inbox/b.wav", "inbox/deep/c.wav")
    nested = replace(rules, nested={str(rules.root / "inbox")})
    assert found(nested) == {"a.wav"}
    assert not nested.may_hold_songs(rules.root / "inbox" / "deep")


def test_links_to_files_are_songs_and_links_to_folders_are_not_followed(rules: Rules, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name} outside"
    put(outside, "song.wav")
    (rules.root / "link.wav").symlink_to(outside / "song.wav")
    (rules.root / "dangling.wav").symlink_to(outside / "nothing.wav")
    (rules.root / "again").symlink_to(rules.root, target_is_directory=True)
    (rules.root / "folder").symlink_to(outside, target_is_directory=True)
    assert found(rules) == {"link.wav"}
    assert not rules.may_hold_songs(rules.root / "again")


def test_a_folder_of_stems_is_one_song_unless_it_gathers_songs(rules: Rules) -> None:
    for folder in ("Song Stems", "quick", "."):
        put(rules.root, f"{folder}/0 Vocals.wav", f"{folder}/1 Drums.wav")
    assert found(rules) == {
        "Song Stems",
        "quick/0 Vocals.wav",
        "quick/1 Drums.wav",
        "0 Vocals.wav",
        "1 Drums.wav",
    }


def test_notes_are_told_apart_by_whether_their_song_is_there(rules: Rules) -> None:
    put(rules.root, "here.wav", f"here.wav{NOTE_SUFFIX}", f"gone.wav{NOTE_SUFFIX}")
    listing = scan(rules.root, rules)
    assert listing.noted == [rules.root / "here.wav"]
    assert listing.orphans == [rules.root / "gone.wav"]


def test_a_folder_that_is_not_there_is_an_error_and_one_below_is_not(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    put(rules.root, "a.wav", "locked/b.wav")
    real = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(rules) == {"a.wav"}
    with pytest.raises(OSError, match="No such file"):
        scan(rules.root / "missing", rules)


def test_one_song_is_seen_as_a_scan_would_see_it(rules: Rules) -> None:
    put(rules.root, "a.wav", "b.wav", "b.wav.part", "c.txt")
    marks = dict(scan(rules.root, rules).found)
    assert song_at(rules.root / "a.wav", rules) == marks[rules.root / "a.wav"]
    for name in ("b.wav", "b.wav.part", "c.txt", "missing.wav"):
        assert song_at(rules.root / name, rules) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_with_odd_bytes_are_found(rules: Rules) -> None:
    import os

    name = os.fsdecode(b"S\xffng.wav")
    put(rules.root, name)
    assert [path.name for path, _ in scan(rules.root, rules).found] == [name]

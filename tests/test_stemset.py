"""Stem sets: many files, one song; archives of strangers, no surprises."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio import Audio, probe, read_audio, write_audio
from bridge.errors import AudioError, InputError, StorageError
from bridge.naming import STEM_WORDS, is_stem_name
from bridge.stemset import StemSet, archive, extract, find_stem_set, role_of
from bridge.tags import read_tags
from bridge.values import Role, SampleFormat
from tests.encoded_media import encode, song

RATE_HZ = 44_100
TWELVE = [
    "0 Lead Vocals", "1 Backing Vocals", "2 Drums", "3 Bass", "4 Guitar", "5 Keyboard", "6 Percussion",
    "7 Strings", "8 Synth", "9 FX", "10 Brass", "11 Woodwinds",
]  # fmt: skip


def stem(path: Path, frames: int = 4_410, seed: int = 1, rate_hz: int = RATE_HZ, channels: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = Audio(samples=song(frames, rate_hz, channels, seed) / 4, rate_hz=rate_hz)
    write_audio(path, audio, SampleFormat.INT16)
    return path


def folder_of(folder: Path, names: list[str], suffix: str = ".wav") -> Path:
    for number, name in enumerate(names):
        stem(folder / f"{name}{suffix}", seed=number)
    return folder


def zip_of(path: Path, folder: Path, prefix: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def found(path: Path) -> StemSet:
    stem_set = find_stem_set(path)
    assert stem_set is not None
    return stem_set


def labels(path: Path) -> dict[str, Role]:
    return {one.label: one.role for one in found(path).stems}


class TestRoles:
    @pytest.mark.parametrize(
        ("label", "role"),
        [
            ("Lead Vocals", Role.VOCALS),
            ("Vocals", Role.VOCALS),
            ("vox", Role.VOCALS),
            ("Backing_Vocals", Role.BACKING_VOCALS),
            ("Drums", Role.DRUMS),
            ("Bass Drum", Role.DRUMS),
            ("Synth Bass", Role.BASS),
            ("Electric Guitar 2", Role.GUITAR),
            ("Keyboard", Role.KEYBOARD),
            ("Piano", Role.PIANO),
            ("Percussion", Role.PERCUSSION),
            ("Strings", Role.STRINGS),
            ("Lead Synth", Role.SYNTH),
            ("FX", Role.FX),
            ("Brass", Role.BRASS),
            ("Woodwinds", Role.WOODWINDS),
            ("Instrumental", Role.OTHER),
            ("Other", Role.OTHER),
            ("Night Drive", None),
            ("Bass Drop Anthem", None),
            ("", None),
            ("12", None),
        ],
    )
    def test_role_of_a_label(self, label: str, role: Role | None) -> None:
        assert role_of(label) is role

    @given(st.lists(st.sampled_from(sorted(STEM_WORDS)), min_size=1, max_size=3))
    def test_names_that_naming_takes_for_stems_have_a_role(self, words: list[str]) -> None:
        label = " ".join(words)
        assert is_stem_name(label)
        assert role_of(label) is not None or set(words) == {"lead"}


class TestRecognising:
    def test_twelve_stems_in_a_zip(self, tmp_path: Path) -> None:
        folder_of(tmp_path / "in", TWELVE)
        stem_set = found(zip_of(tmp_path / "Night Drive Stems (103BPM).zip", tmp_path / "in"))
        assert (stem_set.title, stem_set.tempo_bpm, stem_set.is_archive) == ("Night Drive", 103, True)
        assert [(one.label, one.role) for one in stem_set.stems] == [
            ("Vocals", Role.VOCALS),
            ("Backing Vocals", Role.BACKING_VOCALS),
            ("Drums", Role.DRUMS),
            ("Bass", Role.BASS),
            ("Guitar", Role.GUITAR),
            ("Keyboard", Role.KEYBOARD),
            ("Percussion", Role.PERCUSSION),
            ("Strings", Role.STRINGS),
            ("Synth", Role.SYNTH),
            ("FX", Role.FX),
            ("Brass", Role.BRASS),
            ("Woodwinds", Role.WOODWINDS),
        ]

    def test_stems_named_after_their_song(self, tmp_path: Path) -> None:
        folder = folder_of(
            tmp_path / "whatever", ["Night Drive (Vocals)", "Night Drive (Drums)", "Night Drive (FX)"]
        )
        assert found(folder).title == "Night Drive"
        assert labels(folder) == {"Drums": Role.DRUMS, "FX": Role.FX, "Vocals": Role.VOCALS}

    @pytest.mark.parametrize(
        "names",
        [
            ["Night Drive - Vocals", "Night Drive - Drums"],
            ["Night Drive_vocals", "Night Drive_drums"],
            ["night_drive_vocals", "night_drive_drums"],
            ["Night Drive Vocals", "Night Drive Drums"],
            ["01 - Vocals", "02 - Drums"],
            ["vocals", "drums"],
        ],
    )
    def test_other_ways_to_name_them(self, tmp_path: Path, names: list[str]) -> None:
        folder = folder_of(tmp_path / "Night Drive", names)
        assert found(folder).title.casefold().replace("_", " ") == "night drive"
        assert set(labels(folder)) == {"Vocals", "Drums"}

    def test_two_stems(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "Night Drive", ["Night Drive (Vocals)", "Night Drive (Instrumental)"])
        assert labels(folder) == {"Instrumental": Role.OTHER, "Vocals": Role.VOCALS}

    def test_several_of_one_kind_stay_apart(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "X", ["0 Synth", "1 Synth 2", "2 Synth Pad", "10 Synth 4", "3 Drums"])
        stems = found(folder).stems
        assert [one.label for one in stems] == ["Synth", "Synth 2", "Synth 3", "Drums", "Synth 4"]
        assert stems[-1].member == "10 Synth 4.wav"

    def test_unknown_stem_in_line_with_the_others(self, tmp_path: Path) -> None:
        numbered = folder_of(tmp_path / "a", ["0 Vocals", "1 Drums", "2 Kazoo"])
        assert labels(numbered)["Kazoo"] is Role.OTHER
        titled = folder_of(tmp_path / "b", ["X (Vocals)", "X (Drums)", "X (Kazoo)"])
        assert labels(titled)["Kazoo"] is Role.OTHER

    @pytest.mark.parametrize("mix", ["Night Drive", "Night Drive (1)", "mixture", "Full Mix", "Another Name"])
    def test_full_mix_is_left_out(self, tmp_path: Path, mix: str) -> None:
        folder = folder_of(tmp_path / "Night Drive", ["0 Lead Vocals", "1 Drums", mix])
        stem_set = found(folder)
        assert set(labels(folder)) == {"Vocals", "Drums"}
        assert stem_set.left_out == (f"{mix}.wav",)

    def test_mix_names_the_song_where_the_folder_does_not(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "stems", ["0 Lead Vocals", "1 Drums", "Night Drive"])
        assert found(folder).title == "Night Drive"

    def test_instrumental_beside_its_parts_is_left_out(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "X", ["Vocals", "Instrumental", "Drums", "Bass"])
        assert set(labels(folder)) == {"Vocals", "Drums", "Bass"}
        assert found(folder).left_out == ("Instrumental.wav",)

    def test_lossy_twins_are_left_out(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "X", ["0 Vocals", "1 Drums"])
        for name in ("0 Vocals", "1 Drums"):
            encode(folder / f"{name}.mp3", song(4_410), RATE_HZ, codec="libmp3lame")
        stem_set = found(folder)
        assert [one.member for one in stem_set.stems] == ["0 Vocals.wav", "1 Drums.wav"]
        assert stem_set.left_out == ("0 Vocals.mp3", "1 Drums.mp3")

    def test_other_files_and_rubbish_are_ignored(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "in" / "Night Drive Stems", ["0 Vocals", "1 Drums"])
        for name in ("lyrics.txt", "cover.jpg", "._0 Vocals.wav", ".DS_Store", "song (Vocals).mid", "x.asd"):
            (folder / name).write_bytes(b"rubbish")
        (tmp_path / "in" / "__MACOSX").mkdir()
        (tmp_path / "in" / "__MACOSX" / "0 Bass.wav").write_bytes(b"rubbish")
        packed = zip_of(tmp_path / "a.zip", tmp_path / "in")
        for path in (tmp_path / "in", folder, packed):
            assert labels(path) == {"Vocals": Role.VOCALS, "Drums": Role.DRUMS}
            assert found(path).left_out == ()

    def test_nested_folder_in_a_zip(self, tmp_path: Path) -> None:
        folder_of(tmp_path / "in" / "Deep" / "Stems", ["0 Vocals", "1 Drums"])
        stem(tmp_path / "in" / "Master" / "Night Drive.wav")
        stem_set = found(zip_of(tmp_path / "Night Drive.zip", tmp_path / "in"))
        assert [one.member for one in stem_set.stems] == ["Deep/Stems/0 Vocals.wav", "Deep/Stems/1 Drums.wav"]

    def test_no_set(self, tmp_path: Path) -> None:
        assert find_stem_set(stem(tmp_path / "a" / "song.wav")) is None
        assert find_stem_set(tmp_path / "a") is None
        (tmp_path / "empty").mkdir()
        assert find_stem_set(tmp_path / "empty") is None
        assert find_stem_set(tmp_path / "missing.wav") is None


class TestRefusing:
    def test_folder_of_songs_lists_them(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "Songs", ["Night Drive", "Morning Walk", "Night Drive (1)"])
        with pytest.raises(InputError, match=r"Songs holds several.*Morning Walk\.wav, Night Drive"):
            find_stem_set(folder)

    def test_stems_of_two_songs(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "in", ["A (Vocals)", "A (Drums)", "B (Vocals)", "B (Drums)"])
        with pytest.raises(InputError, match="not the stems of one song"):
            find_stem_set(folder)
        folder_of(tmp_path / "two" / "A", ["Vocals", "Drums"])
        folder_of(tmp_path / "two" / "B", ["Vocals", "Drums"])
        with pytest.raises(InputError, match="not the stems of one song"):
            find_stem_set(zip_of(tmp_path / "two.zip", tmp_path / "two"))

    def test_song_beside_a_single_stem(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "in", ["A", "A (Vocals)"])
        with pytest.raises(InputError, match="not the stems of one song"):
            find_stem_set(folder)

    def test_file_that_may_be_either(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "in", ["A (Vocals)", "A (Drums)", "Something"])
        with pytest.raises(InputError, match=r"Something\.wav, which may be a stem or another song"):
            find_stem_set(folder)

    def test_zip_without_stems(self, tmp_path: Path) -> None:
        folder_of(tmp_path / "one", ["Night Drive"])
        with pytest.raises(InputError, match=r"holds no set of stems \(Night Drive\.wav\)"):
            find_stem_set(zip_of(tmp_path / "one.zip", tmp_path / "one"))
        (tmp_path / "text").mkdir()
        (tmp_path / "text" / "a.txt").write_text("x")
        with pytest.raises(InputError, match="no audio"):
            find_stem_set(zip_of(tmp_path / "text.zip", tmp_path / "text"))

    @pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\3\4" + bytes(500)])
    def test_no_zip(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.zip is no whole zip"):
            find_stem_set(tmp_path / "a.zip")

    @pytest.mark.parametrize("share", [0.3, 0.9])
    def test_truncated_zip(self, tmp_path: Path, share: float) -> None:
        packed = zip_of(tmp_path / "a.zip", folder_of(tmp_path / "in", ["0 Vocals", "1 Drums"]))
        os.truncate(packed, int(packed.stat().st_size * share))
        with pytest.raises(InputError, match="download it again"):
            find_stem_set(packed)

    def test_encrypted_zip(self, tmp_path: Path) -> None:
        packed = zip_of(tmp_path / "a.zip", folder_of(tmp_path / "in", ["0 Vocals", "1 Drums"]))
        data = bytearray(packed.read_bytes())
        for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            start = data.find(mark)
            while start >= 0:
                data[start + place] |= 1
                start = data.find(mark, start + 4)
        packed.write_bytes(data)
        with pytest.raises(InputError, match="is encrypted"):
            find_stem_set(packed)

    @pytest.mark.parametrize("name", ["../0 Vocals.wav", "/etc/0 Vocals.wav", "a/../../0 Vocals.wav", "C:\\0 Vocals.wav", "..\\0 Vocals.wav"])  # fmt: skip  # noqa: E501
    def test_paths_that_lead_out(self, tmp_path: Path, name: str) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            packed.writestr(name, b"x")
            packed.writestr("1 Drums.wav", b"x")
        with pytest.raises(InputError, match="leads out of it"):
            find_stem_set(tmp_path / "a.zip")
        assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]

    def test_links_are_no_stems(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            for name in ("0 Vocals.wav", "1 Drums.wav"):
                link = zipfile.ZipInfo(name)
                link.external_attr = (stat.S_IFLNK | 0o777) << 16
                packed.writestr(link, "/etc/passwd")
        with pytest.raises(InputError, match="no audio"):
            find_stem_set(tmp_path / "a.zip")

    def test_bombs(self, tmp_path: Path) -> None:
        """A packed gigabyte of zeros; a lie about sizes; too many files. Nothing of it is unpacked."""
        with zipfile.ZipFile(tmp_path / "ratio.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for name in ("0 Vocals.wav", "1 Drums.wav"):
                with packed.open(name, "w") as member:
                    for _ in range(55):
                        member.write(bytes(1_000_000))
        with pytest.raises(InputError, match="as no music does"):
            find_stem_set(tmp_path / "ratio.zip")
        self._lie(tmp_path / "size.zip", 5_000_000_000 - 2**32)
        with zipfile.ZipFile(tmp_path / "many.zip", "w") as packed:
            for number in range(archive.MAX_ENTRIES + 1):
                packed.writestr(f"{number}.txt", b"")
        with pytest.raises(InputError, match=f"holds {archive.MAX_ENTRIES + 1} files"):
            find_stem_set(tmp_path / "many.zip")

    @staticmethod
    def _lie(path: Path, size: int) -> None:
        with zipfile.ZipFile(path, "w") as packed:
            for number in range(14):
                packed.writestr(f"{number} Synth.wav", b"x" * 100)
        data = bytearray(path.read_bytes())
        start = data.find(b"PK\1\2")
        while start >= 0:
            data[start + 24 : start + 28] = struct.pack("<I", size)
            start = data.find(b"PK\1\2", start + 4)
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"holds 9\.9 GB unpacked"):
            find_stem_set(path)

    def test_silent_stems_are_no_bomb(self, tmp_path: Path) -> None:
        """Eleven stems of silence and one of music: 200 to 1 for most files, not for the whole."""
        for number, name in enumerate(TWELVE):
            samples = song(400_000) if number == 0 else np.zeros((2, 2_000_000), np.float32)
            audio = Audio(samples=samples, rate_hz=RATE_HZ)
            (tmp_path / "in").mkdir(exist_ok=True)
            write_audio(tmp_path / "in" / f"{name}.wav", audio, SampleFormat.INT16)
        packed = zip_of(tmp_path / "a.zip", tmp_path / "in")
        assert packed.stat().st_size * 20 < sum(file.stat().st_size for file in (tmp_path / "in").iterdir())
        assert len(found(packed).stems) == 12


class TestExtracting:
    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    def test_files_are_copied_bit_by_bit(self, tmp_path: Path, method: int) -> None:
        folder = folder_of(tmp_path / "in", TWELVE)
        packed = zip_of(tmp_path / "a.zip", folder, method=method)
        for path in (folder, packed):
            made = extract(found(path), tmp_path / "out" / path.name)
            assert list(made) == [one.label for one in found(path).stems]
            assert made["Backing Vocals"].name == "Backing Vocals.wav"
            for name, copy in zip(TWELVE, made.values(), strict=True):
                assert copy.read_bytes() == (folder / f"{name}.wav").read_bytes()
            assert len(list((tmp_path / "out" / path.name).iterdir())) == 12
        assert len(list(folder.iterdir())) == 12

    def test_sum_is_the_song(self, tmp_path: Path) -> None:
        """Stems that are exact parts of a song in 16 bits add up to exactly it."""
        steps = np.random.default_rng(1).integers(-5_000, 5_000, (3, 2, 4_410))
        (tmp_path / "in").mkdir()
        for name, part in zip(("0 Vocals", "1 Drums", "2 Bass"), steps, strict=True):
            audio = Audio(samples=np.float32(part / 2**15), rate_hz=RATE_HZ)
            write_audio(tmp_path / "in" / f"{name}.wav", audio, SampleFormat.INT16)
        made = extract(found(zip_of(tmp_path / "a.zip", tmp_path / "in")), tmp_path / "out")
        assert np.array_equal(
            sum(read_audio(path).samples for path in made.values()) * 2**15, steps.sum(axis=0)
        )

    def test_coded_stems_keep_format_and_tags(self, tmp_path: Path) -> None:
        from mutagen.id3 import ID3, TIT2

        (tmp_path / "in").mkdir()
        for name in ("X (Vocals)", "X (Drums)"):
            encode(tmp_path / "in" / f"{name}.mp3", song(22_050), RATE_HZ, codec="libmp3lame")
            tag = ID3()
            tag.add(TIT2(encoding=3, text=["X"]))
            tag.save(tmp_path / "in" / f"{name}.mp3")
        made = extract(found(tmp_path / "in"), tmp_path / "out")
        assert made["Vocals"].name == "Vocals.mp3"
        assert probe(made["Vocals"]).is_lossy
        assert read_tags(made["Vocals"]).tags.title == "X"

    def test_names_of_archives_never_become_paths(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            for name in ("0 Vocals.wav", "1 Drums.wav", "2 CON.wav", "3 a\\b:c.wav"):
                packed.write(stem(tmp_path / "in" / "x.wav"), name)
        made = extract(found(tmp_path / "a.zip"), tmp_path / "out")
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
            p.name for p in made.values()
        )
        assert all(path.parent == tmp_path / "out" for path in made.values())

    def test_lengths_within_a_second(self, tmp_path: Path) -> None:
        stem(tmp_path / "in" / "0 Vocals.wav", RATE_HZ)
        stem(tmp_path / "in" / "1 Drums.wav", 2 * RATE_HZ)
        assert set(extract(found(tmp_path / "in"), tmp_path / "out")) == {"Vocals", "Drums"}

    def test_lengths_further_apart_are_refused_by_name(self, tmp_path: Path) -> None:
        stem(tmp_path / "in" / "0 Vocals.wav", RATE_HZ)
        stem(tmp_path / "in" / "1 Drums.wav", 3 * RATE_HZ)
        with pytest.raises(InputError, match=r"more than 1 s: Vocals 1\.00 s; the longest has 3\.00 s"):
            extract(found(tmp_path / "in"), tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_estimated_lengths_are_counted_before_they_are_refused(self, tmp_path: Path) -> None:
        """Of an mp3 without its header the length is a guess from size and rate."""
        (tmp_path / "in").mkdir()
        for name, options in (("0 Vocals", {"write_xing": "0"}), ("1 Drums", {})):
            samples = song(10 * RATE_HZ)
            path = tmp_path / "in" / f"{name}.mp3"
            encode(path, samples, RATE_HZ, codec="libmp3lame", options=options)
        (tmp_path / "in" / "0 Vocals.mp3").write_bytes(
            (tmp_path / "in" / "0 Vocals.mp3").read_bytes() + b"TAG" + bytes(60_000)
        )
        assert probe(tmp_path / "in" / "0 Vocals.mp3").duration_s > 11.5
        assert set(extract(found(tmp_path / "in"), tmp_path / "out")) == {"Vocals", "Drums"}

    def test_rates_are_refused_by_name(self, tmp_path: Path) -> None:
        stem(tmp_path / "in" / "0 Vocals.wav")
        stem(tmp_path / "in" / "1 Drums.wav", rate_hz=48_000)
        with pytest.raises(InputError, match="differ in rate: Vocals 44100 Hz, Drums 48000 Hz"):
            extract(found(tmp_path / "in"), tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_damaged_member(self, tmp_path: Path) -> None:
        packed = zip_of(tmp_path / "a.zip", folder_of(tmp_path / "in", ["0 Vocals", "1 Drums"]))
        data = bytearray(packed.read_bytes())
        data[1_000:1_200] = bytes(200)
        packed.write_bytes(data)
        with pytest.raises(InputError, match=r"0 Vocals\.wav in a\.zip is damaged"):
            extract(found(packed), tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_stem_that_is_no_audio(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "in", ["0 Vocals", "1 Drums"])
        (folder / "2 Bass.wav").write_text("no audio")
        with pytest.raises(AudioError, match=r"Bass\.wav"):
            extract(found(folder), tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []
        assert len(list(folder.iterdir())) == 3

    def test_full_disk(self, tmp_path: Path) -> None:
        if os.name == "nt" or os.geteuid() != 0:
            pytest.skip("mounting needs root")
        packed = zip_of(tmp_path / "a.zip", folder_of(tmp_path / "in", TWELVE))
        disk = tmp_path / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system cannot be mounted here")
        try:
            for path in (packed, tmp_path / "in"):
                with pytest.raises(StorageError, match="No space left"):
                    extract(found(path), disk)
                assert list(disk.iterdir()) == []
        finally:
            subprocess.run(["umount", str(disk)], check=True)

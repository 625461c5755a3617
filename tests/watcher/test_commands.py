"""``stembridge watch``: the list of folders in the user's own file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from bridge.config import load_config
from bridge.errors import ConfigError, InputError
from bridge.service import DoorState
from watcher.commands import app
from watcher.folder import FolderState, Unfinished
from watcher.frontend import door_state


class Shell:
    """Runs the commands on a settings file of its own."""

    def __init__(self, place: Path) -> None:
        self.place, self.file = place, place / "config.toml"
        self.exports = self.folder("exports")

    def folder(self, name: str) -> Path:
        path = self.place / name
        path.mkdir()
        return path

    def run(self, *arguments: object) -> Result:
        words = [*map(str, arguments), "--config", str(self.file)]
        return CliRunner().invoke(app, words, catch_exceptions=False)

    def output(self, *arguments: object) -> str:
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.output

    @property
    def watched(self) -> list[tuple[Path, str]]:
        return [(one.folder, one.recipe) for one in load_config(self.file).watch.folders]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_folder_is_added_to_a_file_that_is_not_there_yet(shell: Shell) -> None:
    (shell.exports / "song.wav").touch()
    output = shell.output("add", shell.exports)
    assert shell.watched == [(shell.exports, "full")]
    assert "It holds 1 song already" in output
    assert "stembridge serve" in output


def test_everything_that_is_said_of_a_folder_is_kept(shell: Shell) -> None:
    shell.output(
        "add", shell.exports, "--recipe", "quick", "--project", shell.place / "p", "--target", "club"
    )
    (watched,) = load_config(shell.file).watch.folders
    assert (watched.recipe, watched.targets) == ("quick", ("club",))
    assert watched.project_folder == shell.place / "p"


def test_a_project_that_is_not_there_is_said_to_be_made(shell: Shell) -> None:
    words = ", which is made with the first song"
    assert f"into {shell.place / 'typo'}{words}\n" in shell.output(
        "add", shell.exports, "--project", shell.place / "typo"
    )
    assert words not in shell.output("add", shell.exports, "--project", shell.place)
    assert words not in shell.output("add", shell.exports)


def test_the_current_folder_is_named_by_a_dot(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.exports)
    shell.output("add", ".")
    assert shell.watched == [(shell.exports, "full")]


def test_a_folder_that_is_added_again_is_changed(shell: Shell) -> None:
    shell.output("add", shell.exports, "--recipe", "quick", "--target", "club")
    assert "as you say now" in shell.output("add", shell.exports)
    (watched,) = load_config(shell.file).watch.folders
    assert (watched.recipe, watched.targets) == ("full", ())


def test_comments_and_all_other_settings_stay_as_they_were(shell: Shell) -> None:
    before = "# my own\r\n[work]\r\nthreads = 4 # four\r\n\r\n[watch]\r\nquiet_s = 2.0 # short\r\n"
    shell.file.write_bytes(before.encode())
    shell.output("add", shell.exports)
    text = shell.file.read_bytes().decode()
    assert text.startswith(before)
    shell.output("remove", shell.exports)
    assert shell.file.read_bytes().decode().rstrip() == before.rstrip()


@pytest.mark.parametrize("form", ["inline", "array of tables"])
def test_a_list_in_either_spelling_is_continued(shell: Shell, form: str) -> None:
    old = shell.folder("old")
    shell.file.write_text(
        f'[watch]\nfolders = [\n  {{ path = "{old.as_posix()}" }}, # mine\n]\n'
        if form == "inline"
        else f'[[watch.folders]]\npath = "{old.as_posix()}" # mine\n',
        encoding="utf-8",
    )
    shell.output("add", shell.exports, "--recipe", "quick")
    assert shell.watched == [(old, "full"), (shell.exports, "quick")]
    assert "# mine" in shell.file.read_text(encoding="utf-8")
    shell.output("remove", old)
    assert shell.watched == [(shell.exports, "quick")]


def test_the_last_folder_can_be_removed(shell: Shell) -> None:
    shell.output("add", shell.exports)
    assert "not watched any more" in shell.output("remove", shell.exports)
    assert shell.watched == []
    assert "No folder is watched" in shell.output("list")


def test_the_list_says_what_is_made_of_each_folder(shell: Shell) -> None:
    shell.output("add", shell.exports, "--recipe", "quick", "--project", shell.place)
    assert shell.output("list") == f"{shell.exports}: recipe quick, into {shell.place}\n"


def test_the_list_names_the_songs_that_cannot_be_taken(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    song = Unfinished("quick/cut.wav", "not whole: 100 bytes are missing")
    folder = FolderState(shell.exports, "events", waiting=2, unfinished=(song,), unfinished_count=1)
    told = door_state([folder]).model_dump_json()
    state = SimpleNamespace(doors=(DoorState.model_validate_json(told),))
    shell.output("add", shell.exports)
    monkeypatch.setattr("watcher.commands.read_state", lambda _: state)
    assert shell.output("list") == (
        f"{shell.exports}: recipe full, beside each song; events, 2 songs waiting\n"
        "  not taken yet: quick/cut.wav (not whole: 100 bytes are missing)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere is not there"),
        (["file.wav"], "file.wav is not a folder"),
        (["exports", "--project", "file.wav"], "file.wav is a file"),
        (["delivery"], "is a delivery"),
        ([""], "empty name"),
        ([" "], "empty name"),
        (["exports", "--project", ""], "empty name"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_words(
    shell: Shell, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.place)
    (shell.place / "file.wav").touch()
    (shell.folder("delivery") / "manifest.json").write_text(
        '{"format": "stembridge/manifest/1"}', encoding="utf-8"
    )
    with pytest.raises(InputError, match=words):
        shell.run("add", *arguments)
    assert not shell.file.exists()


@pytest.mark.parametrize(
    ("option", "word", "words"), [("--recipe", "ful", "full"), ("--target", "lound", "lound")]
)
def test_a_recipe_or_target_that_is_not_known_changes_nothing(
    shell: Shell, option: str, word: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        shell.run("add", shell.exports, option, word)
    assert not shell.file.exists()


def test_a_folder_that_is_not_watched_cannot_be_removed(shell: Shell) -> None:
    shell.output("add", shell.exports)
    with pytest.raises(InputError, match="is not watched; watched: "):
        shell.run("remove", shell.place / "other")
    assert len(shell.watched) == 1


def test_a_file_that_does_not_hold_is_left_alone(shell: Shell) -> None:
    for text in ("[watch\n", "[watch]\nquiet_s = -1\n"):
        shell.file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError):
            shell.run("add", shell.exports)
        assert shell.file.read_text(encoding="utf-8") == text
    assert [path.name for path in shell.place.glob(".*")] == []


def test_settings_that_are_a_link_stay_one(shell: Shell) -> None:
    real = shell.place / "dotfiles.toml"
    real.write_text("# mine\n", encoding="utf-8")
    shell.file.symlink_to(real)
    shell.output("add", shell.exports)
    assert shell.file.is_symlink()
    assert "exports" in real.read_text(encoding="utf-8")

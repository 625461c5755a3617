"""The list of watched folders in the user's settings file: changed in place, with all else as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from bridge.config import Config, WatchedFolder, load_config
from bridge.errors import ConfigError, InputError


@contextmanager
def edited(file: Path) -> Iterator[tomlkit.TOMLDocument]:
    """The settings file to be changed. Put in its place when the block ends well, and only if it holds then.

    Raises ConfigError where the file is no TOML, cannot be written, or would not hold any more.
    """
    try:
        text = file.read_bytes().decode() if file.exists() else ""
        document = tomlkit.parse(text)
    except (TOMLKitError, UnicodeDecodeError, OSError) as cause:
        raise ConfigError(
            f"{file} cannot be read: {cause}. Mend it, or see: stembridge config check"
        ) from cause
    yield document
    if (changed := tomlkit.dumps(document)) != text:
        _put(file, changed)


def entries(document: tomlkit.TOMLDocument) -> MutableSequence[Any]:
    """The list of watched folders, made where there is none. Lists in either spelling of TOML are kept so."""
    watch = document.setdefault("watch", tomlkit.table())
    if not watch.get("folders"):
        watch.pop("folders", None)
        watch.append("folders", tomlkit.aot())
    found: MutableSequence[Any] = watch["folders"]
    return found


def put_entry(folders: MutableSequence[Any], watched: WatchedFolder) -> bool:
    """Add a folder, or change how it is watched; whether it is new."""
    values = {name: value for name, value in watched.model_dump(mode="json").items() if value}
    at = place_of(folders, watched.folder)
    if at is None:
        folders.append(_table(folders, values))
        return True
    entry = folders[at]
    for name in set(WatchedFolder.model_fields) - {"path"}:
        if name in values:
            entry[name] = values[name]
        else:
            entry.pop(name, None)
    return False


def place_of(folders: MutableSequence[Any], folder: Path) -> int | None:
    """Where a folder stands in the list; None where it does not."""
    wanted = os.path.realpath(folder)
    for at, entry in enumerate(folders):
        if os.path.realpath(WatchedFolder(path=str(entry["path"])).folder) == wanted:
            return at
    return None


def _table(folders: MutableSequence[Any], values: dict[str, Any]) -> Any:
    table: Any = tomlkit.table() if isinstance(folders, tomlkit.items.AoT) else tomlkit.inline_table()
    for name, value in values.items():
        table.append(name, value)
    return table


def _put(file: Path, text: str) -> None:
    target = Path(os.path.realpath(file))  # settings may be a link into a folder that is kept elsewhere
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.toml")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("x", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        _expect_valid(partial, file)
        if target.exists():
            shutil.copymode(target, partial)
        partial.replace(target)
    except (OSError, UnicodeError) as cause:
        raise ConfigError(
            f"{file} cannot be written: {cause}. Check its path and your permission."
        ) from cause
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _expect_valid(partial: Path, file: Path) -> Config:
    try:
        return load_config(partial)
    except ConfigError as cause:
        words = str(cause).replace(str(partial), str(file))
        raise ConfigError(f"Nothing was changed. {words}") from cause


def expect_folder(folder: Path) -> Path:
    """The absolute path of a folder that is there; InputError else."""
    absolute = WatchedFolder(path=str(folder)).folder
    if absolute.is_dir():
        return absolute
    found = "is not a folder" if absolute.exists() else "is not there"
    raise InputError(f"{absolute} {found}; wanted a folder into which songs are exported. Make it first.")

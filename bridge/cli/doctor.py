"""``stembridge doctor``: looks at everything that stembridge needs and says what to do."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import filterfalse
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.console import EXIT_FAILED, console
from bridge.config import Config, home_path, load_usable_config, user_config_path
from bridge.errors import StembridgeError

WANTED_FREE_GB = 5.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at; ``is_needed`` tells a fault from a missing extra."""

    what: str
    found: str
    is_fine: bool
    is_needed: bool = True
    advice: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config_file: Annotated[Path | None, typer.Option("--config", help="Your settings.")] = None,
) -> None:
    """Check this machine; exit code 1 where something that is needed is missing."""
    config, trouble = load_usable_config(config_file)
    findings = [_looked(check, config) for check in CHECKS]
    findings.insert(2, _settings(config_file, trouble))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.is_needed and not finding.is_fine for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _looked(check: Callable[[Config], Finding], config: Config) -> Finding:
    try:
        return check(config)
    except Exception as error:
        what = (check.__doc__ or check.__name__).strip().rstrip(".")
        return Finding(
            what=what, found=f"{type(error).__name__}: {error}", is_fine=False, advice="Reinstall stembridge."
        )


def _print(findings: list[Finding]) -> None:
    from rich.markup import escape

    for finding in findings:
        mark = (
            "[green]ok[/]  "
            if finding.is_fine
            else ("[red]no[/]  " if finding.is_needed else "[yellow]-[/]   ")
        )
        console().print(f"{mark}{finding.what}: {escape(finding.found)}", highlight=False, soft_wrap=True)
        if not finding.is_fine and finding.advice:
            console().print(f"    {escape(finding.advice)}", highlight=False, soft_wrap=True)


def _python(_config: Config) -> Finding:
    """Python."""
    found = f"{platform.python_version()} on {platform.platform(terse=True)}, {os.cpu_count()} cores"
    return Finding(
        what="Python",
        found=found,
        is_fine=sys.version_info >= (3, 11),
        advice="Install Python 3.11 or newer.",
    )


def _version(_config: Config) -> Finding:
    """stembridge."""
    from bridge import __version__

    return Finding(what="stembridge", found=__version__, is_fine=True)


def _settings(file: Path | None, trouble: str) -> Finding:
    """Settings."""
    path = file or user_config_path()
    found = f"{path}" if path.exists() else f"the defaults (no {path})"
    return Finding(what="Settings", found=found, is_fine=not trouble, advice=trouble)


def _data_folder(config: Config) -> Finding:
    """Data folder."""
    folder = config.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    free_gb = shutil.disk_usage(folder).free / 1e9
    return Finding(
        what="Data folder",
        found=f"{folder}, {free_gb:.1f} GB free",
        is_fine=os.access(folder, os.W_OK) and free_gb >= WANTED_FREE_GB,
        advice=f"Free some space ({WANTED_FREE_GB:g} GB do), or set work.folder to another disk.",
    )


def _jobs(config: Config) -> Finding:
    """Jobs."""
    from bridge.jobs import open_store

    try:
        store = open_store(config.store_path)
    except StembridgeError as error:
        return Finding(what="Jobs", found=error.message, is_fine=False)
    try:
        return Finding(what="Jobs", found=f"{store.count()} in {config.store_path}", is_fine=True)
    finally:
        store.close()


def _service(config: Config) -> Finding:
    """Service."""
    from bridge.service import read_state

    state = read_state(config.data_folder)
    if state is None:
        advice = "Start it where folders and Live shall be listened to: stembridge serve"
        return Finding(what="Service", found="not running", is_fine=False, is_needed=False, advice=advice)
    closed = [f"{door.name}: {door.words}" for door in state.doors if not door.is_open]
    troubles = [state.paused, *closed]
    doors = "; ".join([*(door.words for door in state.doors if door.is_open), *state.notes])
    return Finding(
        what="Service",
        found=f"process {state.process.pid}; {doors}",
        is_fine=not any(troubles),
        advice=" ".join(filter(None, troubles)),
    )


def _decoders(_config: Config) -> Finding:
    """Decoders."""
    import av

    wanted = ("mp3", "aac", "vorbis", "opus", "alac")
    missing = [name for name in wanted if name not in av.codecs_available]
    found = f"FFmpeg libraries of PyAV {av.__version__}" + (
        f", without {', '.join(missing)}" if missing else ""
    )
    return Finding(
        what="Decoders",
        found=found,
        is_fine=not missing,
        advice="Reinstall it: pip install --force-reinstall av",
    )


def _separators(config: Config) -> Finding:
    """Separators."""
    from bridge.errors import RegistryError
    from bridge.stages.choosing import make, missing

    lacks = {}
    for name in config.separate.engines:
        try:
            lacks[name] = missing(make("bridge.separators", name, config))
        except RegistryError as error:
            lacks[name] = error.message
    ready = [name for name, lack in lacks.items() if not lack]
    absent = [name for name, lack in lacks.items() if lack]
    passed_over = f"; not installed: {', '.join(absent)}" if absent else ""
    return Finding(
        what="Separators",
        found=f"{', '.join(ready) or 'none'}, in this order{passed_over}",
        is_fine=bool(ready),
        advice=" ".join(lacks.values()) or "Name an installed one in separate.engines.",
    )


def _engines(config: Config) -> Finding:
    """Engines apart."""
    from bridge.engines.environments import State, catalogue, state_of

    states = {name: state_of(engine, config) for name, engine in catalogue().items()}
    flawed = [name for name, state in states.items() if not state.serves and state is not State.ABSENT] + [
        name for name, state in states.items() if state is State.OUTDATED
    ]
    return Finding(
        what="Engines apart",
        found=", ".join(f"{name} {state}" for name, state in states.items()),
        is_fine=not flawed,
        is_needed=False,
        advice=" ".join(f"Mend it: stembridge engines install {name}." for name in flawed),
    )


def _demucs(config: Config) -> Finding:
    """Demucs."""
    from bridge.engines.apart import close_all
    from bridge.engines.demucs import look
    from bridge.errors import EngineError

    try:
        found = look(config)
    except EngineError as error:
        return Finding(what="Demucs", found="not used", is_fine=False, is_needed=False, advice=error.message)
    finally:
        close_all()
    words = f"{found.demucs}, torch {found.torch}, on {found.device} in {found.precision}"
    return Finding(
        what="Demucs",
        found=words,
        is_fine=not found.notes,
        is_needed=False,
        advice=" ".join(found.notes),
    )


def _plug_ins(config: Config) -> Finding:
    """VST3 plug-ins."""
    from bridge.engines.vst3 import installed_plugins

    there = [plugin.name for plugin in installed_plugins(config.vst3)]
    missing = [folder for folder in config.vst3.folders if not home_path(folder).is_dir()]
    return Finding(
        what="VST3 plug-ins",
        found=f"{len(there)}: {', '.join(there)}" if there else "none (your own chains may use them)",
        is_fine=not missing,
        is_needed=False,
        advice=" ".join(f"{folder} is not there; vst3.folders names it." for folder in missing),
    )


def _preset_plug_ins(config: Config) -> Finding:
    """Plug-ins of the delivered presets."""
    from bridge.engines.vst3 import installed_plugins
    from presets.plugins import plugins

    there = {plugin.name for plugin in installed_plugins(config.vst3)}
    missing = [name for name in plugins() if name not in there]
    return Finding(
        what="Plug-ins of the delivered presets",
        found=f"not found: {', '.join(missing)} (only for opening the presets yourself)"
        if missing
        else "all",
        is_fine=not missing,
        is_needed=False,
        advice="They are free: zamaudio.com, or Debian's package zam-plugins.",
    )


def _own_chains(config: Config) -> Finding:
    """Your own chains."""
    from presets.folders import is_hidden

    folder = config.chains_folder
    if folder is None:
        return Finding(what="Your own chains", found="none (mix.chains)", is_fine=True)
    files = sorted(filterfalse(is_hidden, folder.glob("*/*.toml")))
    troubles = [trouble for file in files for trouble in _chain_troubles(file, config)]
    troubles += [
        f"{stray} is in no role's folder; wanted {folder.name}/<role>/{stray.name}."
        for stray in sorted(filterfalse(is_hidden, folder.glob("*.toml")))
    ]
    if not folder.is_dir():
        troubles.append(f"{folder} is not there; mix.chains names it.")
    found = f"{len(files)} in {folder}"
    return Finding(what="Your own chains", found=found, is_fine=not troubles, advice=" ".join(troubles))


def _chain_troubles(file: Path, config: Config) -> Iterator[str]:
    """What is wrong with a chain: with its file, or with a plug-in or preset that it names."""
    from bridge.engines.vst3 import setup_of
    from presets import Library, PresetError, Vst3
    from presets.values import did_you_mean

    role = file.parent.name
    where = f"{role}/{file.name}"
    if role not in Library().roles():
        yield f"{where}: no stem has the role {role!r}; {did_you_mean(role, Library().roles())}"
    try:
        effects = Library(user_folder=config.chains_folder).chain(role, file.stem).effects
    except PresetError as error:
        yield str(error)
        return
    for effect in effects:
        try:
            if isinstance(effect, Vst3):
                setup_of(effect, config.vst3)
        except StembridgeError as error:
            yield f"{where}: {error}"


CHECKS: tuple[Callable[[Config], Finding], ...] = (
    _version,
    _python,
    _data_folder,
    _jobs,
    _service,
    _decoders,
    _separators,
    _engines,
    _demucs,
    _plug_ins,
    _preset_plug_ins,
    _own_chains,
)

"""``stembridge presets``: preset files of plug-ins: installed, shown, captured."""

from __future__ import annotations

import math
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.console import config_from, shown, tell_error
from bridge.cli.installing import SUFFIX, files_in, install, place, shipped_files
from bridge.config import Config
from bridge.errors import InputError
from presets import Library, PresetFile, Vst3, VstPreset, safe_name
from presets.describe import describe
from presets.folders import named_preset, presets_root
from presets.values import parse_value

if TYPE_CHECKING:
    from bridge.engines.vst3 import Looked

app = typer.Typer(help="Preset files of VST3 plug-ins: install, show, capture.", no_args_is_help=True)

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Your settings.")]
ToOption = Annotated[
    Path | None,
    typer.Option("--to", metavar="DIR", help="Where presets are kept; your system's folder by default."),
]


@app.command("install")
def install_presets(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[WHAT]...", help="Deliveries or .vstpreset files; left out, our own chains."),
    ] = None,
    to: ToOption = None,
    config_file: ConfigOption = None,
) -> None:
    """Copy presets to where hosts look for them. None that is there is overwritten."""
    root = to or presets_root()
    if places:
        files = [file for place in places for file in files_in(place)]
    else:
        files = shipped_files(Library(user_folder=config_from(config_file).chains_folder))
    placed = install(files, root)
    already = f"; {placed.unchanged} were there already" if placed.unchanged else ""
    typer.echo(f"{_counted(len(placed.written))} written to {root}{already}.")
    for path in placed.written if places else ():
        typer.echo(f"  {shown(str(path.relative_to(root)))}")


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .vstpreset file.")],
    plugin: Annotated[
        str, typer.Option("--plugin", metavar="NAME", help="Load it into this plug-in, and ask that.")
    ] = "",
    config_file: ConfigOption = None,
) -> None:
    """Print what a .vstpreset file holds, of whatever plug-in it is."""
    for line in describe(VstPreset.read(file)):
        typer.echo(shown(line))
    if plugin:
        effect = _effect(plugin=plugin, preset=str(file.resolve()))
        typer.echo("")
        _print_parameters(_look(effect, config_from(config_file)))


@app.command("capture")
def capture(
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Its name, as doctor lists it.")],
    component: Annotated[
        str, typer.Option("--component", metavar="NAME", help="Which one of a bundle that holds several.")
    ] = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the preset is called.")] = "",
    preset: Annotated[
        str, typer.Option("--preset", metavar="NAME", help="Start from this preset, a name or a file.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PARAMETER=VALUE", help="Set a parameter; may be given several times."),
    ] = None,
    window: Annotated[
        bool, typer.Option("--window", help="Open the plug-in's window; what you leave is saved.")
    ] = False,
    to: ToOption = None,
    config_file: ConfigOption = None,
) -> None:
    """Save the state of a plug-in as a preset: its default, another preset, what you set or turn."""
    parameters = dict(_setting(text) for text in settings or ())
    effect = _effect(plugin=plugin, component=component, preset=preset, parameters=parameters)
    config = config_from(config_file)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / f"state{SUFFIX}"
        found = _look(effect, config, state=state, has_window=window)
        data = state.read_bytes()
    VstPreset.from_bytes(data, f"what {plugin} saved")
    title = f"{safe_name(name or 'stembridge')}{SUFFIX}"
    file = PresetFile(f"{safe_name(found.plugin.vendor)}/{safe_name(found.plugin.name)}/{title}", data)
    root = to or presets_root()
    placed = place([file], root)
    if not placed.written:
        typer.echo(f"{found.plugin.name} has a preset with exactly this state already; nothing was written.")
        return
    (path,) = placed.written
    typer.echo(f"{found.plugin.name} {found.plugin.version} is saved as {shown(str(path))}")
    typer.echo("In a chain of yours:")
    typer.echo(f"  {_in_a_chain(effect, path, root, config)}")


def _effect(**fields: Any) -> Vst3:
    return parse_value(Vst3, fields, "The command")


def _look(effect: Vst3, config: Config, *, state: Path | None = None, has_window: bool = False) -> Looked:
    from bridge.engines.vst3 import PluginHost, setup_of
    from bridge.engines.vst3.words import Look

    if has_window:
        tell_error("The plug-in's window opens; close it when it sounds right.")
    with PluginHost(config.vst3) as host:
        return host.look(Look(setup=setup_of(effect, config.vst3), state=state, has_window=has_window))


def _print_parameters(found: Looked) -> None:
    typer.echo(f"{found.plugin.name} {found.plugin.version} by {found.plugin.vendor}:")
    widest = max((len(parameter.name) for parameter in found.parameters), default=0)
    for parameter in found.parameters:
        typer.echo(shown(f"  {parameter.name.ljust(widest)}  {parameter.words}"))


def _in_a_chain(effect: Vst3, path: Path, root: Path, config: Config) -> str:
    """The effect that sounds as captured: by the preset's name where that is found, else by its path."""
    from bridge.engines.vst3 import find_plugin

    title = effect.component or find_plugin(effect.plugin, config.vst3).name
    is_found = root == presets_root() and named_preset(path.stem, title) == path
    chosen = effect.evolve(preset=path.stem if is_found else str(path.resolve()), parameters={})
    fields = {"kind": "vst3"} | chosen.model_dump(include={"plugin", "component", "preset"})
    words = ", ".join(f"{key} = {_quoted(value)}" for key, value in fields.items() if value)
    return f"{{{words}}}"


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _setting(text: str) -> tuple[str, bool | float | str]:
    """A parameter and its value: a number, on or off, or one of the plug-in's own words."""
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (name and sign and value):
        raise InputError(f'Found --set {text!r}; wanted PARAMETER=VALUE, such as "Threshold=-20".')
    switches: dict[str, bool] = {"on": True, "true": True, "off": False, "false": False}
    if value.lower() in switches:
        return name, switches[value.lower()]
    with suppress(ValueError):
        if math.isfinite(number := float(value)):
            return name, number
    return name, value


def _counted(number: int) -> str:
    return f"{number} preset" + "s" * (number != 1)

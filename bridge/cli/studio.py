"""``--studio``: the best separation, with all that it needs fetched first."""

from __future__ import annotations

import contextlib

from bridge.cli.console import shown, tell_error
from bridge.cli.engines import install_told, megabytes
from bridge.cli.models import pull_told
from bridge.config import Config
from bridge.errors import RegistryError, StembridgeError

ENGINE, SEPARATOR = "demucs", "htdemucs_ft"


def studio_config(config: Config) -> Config:
    """The settings with Demucs first, after it was installed and its weights fetched.

    What cannot be had is told: the next separator of the settings does it then, and the report says so.
    """
    from rich.markup import escape

    engines = (SEPARATOR, *(name for name in config.separate.engines if name != SEPARATOR))
    studio = config.evolve(separate=config.separate.evolve(engines=engines))
    try:
        _fetch(studio)
    except StembridgeError as fault:
        tell_error(f"[yellow]Demucs cannot be had:[/] {escape(shown(fault.message))}")
        tell_error(f"It goes on with {_next(engines[1:], studio)} instead; the report says so.")
    return studio


def _fetch(config: Config) -> None:
    from bridge.engines.environments import engine_named, has_weights_of, state_of
    from bridge.weights import weights_named

    engine, weights = engine_named(ENGINE), weights_named(SEPARATOR)
    is_here, has_weights = state_of(engine, config).serves, has_weights_of(engine, config)
    size_mb = (0 if is_here else engine.download_mb["cpu"]) + (0 if has_weights else weights.size_bytes / 1e6)
    if size_mb:
        tell_error(f"Studio needs {megabytes(size_mb)} more, once: a few minutes on a fast line.")
    tell_error("It separates in about one and a half times the song's length on two cores, faster on a GPU.")
    if not is_here:
        install_told(engine, config, device="cpu", say=tell_error)
    if not has_weights:
        pull_told(weights, config, say=tell_error)


def _next(engines: tuple[str, ...], config: Config) -> str:
    """The first separator that can be used."""
    from bridge.stages.choosing import make, missing

    for name in engines:
        with contextlib.suppress(RegistryError):
            if not missing(make("bridge.separators", name, config)):
                return name
    return "no separator at all"

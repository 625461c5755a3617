"""Plug-ins for tests: real ones, and real ones that misbehave, made where there is a compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from bridge.config import Vst3Settings, load_config
from bridge.engines.vst3 import find_plugin
from bridge.errors import EngineError


def settings_with(**changes: object) -> Vst3Settings:
    return load_config(overrides={"vst3": changes}).vst3


@cache
def real_plugin(name: str = "ZamCompX2") -> Path:
    """A plug-in of zam-plugins; skips where it is not installed."""
    try:
        return find_plugin(name, settings_with()).path
    except EngineError:
        pytest.skip("zam-plugins not installed: apt-get install zam-plugins")


def misbehaving(folder: Path, how: str, *, at_once: bool = False, name: str = "") -> str:
    """Puts a plug-in into ``folder`` that does ``how`` after some blocks, or while it is loaded; its name.

    Whatever ``name`` it has, it is a compressor at heart.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler: apt-get install gcc libc6-dev")
    (library,) = real_plugin().rglob("*.so")
    name = name or f"Bad{how.title().replace('_', '')}"
    place = folder / f"{name}.vst3/Contents" / library.parent.name
    place.mkdir(parents=True)
    source = Path(__file__).with_name("misbehave.c")
    words = [f"-DHOW={how}", f"-DAT_ONCE={int(at_once)}", f'-DREAL="{library}"', "-O1", "-shared", "-fPIC"]
    command = [compiler, *words, "-o", str(place / f"{name}.so"), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return name

"""Settings, a song to process, and real plug-ins that misbehave, made where there is a compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bridge.audio import Audio, write_audio
from bridge.config import Vst3Settings, load_config
from bridge.engines.vst3 import find_plugin
from bridge.errors import EngineError
from tests.dsp.signals import RATE_HZ, drums

Misbehaving = Callable[..., str]
"""Makes a plug-in that does ``how`` after some blocks, or ``at_once``; its name."""


def settings_with(**changes: object) -> Vst3Settings:
    return load_config(overrides={"vst3": changes}).vst3


@cache
def real_plugin(name: str = "ZamCompX2") -> Path:
    """A plug-in of zam-plugins; skips where it is not installed."""
    try:
        return find_plugin(name, settings_with()).path
    except EngineError:
        pytest.skip("zam-plugins not installed: apt-get install zam-plugins")


@pytest.fixture
def settings(tmp_path: Path) -> Vst3Settings:
    """The shipped settings, and a folder of the test's own."""
    return settings_with(folders=[str(tmp_path / "vst3")])


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Two seconds of stereo drums."""
    path = tmp_path / "song.wav"
    write_audio(path, Audio(samples=drums(2.0), rate_hz=RATE_HZ))
    return path


@pytest.fixture
def misbehaving(tmp_path: Path) -> Misbehaving:
    """Bundles in the folder that ``settings`` names."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler: apt-get install gcc libc6-dev")
    (library,) = real_plugin().rglob("*.so")

    def make(how: str, *, at_once: bool = False) -> str:
        name = f"Bad{how.title().replace('_', '')}"
        folder = tmp_path / "vst3" / f"{name}.vst3/Contents" / library.parent.name
        folder.mkdir(parents=True)
        source = Path(__file__).with_name("misbehave.c")
        words = [f"-DHOW={how}", f"-DAT_ONCE={int(at_once)}", f'-DREAL="{library}"']
        command = [compiler, "-shared", "-fPIC", "-O1", *words, "-o", str(folder / f"{name}.so"), str(source)]
        subprocess.run([*command, "-ldl"], check=True, capture_output=True, timeout=60)
        return name

    return make

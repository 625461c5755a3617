"""Plug-ins that crash, hang, flood or give no audio: it is told whose fault it was, and soon."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bridge.audio import read_audio
from bridge.engines.vst3 import render_effect
from bridge.errors import EngineError, JobCancelled
from presets import Vst3
from tests.dsp.signals import difference_db
from tests.engines.vst3.plugins import misbehaving, settings_with

QUICK = {"stall_s": 2.0, "load_s": 5.0, "memory_gb": 0.6}


def render(name: str, song: Path) -> None:
    settings = settings_with(folders=[str(song.parent / "vst3")], **QUICK)
    target, state = song.with_name("out.wav"), song.with_name("state.vstpreset")
    render_effect(Vst3(plugin=name), song, target, settings, state=state)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("CRASH", "crashed (SIGSEGV) while it worked"),
        ("HANG", "took more than 2 s for a moment of audio"),
        ("EXIT", "ended its process (exit 3) while it worked"),
        ("GREEDY", "GB of memory"),
        ("NOT_A_NUMBER", "samples that are no numbers"),
        ("SHORT_OF_AUDIO", "frames back; no effect needs that"),
        ("MISTIMED", "gave its sound 4800 samples too early"),
        ("LOUD", "dB louder than it got"),
        ("MUTE", "dB quieter than it got"),
        ("FORGETFUL", "crashed (SIGSEGV) while it worked"),
        ("DESERTER", "crashed (SIGSEGV) while it worked"),
    ],
)
def test_the_plug_in_is_blamed(how: str, told: str, song: Path) -> None:
    """By its name, with what it did and when; nothing half written looks like a result."""
    name = misbehaving(song.parent / "vst3", how)
    with pytest.raises(EngineError) as caught:
        render(name, song)
    assert told in caught.value.message
    assert name in caught.value.message
    assert not song.with_name("out.wav").exists()
    assert not psutil.Process().children()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("CRASH", "crashed (SIGSEGV) while it was loaded"),
        ("HANG", "took more than 5 s to be loaded"),
        ("EXIT", "ended its process (exit 3) while it was loaded"),
    ],
)
def test_faults_while_loading(how: str, told: str, song: Path) -> None:
    """Before any audio: a licence window nobody sees, a missing library, a crash."""
    name = misbehaving(song.parent / "vst3", how, at_once=True)
    with pytest.raises(EngineError) as caught:
        render(name, song)
    assert told in caught.value.message


def test_one_that_hangs_can_be_cancelled(song: Path) -> None:
    """At once, and not when its time is up."""
    name = misbehaving(song.parent / "vst3", "HANG", at_once=True)
    settings = settings_with(folders=[str(song.parent / "vst3")])
    asked = iter([False] * 20)

    def cancel(_share: float) -> None:
        if next(asked, True):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        render_effect(Vst3(plugin=name), song, song.with_name("out.wav"), settings, progress=cancel)
    assert not psutil.Process().children()


def test_a_flood_of_words_harms_nothing(song: Path) -> None:
    """Hundreds of megabytes on both outputs, where we talk to each other, too: the audio is whole."""
    name = misbehaving(song.parent / "vst3", "FLOOD")
    before = psutil.Process().memory_info().rss
    render(name, song)
    assert psutil.Process().memory_info().rss - before < 50e6
    flooded = read_audio(song.with_name("out.wav")).samples
    render("ZamCompX2", song)
    assert difference_db(flooded, read_audio(song.with_name("out.wav")).samples) < -120


def test_what_a_plug_in_started_holds_nobody_up(song: Path) -> None:
    """A licence helper that keeps the plug-in's outputs open: the audio is there before it has ended."""
    name = misbehaving(song.parent / "vst3", "HELPER")
    start_s = time.monotonic()
    render(name, song)
    assert time.monotonic() - start_s < 10
    assert song.with_name("out.wav").exists()


def test_nothing_outlives_its_parent(song: Path) -> None:
    """The parent is killed while a plug-in hangs in native code: the host process goes, too."""
    name = misbehaving(song.parent / "vst3", "HANG")
    script = (
        "import sys; from pathlib import Path; from bridge.config import load_config; "
        "from bridge.engines.vst3 import render_effect; from presets import Vst3; "
        "settings = load_config(overrides={'vst3': {'folders': [sys.argv[2]]}}).vst3; "
        "source = Path(sys.argv[3]); print('ready', flush=True); "
        "render_effect(Vst3(plugin=sys.argv[1]), source, source.with_name('out.wav'), settings)"
    )
    command = [sys.executable, "-c", script, name, str(song.parent / "vst3"), str(song)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        parent.stdout.readline()
        host = _first_child(psutil.Process(parent.pid))
        parent.kill()
        parent.wait()
        host.wait(timeout=30)
    finally:
        parent.kill()
        parent.stdout.close()  # type: ignore[union-attr]


def _first_child(process: psutil.Process) -> psutil.Process:
    for _ in range(200):
        if process.children():
            return process.children()[0]
        psutil.wait_procs([], timeout=0.05)
        process.cpu_percent(interval=0.05)
    raise AssertionError("no host process was started")

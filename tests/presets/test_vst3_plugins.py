"""The written files in the real plug-ins: a fresh instance sounds as one that was set by hand.

Needs zam-plugins (Debian, Ubuntu: apt-get install zam-plugins; others: github.com/zamaudio/zam-plugins).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from presets import (
    Chain,
    Compressor,
    Gate,
    Library,
    Limiter,
    Multiband,
    MultibandBand,
    PluginPreset,
    VstPreset,
    map_chain,
)
from presets.dpf import read_state
from presets.plugins import plugins
from presets.styles import styles as style_names

RATE_HZ = 48_000
Audio = NDArray[np.float32]
FOLDERS = (
    Path("/usr/lib/vst3"),
    Path("/usr/local/lib/vst3"),
    Path.home() / ".vst3",
    Path("/Library/Audio/Plug-Ins/VST3"),
    Path.home() / "Library/Audio/Plug-Ins/VST3",
    Path(os.environ.get("COMMONPROGRAMFILES", "/nowhere")) / "VST3",
)


def installed(name: str) -> Path | None:
    places = [found for folder in FOLDERS for found in (folder / f"{name}.vst3",) if found.exists()]
    return places[0] if places else None


MISSING = [name for name in plugins() if installed(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"zam-plugins not installed ({', '.join(MISSING)}): apt-get install zam-plugins"
)


class Job(NamedTuple):
    plugin: str
    audio: Audio
    preset: bytes = b""
    values: dict[str, float] = {}  # noqa: RUF012 - never changed


class Result(NamedTuple):
    audio: Audio
    preset: bytes
    version: str
    parameters: dict[str, list[float]]

    @property
    def state(self) -> dict[str, float]:
        return read_state(VstPreset.from_bytes(self.preset).chunk("Comp"))


Host = Callable[[Sequence[Job]], list[Result]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Runs jobs in one child process, each in an instance of its own."""

    def run(jobs: Sequence[Job]) -> list[Result]:
        folder = tmp_path_factory.mktemp("host")
        told = [_written(job, folder, number) for number, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(told))
        script = Path(__file__).with_name("vst3_host.py")
        command = [sys.executable, str(script), str(folder / "jobs.json"), str(folder / "results.json")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        results = json.loads((folder / "results.json").read_text())
        return [_read(job, result) for job, result in zip(told, results, strict=True)]

    return run


def _written(job: Job, folder: Path, number: int) -> dict[str, Any]:
    np.save(folder / f"{number}.in.npy", job.audio)
    preset = folder / f"{number}.vstpreset"
    preset.write_bytes(job.preset)
    return {
        "plugin": str(installed(job.plugin)),
        "preset": str(preset) if job.preset else "",
        "values": job.values,
        "input": str(folder / f"{number}.in.npy"),
        "output": str(folder / f"{number}.out.npy"),
    }


def _read(job: dict[str, Any], result: dict[str, Any]) -> Result:
    audio = np.load(job["output"])
    return Result(audio, bytes.fromhex(result["state"]), result["version"], result["parameters"])


def drums(seconds: float = 1.0) -> Audio:
    """Decaying noise bursts and thumps over soft noise, the channels different; peaks near full scale."""
    rng = np.random.default_rng(7)
    frames = int(seconds * RATE_HZ)
    time = np.arange(frames) / RATE_HZ
    since_hit = time % 0.25
    thump = np.sin(2 * np.pi * 60 * since_hit) * np.exp(-since_hit * 25)
    crack = rng.normal(0, 0.3, (2, frames)) * np.exp(-since_hit * 40)
    return (0.6 * thump + crack + rng.normal(0, 0.01, (2, frames))).clip(-1, 1).astype(np.float32)


def tone(level_db: float, frequency_hz: float = 1000.0) -> Audio:
    time = np.arange(RATE_HZ) / RATE_HZ
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * time)
    return np.stack([wave, wave]).astype(np.float32)


def gain_db(before: Audio, after: Audio) -> float:
    """Change of the settled second half."""
    half = before.shape[1] // 2
    return float(20 * np.log10(np.std(after[:, half:]) / np.std(before[:, half:])))


def difference_db(a: Audio, b: Audio) -> float:
    """Energy of the difference, relative to ``b``; -300 for none."""
    left = np.sum((a.astype(np.float64) - b) ** 2) / np.sum(b.astype(np.float64) ** 2)
    return float(10 * np.log10(left)) if left else -300.0


def mapped(*effects: Any) -> list[PluginPreset]:
    return list(map_chain(Chain(name="x", role="bass", effects=effects)).presets)


def library_presets(styles: Sequence[str]) -> list[PluginPreset]:
    """Every different preset of the shipped chains of ``styles``; a gate, a limiter and a busy multiband."""
    extra = mapped(
        Gate(threshold_db=-20, range_db=-18, attack_ms=0.5, release_ms=60),
        Limiter(gain_db=4.0, ceiling_dbtp=-1.0, release_ms=40),
        Multiband(
            low=MultibandBand(threshold_db=-30, ratio=3, knee_db=8, makeup_db=-1.5),
            mid=MultibandBand(threshold_db=-25, ratio=2, makeup_db=1),
            high=MultibandBand(ratio=1),
        ),
    )
    chains = [chain for chain in Library().chains() if chain.style in styles]
    shipped = [preset for chain in chains for preset in map_chain(chain).presets]
    return list({preset.to_vstpreset().to_bytes(): preset for preset in [*shipped, *extra]}.values())


def set_by_hand(preset: PluginPreset, audio: Audio) -> Job:
    return Job(preset.plugin.name, audio, values={value.title: value.value for value in preset.values})


def loaded(preset: PluginPreset, audio: Audio) -> Job:
    return Job(preset.plugin.name, audio, preset=preset.to_vstpreset().to_bytes())


@pytest.mark.parametrize(
    "styles",
    [
        pytest.param(["neutral"], id="neutral chains"),
        pytest.param([*style_names(), "voiceover-bed"], id="all chains", marks=pytest.mark.slow),
    ],
)
def test_loaded_files_sound_as_set_by_hand(host: Host, styles: list[str]) -> None:
    """Every written preset: audio within -80 dB, the same state, and saved again the same file."""
    audio, found = drums(), library_presets(styles)
    assert {preset.plugin.name for preset in found} == set(plugins())
    results = host([job for preset in found for job in (loaded(preset, audio), set_by_hand(preset, audio))])
    for preset, from_file, by_hand in zip(found, results[::2], results[1::2], strict=True):
        assert difference_db(from_file.audio, by_hand.audio) <= -80
        assert from_file.preset == preset.to_vstpreset().to_bytes()
        assert list(from_file.state) == list(by_hand.state)
        assert list(from_file.state.values()) == pytest.approx(
            list(by_hand.state.values()), rel=1e-5, abs=1e-4
        )


def test_presets_change_the_sound(host: Host) -> None:
    """The comparison means something: a file that was not read would differ from these by far."""
    audio = drums()
    found = mapped(
        Compressor(threshold_db=-30, ratio=4),
        Multiband(low=MultibandBand(threshold_db=-40, ratio=4)),
        Limiter(gain_db=6),
        Gate(threshold_db=-15, range_db=-30, release_ms=20),
    )
    results = host(
        [job for preset in found for job in (loaded(preset, audio), Job(preset.plugin.name, audio))]
    )
    for from_file, default in zip(results[::2], results[1::2], strict=True):
        assert difference_db(from_file.audio, default.audio) > -30


def test_the_parameter_tables_are_the_plug_ins_own(host: Host) -> None:
    """Class id, symbols in their order, titles, ranges and defaults, as the installed plug-ins tell them."""
    for known, result in zip(
        plugins().values(), host([Job(name, drums(0.1)) for name in plugins()]), strict=True
    ):
        if result.version != known.version:
            pytest.skip(
                f"{known.name} {result.version} is installed; the tables were read from {known.version}"
            )
        assert VstPreset.from_bytes(result.preset).class_id == known.class_id
        assert result.state == {p.symbol: pytest.approx(p.default, abs=1e-4) for p in known.parameters}
        assert list(result.state) == [p.symbol for p in known.parameters]
        for parameter in known.parameters:
            low, high, default = result.parameters[parameter.title]
            found, wanted = (low, high, default), (parameter.low, parameter.high, parameter.default)
            assert found == pytest.approx(wanted, abs=1e-3), parameter.title


def test_a_compressor_turns_down_by_its_curve(host: Host) -> None:
    """A tone 16 dB over the plug-in's threshold at 4:1 loses 12 dB, less the droop between the crests."""
    (preset,) = mapped(Compressor(threshold_db=-15, ratio=4, attack_ms=5, release_ms=400, knee_db=0))
    audio = tone(-4)
    (result,) = host([loaded(preset, audio)])
    assert gain_db(audio, result.audio) == pytest.approx(-12, abs=1.0)


def test_a_compressor_keeps_the_image(host: Host) -> None:
    """A loud left turns the right down by as much."""
    (preset,) = mapped(Compressor(threshold_db=-20, ratio=4, knee_db=0))
    audio = np.stack([tone(0)[0], tone(-30)[0]])
    (result,) = host([loaded(preset, audio)])
    left, right = (gain_db(audio[[side]], result.audio[[side]]) for side in (0, 1))
    assert left < -6
    assert right == pytest.approx(left, abs=0.01)


def test_a_multibands_bands_and_trim(host: Host) -> None:
    """Makeups of -3, +3 and 0 dB: each range comes out at its own gain, as far as its soft slopes allow."""
    gains = (-3.0, 3.0, 0.0)
    bands = [MultibandBand(ratio=1.0, makeup_db=gain) for gain in gains]
    effect = Multiband(
        low_crossover_hz=200, high_crossover_hz=4000, low=bands[0], mid=bands[1], high=bands[2]
    )
    (preset,) = mapped(effect)
    tones = [tone(-20, frequency) for frequency in (50.0, 900.0, 12_000.0)]
    results = host([loaded(preset, audio) for audio in tones])
    found = [gain_db(audio, result.audio) for audio, result in zip(tones, results, strict=True)]
    assert found == pytest.approx(gains, abs=0.4)


def test_a_limiters_gain_and_ceiling(host: Host) -> None:
    """Quiet material comes up by the gain; loud material stays at the ceiling, sample for sample."""
    (preset,) = mapped(Limiter(gain_db=4.0, ceiling_dbtp=-1.0, release_ms=50))
    quiet, loud = tone(-30), drums()
    results = host([loaded(preset, quiet), loaded(preset, loud)])
    assert gain_db(quiet, results[0].audio) == pytest.approx(4.0, abs=0.05)
    assert np.max(np.abs(results[1].audio)) <= 10 ** (-1.0 / 20) + 1e-4


def test_a_gate_closes_to_its_range(host: Host) -> None:
    """Below the threshold -12 dB, above it untouched."""
    (preset,) = mapped(Gate(threshold_db=-40, range_db=-12, attack_ms=1, release_ms=50))
    quiet, loud = tone(-50), tone(-20)
    results = host([loaded(preset, quiet), loaded(preset, loud)])
    assert gain_db(quiet, results[0].audio) == pytest.approx(-12, abs=0.2)
    assert gain_db(loud, results[1].audio) == pytest.approx(0, abs=0.05)

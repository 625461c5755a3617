"""Which device and precision keep their word here: found out with a tiny network whose answer is stored.

Devices half support what a network needs: some raise, others give wrong numbers. So each has to give the
stored answer before a song is trusted to it; ``golden.py`` makes the network, and made the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .golden import STEP, golden_input, golden_network

FULL_DB = 80.0
"""How near float32 has to come to the stored answer; it comes to about 110 dB."""
REDUCED_DB = 60.0
"""And less precise numbers."""
SMALLEST_SHARE = Fraction(1, 4)
"""Of a segment; shorter ones know too little of the song, so the CPU takes over."""
REDUCED = {"cpu": torch.bfloat16, "cuda": torch.float16, "mps": torch.float16}
NAMES = {torch.bfloat16: "bf16", torch.float16: "fp16"}


@dataclass(frozen=True)
class Choice:
    """On what, and how, the networks run."""

    device: str
    precision: str = "fp32"
    """"fp32"; or "bf16" or "fp16" for the cross-transformer alone."""
    segment_share: Fraction = Fraction(1)
    notes: tuple[str, ...] = ()
    """Why nothing faster was chosen."""


@cache
def choose(device: str, precision: str) -> Choice:
    """The first device of cuda, mps and cpu that gives the stored answer, or the one that was named.

    A named one that does not is passed over like any other: better slow than wrong.
    """
    torch.backends.cudnn.allow_tf32 = False
    notes: list[str] = []
    for name in _devices(device, notes):
        fault = _fault_of(Choice(name), FULL_DB)
        if fault and name != "cpu":
            notes.append(f"{name} is not used: {fault}.")
            continue
        if fault:
            raise RuntimeError(f"the network gives wrong numbers on this machine's CPU: {fault}")
        return _with_precision(Choice(name, notes=tuple(notes)), precision)
    raise AssertionError("the CPU is always there")


def lesser(choice: Choice, fault: BaseException) -> Choice:
    """What to try after memory ran out: half the segment, at last the CPU; ``fault`` where all was tried."""
    if choice.device == "cpu":
        raise fault
    if choice.device == "cuda":
        torch.cuda.empty_cache()
    half = choice.segment_share / 2
    if half >= SMALLEST_SHARE:
        note = f"{choice.device} ran out of memory; segments of {float(half):g} of their length were used."
        return replace(choice, segment_share=half, notes=(*choice.notes, note))
    note = f"{choice.device} ran out of memory even with short segments; the CPU was used."
    return replace(choose("cpu", "auto"), notes=(*choice.notes, note))


def is_out_of_memory(fault: RuntimeError) -> bool:
    """Whether a device had no room; on the CPU that is a MemoryError, or the end of the process."""
    return isinstance(fault, torch.cuda.OutOfMemoryError) or "out of memory" in str(fault).lower()


def prepared(network: nn.Module, choice: Choice) -> nn.Module:
    """The network on its device, its cross-transformer in the precision that was chosen."""
    reduced = {NAMES[kind]: kind for kind in REDUCED.values()}.get(choice.precision)
    if reduced is not None and getattr(network, "crosstransformer", None) is not None:
        network.crosstransformer = _Reduced(network.crosstransformer, choice.device, reduced)
    if choice.segment_share != 1 and hasattr(network, "use_train_segment"):
        network.use_train_segment = False
    return network.to(choice.device)


def infer_with(choice: Choice) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    """How a network is run there."""
    return lambda network, samples: network(samples.to(choice.device))


class _Reduced(nn.Module):  # type: ignore[misc]
    """Runs the cross-transformer, three fifths of the work, in less precise numbers."""

    def __init__(self, inner: nn.Module, device: str, kind: torch.dtype) -> None:
        super().__init__()
        self.inner, self.device, self.kind = inner, device, kind

    def forward(self, spectrum: torch.Tensor, wave: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(self.device, self.kind), self._attention():
            spectrum, wave = self.inner(spectrum, wave)
        return spectrum.float(), wave.float()

    def _attention(self) -> AbstractContextManager[None]:
        """On processors plain matrix products are faster here than the kernel that saves memory."""
        if self.device != "cpu":
            return nullcontext()
        from torch.nn.attention import SDPBackend, sdpa_kernel  # not in the last torch for Intel Macs

        kept: AbstractContextManager[None] = sdpa_kernel(SDPBackend.MATH)
        return kept


def _devices(wanted: str, notes: list[str]) -> Iterator[str]:
    for name, is_there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if wanted in ("auto", name) and is_there:
            yield name
        elif wanted == name:
            notes.append(f"{name} is not there.")
    yield "cpu"


def _with_precision(choice: Choice, wanted: str) -> Choice:
    if wanted == "fp32" or (choice.device == "cpu" and not _has_fast_bf16()):
        return choice
    reduced = replace(choice, precision=NAMES[REDUCED[choice.device]])
    fault = _fault_of(reduced, REDUCED_DB)
    if not fault:
        return reduced
    return replace(
        choice, notes=(*choice.notes, f"{reduced.precision} is not used on {choice.device}: {fault}.")
    )


def _has_fast_bf16() -> bool:
    """Whether the processor computes with bf16; one that does not is slower with it."""
    cpu: Any = torch.cpu
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(cpu, name, lambda: False)() for name in names)


def _fault_of(choice: Choice, wanted_db: float) -> str:
    """What is wrong with a device; "" where it gives the stored answer."""
    try:
        found_db = _snr_db(_answer(choice))
    except (RuntimeError, NotImplementedError, TypeError) as fault:
        return f"it cannot run the network ({str(fault).splitlines()[0][:200]})"
    if not found_db >= wanted_db:
        return f"its numbers are {found_db:.0f} dB from right; wanted {wanted_db:g}"
    return ""


def _answer(choice: Choice) -> NDArray[np.float64]:
    network = prepared(golden_network(), choice)
    with torch.inference_mode():
        out = infer_with(choice)(network, golden_input())
    return np.asarray(out[0, :, :, ::STEP].cpu().numpy(), np.float64)


def _snr_db(found: NDArray[np.float64]) -> float:
    wanted = np.load(Path(__file__).with_name("golden.npy")).astype(np.float64)
    error = float(np.square(found - wanted).sum())
    return float(10 * np.log10(np.square(wanted).sum() / max(error, 1e-30)))

"""DeepFilterNet3 as an ONNX file with its whole state as inputs and outputs, run piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.engines.deepfilternet.features import BINS, DF_BINS, ERB_BANDS, Features, Spectra
from bridge.errors import EngineError

LOOKAHEAD = 2
"""Frames that the network hears after the one that it makes."""
AROUND = 4
"""Frames around it, two on either side, out of which one is filtered."""

Tensor = NDArray[np.float32]

_STATE: Mapping[str, tuple[int | None, ...]] = {
    "h_enc": (1, None, 256),
    "h_erb": (2, None, 256),
    "h_df": (2, None, 256),
    "b_erb": (None, 1, 2, ERB_BANDS),
    "b_df": (None, 2, 2, DF_BINS),
    "b_c0": (None, 64, 4, DF_BINS),
}
"""What is carried from call to call; None is the number of channels. The output is called NAME_out."""
_HEARD: Mapping[str, tuple[int | None, ...]] = {
    "spec": (None, None, BINS, 2),
    "feat_erb": (None, 1, None, ERB_BANDS),
    "feat_spec": (None, 2, None, DF_BINS),
}
_MADE = "spec_e"
_HOW = (
    "Take another file, or make this one again: stembridge models remove deepfilternet3, then "
    "stembridge models pull deepfilternet3"
)


class Network:
    """The network, loaded; it may serve several streams at once.

    Raises EngineError where the file is missing, damaged or another network.
    """

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        self.model = model
        self._session = _session(model, threads)
        _expect_interface(self._session, model)

    def first_state(self, channels: int) -> dict[str, Tensor]:
        """What is carried into a stream's first call."""
        return {
            name: np.zeros([channels if size is None else size for size in shape], np.float32)
            for name, shape in _STATE.items()
        }

    def __call__(
        self, spectra: Spectra, features: Features, state: Mapping[str, Tensor]
    ) -> tuple[Spectra, dict[str, Tensor]]:
        """The cleaned spectra of some frames, and the state to carry on.

        ``spectra`` are those of the frames and of two on either side, ``features`` those of LOOKAHEAD frames
        later. Raises EngineError where the network fails or gives what is no number.
        """
        heard = {
            "spec": _pairs(spectra),
            "feat_erb": features.erb[:, None].astype(np.float32),
            "feat_spec": np.moveaxis(_pairs(features.low), 3, 1),
        }
        names = [_MADE, *(f"{name}_out" for name in _STATE)]
        made, *carried = self._run(names, heard | dict(state))
        frames = spectra.shape[1] - AROUND
        if made.shape != (len(spectra), frames, BINS, 2) or not np.isfinite(made).all():
            raise EngineError(
                f"{self.model} gave {_seen(made)}; wanted finite numbers of shape "
                f"({len(spectra)}, {frames}, {BINS}, 2). {_HOW}"
            )
        wide = made.astype(np.float64)
        return wide[..., 0] + 1j * wide[..., 1], dict(zip(_STATE, carried, strict=True))

    def _run(self, names: list[str], heard: Mapping[str, Tensor]) -> list[Tensor]:
        try:
            return list(self._session.run(names, dict(heard)))
        except Exception as cause:  # whatever ONNX Runtime raises: its classes have no common root
            raise EngineError(f"{self.model} failed at work: {_first_line(cause)} {_HOW}") from cause


def lack_of(model: Path) -> str:
    """What to do where the network's file is missing; "" where it is there."""
    if model.is_file():
        return ""
    return (
        f"DeepFilterNet's network is not at {model}. Get it: stembridge engines install deepfilternet, and "
        "stembridge models pull deepfilternet3. Or name an ONNX file as 'deepfilternet.model' in the "
        "settings."
    )


def _session(model: Path, threads: int) -> Any:
    if lack := lack_of(model):
        raise EngineError(lack)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and told once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # as above
        raise EngineError(f"{model} is no network that can be loaded: {_first_line(cause)} {_HOW}") from cause


def _expect_interface(session: Any, model: Path) -> None:
    """Names and shapes tell DeepFilterNet3 with explicit state from any other network."""
    found = {item.name: item.shape for item in session.get_inputs() if item.type == "tensor(float)"}
    wanted = {**_HEARD, **_STATE}
    made = {item.name for item in session.get_outputs()}
    missing = ({_MADE} | {f"{name}_out" for name in _STATE}) - made
    wrong = {name for name, shape in wanted.items() if not _fits(found.get(name), shape)}
    foreign = found.keys() - wanted
    faults = sorted(missing | wrong | foreign)
    if faults:
        raise EngineError(
            f"{model} is another network than DeepFilterNet3 with explicit state: missing, unknown or of "
            f"another shape: {', '.join(faults)}. {_HOW}"
        )


def _fits(found: Any, wanted: tuple[int | None, ...]) -> bool:
    if found is None or len(found) != len(wanted):
        return False
    return all(
        want is None or not isinstance(have, int) or have == want
        for have, want in zip(found, wanted, strict=True)
    )


def _pairs(values: Spectra) -> Tensor:
    """Complex numbers as pairs of real and imaginary part along a last axis."""
    return np.stack([values.real, values.imag], axis=-1).astype(np.float32)


def _seen(made: Tensor) -> str:
    kind = "numbers" if np.isfinite(made).all() else "values that are no numbers (NaN or infinity)"
    return f"{kind} of shape {made.shape}"


def _first_line(cause: Exception) -> str:
    return str(cause).strip().partition("\n")[0] or type(cause).__name__

"""Loads DeepFilterNet3 with its own package, in spite of what that package assumes."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEPT_VARIABLES = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")
WANTED = {
    "sr": 48_000,
    "fft_size": 960,
    "hop_size": 480,
    "nb_erb": 32,
    "nb_df": 96,
    "min_nb_freqs": 2,
    "df_order": 5,
    "df_lookahead": 2,
    "conv_lookahead": 2,
    "conv_ch": 64,
    "conv_kernel_inp": [3, 3],
    "df_pathway_kernel_size_t": 5,
    "emb_hidden_dim": 256,
    "emb_num_layers": 3,
    "df_hidden_dim": 256,
    "df_num_layers": 2,
    "lsnr_dropout": False,
    "mask_pf": False,
}
"""What the stream in the base is made for."""


class CheckpointError(Exception):
    """The checkpoint is not DeepFilterNet3's."""

    is_told = True


@contextlib.contextmanager
def folder_of(place: Path) -> Iterator[Path]:
    """The folder that holds config.ini; a zip is unpacked into a temporary one."""
    if place.is_dir():
        yield _with_config(place, place)
        return
    if not zipfile.is_zipfile(place):
        raise CheckpointError(f"{place} is neither a folder nor a zip; wanted DeepFilterNet3's checkpoint.")
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(place) as packed:
        packed.extractall(temporary)
        yield _with_config(Path(temporary), place)


def _with_config(folder: Path, place: Path) -> Path:
    found = sorted(folder.glob("config.ini")) + sorted(folder.glob("*/config.ini"))
    if not found:
        raise CheckpointError(f"{place} holds no config.ini; wanted config.ini and checkpoints/ beside it.")
    if not list(found[0].parent.glob("checkpoints/model*.ckpt*")):
        # the package would end the process
        raise CheckpointError(f"{place} holds no checkpoints/model_*.ckpt.best beside its config.ini.")
    return found[0].parent.absolute()


def loaded(folder: Path) -> tuple[Any, Any]:
    """The network and libdf's state."""
    _forget_variables()
    _stand_in_for_torchaudio()
    from df.enhance import init_df
    from df.model import ModelParams

    model, state, _ = init_df(str(folder), log_level="ERROR", log_file=None)
    params = ModelParams()
    others = [name for name, value in WANTED.items() if getattr(params, name) != value]
    if others:
        raise CheckpointError(f"The checkpoint is not DeepFilterNet3's: it has another {', '.join(others)}.")
    return model.eval(), state


def _forget_variables() -> None:
    """Variables that are called like a setting (SR, DEVICE) would override config.ini."""
    for name in list(os.environ):
        if name not in KEPT_VARIABLES:
            del os.environ[name]
    os.environ["DEVICE"] = "cpu"


def _stand_in_for_torchaudio() -> None:
    """The package imports names that torchaudio 2.9 took away, for reading and resampling files alone."""
    with contextlib.suppress(Exception):  # whatever a wheel for another torch raises
        importlib.import_module("torchaudio.functional")
        importlib.import_module("torchaudio.backend.common")
        return
    names = ("torchaudio", "torchaudio.backend", "torchaudio.backend.common", "torchaudio.functional")
    made: list[Any] = [types.ModuleType(name) for name in names]
    made[2].AudioMetaData = object
    made[3].resample = _no_resampling
    sys.modules.update(zip(names, made, strict=True))


def _no_resampling(*_: Any, **__: Any) -> None:
    raise CheckpointError("Nothing is resampled here; wanted audio at 48 kHz.")

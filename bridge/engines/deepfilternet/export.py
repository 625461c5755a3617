"""Makes the network's ONNX file from its package's checkpoint, once, and takes it if it does the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from bridge.config import Config
from bridge.engines.apart import EngineHost, Start
from bridge.engines.deepfilternet.enhancer import MODEL_FILE, WEIGHTS, model_path
from bridge.engines.deepfilternet.features import Wide
from bridge.engines.deepfilternet.network import Network
from bridge.engines.deepfilternet.stream import CleaningStream
from bridge.engines.environments import engine_named, python_of, state_of
from bridge.errors import EngineError
from bridge.protocols import Progress, no_progress
from bridge.weights import WeightsFolder, weights_named

EXPORTER = Path(__file__).with_name("exporter")
MOST_DIFFERENCE = 1e-5
"""Between what the package makes of a sample and what our stream makes of it with the new file."""


def make_missing_model(config: Config, progress: Progress = no_progress) -> Path | None:
    """Make the file where it is missing and the environment and the published checkpoint are here.

    None where there is nothing to make, or not yet what it is made with. Raises WeightsError where the
    checkpoint is not as published, and EngineError as ``export_model`` does.
    """
    weights, folder = weights_named(WEIGHTS), WeightsFolder(config.weights_folder)
    engine = engine_named("deepfilternet")
    has_checkpoint = all(folder.form_here(weights, part) for part in weights.parts)
    if model_path(config).is_file() or not has_checkpoint or not state_of(engine, config).serves:
        return None
    [checkpoint] = folder.require(weights).values()
    return export_model(python_of(engine.name, config), checkpoint, config, progress)


def export_model(python: Path, checkpoint: Path, config: Config, progress: Progress = no_progress) -> Path:
    """Make the file of ``checkpoint`` in the weights' folder, and give its path.

    Args:
        python: the interpreter of an environment that has torch, onnx and DeepFilterNet's package.
        checkpoint: DeepFilterNet3's folder (config.ini, checkpoints) or the zip that is published.
        config: where weights lie, and how long an engine may be silent.
        progress: called with the share done; it may raise.

    Raises:
        EngineError: the package cannot load it, or the file does not do what the package does; an older
            file is left as it was.
    """
    target = config.weights_folder / WEIGHTS / MODEL_FILE
    start = Start(
        name="DeepFilterNet's export",
        python=python,
        folder=EXPORTER,
        threads=config.deepfilternet.threads,
        settings=config.engines,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".export") as place,
            EngineHost(start) as host,
        ):
            made = _made(host, checkpoint, Path(place), progress)
            made.replace(target)
    except OSError as cause:
        raise EngineError(
            f"{target} could not be written: {cause}. It wants 10 MB of room and the right to write there."
        ) from cause
    return target


def _made(host: EngineHost, checkpoint: Path, place: Path, progress: Progress) -> Path:
    """The file, checked."""
    names = {"target": MODEL_FILE, "heard": "heard.f32", "cleaned": "cleaned.f32"}
    paths = {key: place / name for key, name in names.items()}
    what = {"checkpoint": str(checkpoint.absolute())} | {key: str(path) for key, path in paths.items()}
    answer = host.ask("export", what, lambda share: progress(0.9 * share))
    heard, cleaned = (_raw(paths[key], answer["channels"]) for key in ("heard", "cleaned"))
    off = difference(paths["target"], heard, cleaned)
    if not off < MOST_DIFFERENCE:
        raise EngineError(
            f"The network made from {checkpoint} differs from its package by {off:.1e}; less than "
            f"{MOST_DIFFERENCE:g} is wanted. It was dropped. Another version of torch may do better."
        )
    progress(1.0)
    return paths["target"]


def difference(model: Path, heard: Wide, cleaned: Wide) -> float:
    """The largest between ``cleaned`` and what the stream makes of ``heard``, at 48 kHz."""
    stream = CleaningStream(Network(model), len(heard))
    made = np.concatenate([stream.feed(heard), stream.finish()], axis=1)
    return float(np.abs(made - cleaned).max())


def _raw(path: Path, channels: int) -> Wide:
    return np.fromfile(path, np.float32).reshape(channels, -1).astype(np.float64)

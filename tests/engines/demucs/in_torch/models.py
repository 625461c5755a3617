"""Run by an interpreter that has torch and demucs: tiny models of the real kind, as a local repository.

``python models.py FOLDER`` writes tiny (HTDemucs), tinybag (two of them, weighted) and tinyhd (HDemucs, a
pickle) in the forms in which Demucs publishes its own.
"""

import hashlib
import io
import json
import sys
from fractions import Fraction
from pathlib import Path

import safetensors.torch
import torch
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs

SOURCES = ["drums", "bass", "other", "vocals"]
SMALL = {"sources": SOURCES, "channels": 8, "depth": 4, "t_layers": 1, "t_heads": 2, "samplerate": 44_100}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("aaaa0001", "aaaa0002"), 1):
        torch.manual_seed(seed)
        publish(HTDemucs(**SMALL, segment=Fraction(13, 10)), folder / f"{name}.safetensors")
    torch.manual_seed(3)
    old = HDemucs(sources=SOURCES, channels=8, depth=6, samplerate=44_100, segment=2)
    pickled(old, folder, "bbbb0001")
    (folder / "tiny.yaml").write_text("models: ['aaaa0001']\n")
    weights = "[[1., 0., 0., 0.5], [0., 1., 1., 1.5]]"
    (folder / "tinybag.yaml").write_text(f"models: ['aaaa0001', 'aaaa0002']\nweights: {weights}\n")
    (folder / "tinyhd.yaml").write_text("models: ['bbbb0001']\nsegment: 1.5\n")


def publish(model, path: Path) -> None:
    args, kwargs = model._init_args_kwargs
    about = {
        "klass": f"{type(model).__module__}.{type(model).__name__}",
        "args": json.dumps(args),
        "kwargs": json.dumps(kwargs, default=fraction),
    }
    safetensors.torch.save_file(
        {name: value.half() for name, value in model.state_dict().items()}, path, about
    )


def pickled(model, folder: Path, name: str) -> None:
    args, kwargs = model._init_args_kwargs
    buffer = io.BytesIO()
    state = {key: value.half() for key, value in model.state_dict().items()}
    package = {"klass": type(model), "args": args, "kwargs": kwargs, "training_args": {}, "state": state}
    torch.save(package, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    (folder / f"{name}-{digest}.th").write_bytes(buffer.getvalue())


def fraction(value):
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

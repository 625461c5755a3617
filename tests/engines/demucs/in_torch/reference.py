"""Run by an interpreter that has torch and demucs: what demucs itself makes of a mixture.

``python reference.py REPOSITORY MODEL MIXTURE.npy OUT.npy OVERLAP`` loads by demucs' own code and applies
its own ``apply_model``, normalised as its own command does; OUT has the shape (sources, channels, frames).
"""

import sys
from pathlib import Path

import numpy as np
import torch
import yaml
from demucs.apply import BagOfModels, apply_model
from demucs.hf import load_safetensors_model
from demucs.states import load_model


def main(repository: Path, name: str, mixture: Path, out: Path, overlap: float) -> None:
    torch.set_num_threads(1)
    found = yaml.safe_load((repository / f"{name}.yaml").read_text())
    files = [next(repository.glob(f"{signature}*")) for signature in found["models"]]
    models = [load_safetensors_model(f) if f.suffix == ".safetensors" else load_model(f) for f in files]
    bag = BagOfModels(models, found.get("weights"), found.get("segment"))
    wave = torch.from_numpy(np.load(mixture))
    middle = wave.mean(0)
    mean, deviation = middle.mean(), middle.std() + 1e-8
    stems = apply_model(bag, ((wave - mean) / deviation)[None], shifts=0, split=True, overlap=overlap)
    np.save(out, (stems * deviation)[0].numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), float(sys.argv[5]))

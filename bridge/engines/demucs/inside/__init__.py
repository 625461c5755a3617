"""What runs in Demucs' own interpreter: imports numpy, torch and demucs, and nothing of ``bridge``.

``OPERATIONS`` is what can be asked (bridge/engines/apart/child.py): ``look`` finds the device and precision
that keep their word here, ``separate`` splits a raw file of 44.1 kHz stereo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .devices import choose
from .publish import publish
from .run import separate


def look(what: dict[str, Any], teller: Any) -> dict[str, Any]:
    """Which device and precision will be used, and why not others."""
    from importlib.metadata import version

    choice = choose(what["device"], what["precision"])
    teller.share(1.0)
    return {
        "device": choice.device,
        "precision": choice.precision,
        "notes": list(choice.notes),
        "torch": version("torch"),
        "demucs": version("demucs"),
    }


def bag(what: dict[str, Any], teller: Any) -> dict[str, Any]:
    """What a definition of a bag of models says; only plain values are read."""
    import yaml

    found = yaml.safe_load(Path(what["file"]).read_text(encoding="utf-8"))
    teller.share(1.0)
    models = [str(name) for name in found["models"]]
    return {"models": models, "weights": found.get("weights"), "segment": found.get("segment")}


OPERATIONS = {"bag": bag, "publish": publish, "look": look, "separate": separate}

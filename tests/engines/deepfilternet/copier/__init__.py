"""Stands for the export in DeepFilterNet's environment: gives what lies in the checkpoint's folder."""

import shutil
import sys
from pathlib import Path


def export(what, teller):
    place = Path(what["checkpoint"])
    if place.is_file():
        shutil.unpack_archive(place, place.parent / ".unpacked")
        place = place.parent / ".unpacked"
    if (place / "exit").exists():
        sys.exit(1)
    teller.share(0.5)
    for key in ("target", "heard", "cleaned"):
        shutil.copyfile(place / key, what[key])
    return {"channels": 2, "frames": 0}


OPERATIONS = {"export": export}

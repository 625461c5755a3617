"""Networks' weights: which there are, where they lie, whether they are what was published, how they come.

Nothing is loaded before its SHA-256 is the pinned one, since some are pickles, and a pickle is a program.
"""

from __future__ import annotations

from bridge.weights.catalogue import Form, Part, Weights, catalogue, weights_named
from bridge.weights.folder import Check, WeightsFolder
from bridge.weights.importing import Imported, import_own, import_weights
from bridge.weights.pull import Fetched, pull

__all__ = [
    "Check",
    "Fetched",
    "Form",
    "Imported",
    "Part",
    "Weights",
    "WeightsFolder",
    "catalogue",
    "import_own",
    "import_weights",
    "pull",
    "weights_named",
]

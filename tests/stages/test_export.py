"""What a delivery consists of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from bridge.audio import Audio, probe, write_audio
from bridge.hashes import hash_file
from bridge.stages.export import _Placing
from bridge.values import Asset


def test_a_stem_in_24_bit_has_a_hash_of_its_own(tmp_path: Path) -> None:
    """Exporters are told the hash of the file that they get, not that of the one it was made from."""
    path = tmp_path / "float.wav"
    write_audio(path, Audio(samples=np.zeros((2, 100), np.float32), rate_hz=44_100))
    asset = Asset(path=path, sha256=hash_file(path), role="dry/bass")
    placing: Any = SimpleNamespace(_room=SimpleNamespace(folder=tmp_path), files={})
    made = _Placing._as_integers(placing, asset)
    assert probe(made.path).bits == 24
    assert made.sha256 == hash_file(made.path)

"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ableton.contract import Code
from ableton.follower import Heard
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.support import submitted

Ask = Callable[..., Heard]


def refused(found: Heard, code: Code, words: str = "") -> bool:
    assert found.name == "refused", found
    assert found.values["code"] == code, found
    return words in str(found.values["message"])


def done(service: FakeService, song: Path, files: tuple[str, ...] = ("Stems/bass.wav",)) -> str:
    job = service.play_start(submitted(service, song).id)
    delivery = Delivery(
        folder=song.parent / "StemBridge" / song.stem,
        files=files,
        main_figures={"tempo_bpm": 123.0, "key": None, "masters": {"streaming": {"integrated_lufs": -14.0}}},
    )
    return service.play_done(job, delivery).id

"""Analyse: loudness, spectrum, stereo, flaws, tempo and key of the song, each with its confidence."""

from __future__ import annotations

from bridge.audio import open_audio
from bridge.measure import heard_channels
from bridge.measure.harmony import HarmonyMeter
from bridge.measure.rhythm import RhythmMeter
from bridge.stages import inspection, roles
from bridge.stages.base import Inputs, Made, Room, Stage
from bridge.values import Value


class Params(Value):
    """Nothing to set."""


def run(_params: Params, inputs: Inputs, room: Room) -> Made:
    """Measure the asset ``source`` in one pass; the pictures go into a file of their own."""
    source = inputs.path(roles.SOURCE)
    with open_audio(source) as reader:
        rate_hz, channels = reader.info.rate_hz, heard_channels(reader)
    rhythm, harmony = RhythmMeter(rate_hz, channels), HarmonyMeter(rate_hz, channels)
    seen = inspection.inspect(source, room.progress, rhythm, harmony, has_spectrogram=True)
    pictures = {"waveform", "spectrogram", "short_term"}
    facts = seen.model_dump(mode="json", exclude=pictures) | {
        "rhythm": rhythm.result().model_dump(mode="json"),
        "harmony": harmony.result().model_dump(mode="json"),
    }
    view = inspection.save(seen, room.folder / "view.json")
    return Made(files={f"{roles.VIEWS}/{roles.SOURCE}": view}, facts=facts)


STAGE = Stage(name="analyse", version=1, cost=0.03, run=run)

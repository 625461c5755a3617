"""Neighbouring EQ effects as Live's EQ Eight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from presets.chain import Eq, EqBand
from presets.dialvalues import Dial, DialDevice, Unit, fitted, written

BANDS: Final = 8
"""Filters of one curve of EQ Eight; in mode M/S it has two curves."""
_MOST_GAIN_DB: Final = 15.0
_LETTER: Final = {"stereo": "", "mid": "M ", "side": "S "}
_TYPE: Final = {
    ("highpass", 12): "Low Cut 12 dB",
    ("highpass", 48): "Low Cut 48 dB",
    ("lowpass", 12): "High Cut 12 dB",
    ("lowpass", 48): "High Cut 48 dB",
}
_SHELF_OR_BELL: Final = {"low_shelf": "Low Shelf", "high_shelf": "High Shelf", "bell": "Bell"}
_MOST_Q: Final = 18.0
_BUTTERWORTH_Q: Final = 0.71
# Two filters of 12 dB with these Q make one Butterworth filter of 24 dB an octave; a chain's other Q than
# Butterworth's goes into the sharper of the two.
_FOURTH_ORDER_Q: Final = (0.54, 1.31)


def eq_devices(effects: Sequence[Eq]) -> list[DialDevice]:
    """As few EQ Eights as hold these neighbours, with the order of stereo and M/S kept."""
    devices: list[DialDevice] = []
    for is_stereo, group in groupby(effects, key=lambda effect: effect.channel == "stereo"):
        kept = list(group)
        curves = {
            channel: _filters(kept, channel) for channel in (("stereo",) if is_stereo else ("mid", "side"))
        }
        purpose = " ".join(dict.fromkeys(effect.reason for effect in kept if effect.reason))
        devices += _devices(curves, purpose)
    return devices


def _filters(effects: Sequence[Eq], channel: str) -> list[EqBand]:
    """The filters of one curve; those of 24 dB an octave as two of 12."""
    bands = [band for effect in effects if effect.channel == channel for band in effect.bands]
    return [half for band in bands for half in _halves(band)]


def _halves(band: EqBand) -> list[EqBand]:
    if band.shape not in ("highpass", "lowpass") or band.slope_db_per_octave != 24:
        return [band]
    soft, sharp = _FOURTH_ORDER_Q
    q = min(sharp * band.q / _BUTTERWORTH_Q, _MOST_Q)
    return [band.evolve(q=each, slope_db_per_octave=12) for each in (soft, q)]


def _devices(curves: dict[str, list[EqBand]], purpose: str) -> list[DialDevice]:
    count = max(-(-len(filters) // BANDS) for filters in curves.values())
    return [
        _device(curves, place, purpose if place == 0 else "The rest of the same curve.")
        for place in range(count)
    ]


def _device(curves: dict[str, list[EqBand]], place: int, purpose: str) -> DialDevice:
    mode = "Stereo" if "stereo" in curves else "M/S (edit M and S in turn)"
    dials = [Dial(control="Mode", value=mode)]
    for channel, filters in curves.items():
        here = filters[place * BANDS : (place + 1) * BANDS]
        dials += [_dial(f"{_LETTER[channel]}{number}", band) for number, band in enumerate(here, start=1)]
    return DialDevice.of("EQ Eight", purpose, dials, _notes(curves))


def _dial(number: str, band: EqBand) -> Dial:
    frequency = written(band.frequency_hz, Unit.HZ)
    if band.shape in _SHELF_OR_BELL:
        gain = fitted(f"Filter {number} Gain", band.gain_db, -_MOST_GAIN_DB, _MOST_GAIN_DB, Unit.DB)
        text = f"{_SHELF_OR_BELL[band.shape]}, {frequency}, {_signed(gain.value)}, Q {band.q:.2f}"
        return Dial(control=f"Filter {number}", value=text, note=gain.note)
    kind = _TYPE[band.shape, band.slope_db_per_octave]
    return Dial(control=f"Filter {number}", value=f"{kind}, {frequency}, Q {band.q:.2f}")


def _signed(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"


def _notes(curves: dict[str, list[EqBand]]) -> list[str]:
    notes = ["Switch the other filters off."]
    steep = any(b.slope_db_per_octave == 48 for filters in curves.values() for b in filters)
    if steep:
        notes.append("Live's 48 dB cut has its own shape at the corner: leave its Q at 0.71.")
    if any(b.shape.endswith("shelf") and b.q > 1 for filters in curves.values() for b in filters):
        notes.append("Live's shelves overshoot in their own way at a high Q: trust the ear.")
    return notes

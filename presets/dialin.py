"""Dial it in: a chain in the controls, units and ranges of Ableton Live's own devices.

Control names and ranges are those of Live 11 and 12; where Live's curve differs or has no counterpart, a note
says so in plain words.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, Final

from presets.chain import (
    Chain,
    Compressor,
    DeEsser,
    Gain,
    Gate,
    Limiter,
    Multiband,
    MultibandBand,
    Saturator,
    StereoWidth,
    TransientShaper,
)
from presets.dialeq import eq_devices
from presets.dialplugin import plugin_device
from presets.dialvalues import Dial, DialDevice, DialSheet, Unit, amount, fitted, hertz, milliseconds


def dial_in(chain: Chain) -> DialSheet:
    """Every effect of ``chain``, in order, as devices of Live.

    Neighbouring EQ effects share an EQ Eight as far as its bands and its mode allow.
    """
    devices: list[DialDevice] = []
    for kind, group in groupby(chain.effects, key=lambda effect: effect.kind):
        effects: list[Any] = list(group)
        if kind == "eq":
            devices += eq_devices(effects)
        else:
            devices += [_DEVICE_OF[kind](effect) for effect in effects]
    notes = () if devices else ("This chain changes nothing: no device is needed.",)
    return DialSheet(title=chain.name, level_lufs=chain.level_lufs, devices=tuple(devices), notes=notes)


def render_dial_in(
    sheets: Iterable[DialSheet], song: str = "", tempo_bpm: float | None = None, *, has_stems: bool = True
) -> str:
    """The text of ``Dial it in.txt``: how the stems go into Live, then each chain's devices with notes.

    ``tempo_bpm`` is what Live's tempo should be; None where it is not known for sure. Without stems nothing
    is said of how they go in.
    """
    title = f"Dial it in{f': {song}' if song else ''}"
    first = [*_set_lines(tempo_bpm), ""] if has_stems else []
    head = [title, "=" * len(title), *_INTRODUCTION, "", *first]
    return "\n".join([*head, *(line for sheet in sheets for line in _sheet_lines(sheet))]).rstrip() + "\n"


_COLUMNS: Final = 96
_INTRODUCTION: Final = (
    "Each chain as devices of Ableton Live, left to right: a stem's on its dry stem, the master's on",
    "the Main track (Master before Live 12). Set what is listed and leave the rest of a freshly",
    "loaded device as it is. Live's devices are not ours: they come close, and the notes (!) say",
    "where they cannot.",
)


def _set_lines(tempo_bpm: float | None) -> list[str]:
    """What to do before any device: a warped clip is no longer the file, and stems warp each on its own."""
    tempo = f"Set the tempo to {tempo_bpm:.1f}. " if tempo_bpm else ""
    told = (
        f"{tempo}Drop all stems at one place and switch Warp off in their clips: Live switches it on for "
        "long files, and only unwarped do they line up to the sample."
    )
    return textwrap.wrap(f"First: {told}", _COLUMNS)


def _sheet_lines(sheet: DialSheet) -> list[str]:
    title = f"{sheet.title}  (thresholds for material at {sheet.level_lufs:.1f} LUFS)"
    lines = [title, "-" * len(title)]
    for number, device in enumerate(sheet.devices, start=1):
        lines += _device_lines(number, device)
    return [*lines, *(line for note in sheet.notes for line in _wrapped(note, "     ! ", "       ")), ""]


def _device_lines(number: int, device: DialDevice) -> list[str]:
    widest = max((len(dial.control) for dial in device.dials), default=0)
    lines = [f"{number}. {device.device}", *_wrapped(device.purpose, "     ", "     ")]
    lines += [f"     {dial.control.ljust(widest)}  {dial.value}" for dial in device.dials]
    return [*lines, *(line for note in device.notes for line in _wrapped(note, "     ! ", "       ")), ""]


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, initial_indent=first, subsequent_indent=rest)


def _compressor_device(effect: Compressor) -> DialDevice:
    threshold = fitted("Threshold", effect.threshold_db, -60, 6, Unit.DB)
    ratio = fitted("Ratio", effect.ratio, 1, 20, Unit.RATIO)
    attack = fitted("Attack", effect.attack_ms, 0.01, 1000, Unit.MS)
    release = fitted("Release", effect.release_ms, 1, 3000, Unit.MS)
    knee = fitted("Knee", effect.knee_db, 0, 18, Unit.DB)
    output = fitted("Out", effect.makeup_db, -36, 36, Unit.DB)
    return DialDevice.of(
        "Compressor",
        effect.reason,
        [
            Dial(control="Mode", value="Peak"),
            threshold,
            ratio,
            attack,
            release,
            knee,
            Dial(control="Makeup", value="off"),
            output,
            Dial(control="Dry/Wet", value=f"{effect.mix:.0%}"),
            Dial(control="Env.", value="Log"),
            *_sidechain_dials(effect),
        ],
        notes=_PARALLEL if effect.mix < 1 and effect.makeup_db else (),
    )


_PARALLEL: Final = (
    "Out is meant for the compressed part alone, before Dry/Wet: compare the loudness with the device off.",
)


def _sidechain_dials(effect: Compressor) -> list[Dial]:
    if effect.sidechain_highpass_hz == 0:
        return []
    frequency = fitted("Sidechain EQ Freq", effect.sidechain_highpass_hz, 30, 15_000, Unit.HZ)
    return [
        Dial(control="Sidechain EQ", value="on, high-pass (no external input)"),
        frequency,
        Dial(control="Sidechain EQ Q", value="0.71"),
    ]


def _multiband_device(effect: Multiband) -> DialDevice:
    bands = (("High", effect.high), ("Mid", effect.mid), ("Low", effect.low))
    return DialDevice.of(
        "Multiband Dynamics",
        effect.reason,
        [
            Dial(control="Mid-High Crossover", value=hertz(effect.high_crossover_hz)),
            Dial(control="Low-Mid Crossover", value=hertz(effect.low_crossover_hz)),
            *(dial for name, band in bands for dial in _band_dials(name, band)),
            Dial(control="Soft Knee", value=_knee_switch(band.knee_db for _, band in bands)),
            Dial(control="RMS/Peak", value="Peak"),
            Dial(control="Amount", value="100 %"),
            Dial(control="Time", value="100 %"),
        ],
        notes=(
            "Only the Above half is used: set every Below ratio to 1 : 1.",
            "Soft Knee is on or off for all bands; its width cannot be set.",
        ),
    )


def _knee_switch(knees_db: Iterable[float]) -> str:
    return "on" if max(knees_db) >= 3 else "off"


def _band_dials(name: str, band: MultibandBand) -> list[Dial]:
    return [
        fitted(f"{name}: Above Threshold", band.threshold_db, -80, 0, Unit.DB),
        Dial(control=f"{name}: Above Ratio", value=f"1 : {amount(band.ratio)}"),
        fitted(f"{name}: Attack", band.attack_ms, 0.1, 1000, Unit.MS),
        fitted(f"{name}: Release", band.release_ms, 1, 3000, Unit.MS),
        fitted(f"{name}: Output", band.makeup_db, -24, 24, Unit.DB),
    ]


def _gate_device(effect: Gate) -> DialDevice:
    return DialDevice.of(
        "Gate",
        effect.reason,
        [
            fitted("Threshold", effect.threshold_db, -70, 6, Unit.DB),
            Dial(control="Return", value="3.00 dB"),
            fitted("Attack", effect.attack_ms, 0.02, 1000, Unit.MS),
            fitted("Hold", effect.hold_ms, 1, 1000, Unit.MS),
            fitted("Release", effect.release_ms, 1, 1000, Unit.MS),
            fitted("Floor", effect.range_db, -70, 0, Unit.DB),
            Dial(control="Lookahead", value="0 ms"),
        ],
    )


def _transient_device(effect: TransientShaper) -> DialDevice:
    share, notes = _transient_share(effect)
    if share == 0:
        return DialDevice(device="(no device)", purpose=effect.reason, notes=tuple(notes))
    return DialDevice.of(
        "Drum Buss",
        effect.reason,
        [
            Dial(control="Transients", value=f"{share:+.2f}"),
            Dial(control="Drive", value="0 %"),
            Dial(control="Crunch", value="0 %"),
            Dial(control="Boom", value="0 %"),
            Dial(control="Damp", value="20.0 kHz"),
            Dial(control="Trim", value="0.00 dB"),
            Dial(control="Comp", value="off"),
            Dial(control="Dry/Wet", value="100 %"),
        ],
        notes=notes,
    )


def _transient_share(effect: TransientShaper) -> tuple[float, list[str]]:
    """What ``Transients`` should stand at, and notes.

    Both halves of the control add attack; the left one shortens what follows, the right one lengthens it, and
    both leave alone what lies below about 100 Hz.
    """
    asked = f"Asked: attack {effect.attack_db:+g} dB, sustain {effect.sustain_db:+g} dB."
    if effect.attack_db < 0:
        return 0.0, [asked, "Live has no device that softens attacks alone: skip it, or automate the volume."]
    if effect.attack_db == effect.sustain_db == 0:
        return 0.0, ["Attack and sustain at 0 dB: nothing to set."]
    share = max(effect.attack_db, abs(effect.sustain_db)) / 12
    near = "Transients is the nearest control, not the same one: set it by ear from this value."
    if effect.sustain_db > 0:
        return share, [asked, near]
    return -share, [asked, "Left of 0 it adds attack, too, and shortens what follows.", near]


def _de_esser_device(effect: DeEsser) -> DialDevice:
    return DialDevice.of(
        "Multiband Dynamics",
        effect.reason,
        [
            fitted("Mid-High Crossover", effect.frequency_hz, 500, 15_000, Unit.HZ),
            fitted("High: Above Threshold", effect.threshold_db, -80, 0, Unit.DB),
            Dial(control="High: Above Ratio", value=f"1 : {amount(effect.ratio)}"),
            Dial(control="High: Attack", value=milliseconds(1.0)),
            Dial(control="High: Release", value=milliseconds(50.0)),
            Dial(control="Low, Mid", value="Below and Above ratios 1 : 1"),
            Dial(control="RMS/Peak", value="Peak"),
        ],
        notes=(
            "Live has no de-esser: this is the high band alone. Set its Below ratio to 1 : 1, too.",
            f"A limit of {-effect.range_db:g} dB reduction cannot be set: raise the threshold if it lisps.",
        ),
    )


_SOFT_DRIVE_DB: Final = 6.0
"""Up to here the smoothest curve is the nearest; above, the one that clips softly."""


def _saturator_device(effect: Saturator) -> DialDevice:
    curve = "Soft Sine" if effect.drive_db <= _SOFT_DRIVE_DB else "Analog Clip"
    notes = ["The curve is near, not the same. Output takes the drive back: compare with the device off."]
    if effect.output_db:
        notes.append(
            f"Then {amount(effect.output_db, signed=True)} dB: add a Utility with that Gain after it."
        )
    return DialDevice.of(
        "Saturator",
        effect.reason,
        [
            Dial(control="Curve Type", value=curve),
            fitted("Drive", effect.drive_db, -36, 36, Unit.DB),
            fitted("Output", -effect.drive_db, -36, 0, Unit.DB),
            Dial(control="Dry/Wet", value=f"{effect.mix:.0%}"),
            Dial(control="Soft Clip", value="off"),
            Dial(control="Color", value="off"),
        ],
        notes=notes,
    )


def _width_device(effect: StereoWidth) -> DialDevice:
    dials = [Dial(control="Width", value=f"{effect.width:.0%}")]
    if effect.mono_below_hz:
        dials.append(Dial(control="Bass Mono", value="on"))
        dials.append(fitted("Bass Mono Freq", effect.mono_below_hz, 50, 500, Unit.HZ))
    return DialDevice.of("Utility", effect.reason, dials)


def _gain_device(effect: Gain) -> DialDevice:
    return DialDevice.of("Utility", effect.reason, [fitted("Gain", effect.gain_db, -70, 35, Unit.DB)])


def _limiter_device(effect: Limiter) -> DialDevice:
    return DialDevice.of(
        "Limiter",
        effect.reason,
        [
            fitted("Gain", effect.gain_db, -24, 24, Unit.DB),
            fitted("Ceiling", effect.ceiling_dbtp, -24, 0, Unit.DB),
            fitted("Release", effect.release_ms, 0.01, 3000, Unit.MS),
            Dial(control="Lookahead", value="3 ms"),
            Dial(control="Mode", value="True Peak"),
        ],
        notes=(
            "True Peak mode came with Live 12.1. In older versions the ceiling holds samples only: set it"
            f" to {amount(max(effect.ceiling_dbtp - 1, -24))} dB and check with a true-peak meter.",
        ),
    )


_DEVICE_OF: Final[Mapping[str, Callable[[Any], DialDevice]]] = {
    "compressor": _compressor_device,
    "multiband": _multiband_device,
    "gate": _gate_device,
    "transient_shaper": _transient_device,
    "de_esser": _de_esser_device,
    "saturator": _saturator_device,
    "stereo_width": _width_device,
    "gain": _gain_device,
    "limiter": _limiter_device,
    "vst3": plugin_device,
}

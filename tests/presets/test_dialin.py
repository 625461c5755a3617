"""Chains in the controls of Live's devices."""

from __future__ import annotations

from typing import Any

import pytest

from presets import (
    Chain,
    Compressor,
    DeEsser,
    DialSheet,
    Eq,
    EqBand,
    Gain,
    Gate,
    Library,
    Limiter,
    Multiband,
    MultibandBand,
    Saturator,
    StereoWidth,
    TransientShaper,
    Vst3,
    dial_in,
    render_dial_in,
)


def sheet(*effects: Any) -> DialSheet:
    return dial_in(Chain(name="Test", role="drums", effects=effects))


def dials(effect: Any, place: int = 0) -> dict[str, str]:
    return {dial.control: dial.value for dial in sheet(effect).devices[place].dials}


def told(*effects: Any) -> str:
    return " ".join(note for device in sheet(*effects).devices for note in device.notes)


def bell(gain_db: float = 1.0) -> EqBand:
    return EqBand(shape="bell", frequency_hz=1000, gain_db=gain_db, q=2)


def test_neighbouring_equalisers_share_a_device() -> None:
    """Two effects, one EQ Eight, filters in order."""
    (device,) = sheet(
        Eq(bands=(EqBand(shape="highpass", frequency_hz=80),), reason="Low."),
        Eq(bands=(bell(-2.5),), reason="Mid."),
    ).devices
    assert device.device == "EQ Eight"
    assert device.purpose == "Low. Mid."
    assert [(dial.control, dial.value) for dial in device.dials] == [
        ("Mode", "Stereo"),
        ("Filter 1", "Low Cut 12 dB, 80.0 Hz, Q 0.71"),
        ("Filter 2", "Bell, 1.00 kHz, -2.50 dB, Q 2.00"),
    ]


def test_more_than_eight_filters_take_a_second_device() -> None:
    """Live's device has eight; none is lost."""
    devices = sheet(Eq(bands=(bell(),) * 8), Eq(bands=(bell(),) * 3)).devices
    assert [len(device.dials) - 1 for device in devices] == [8, 3]


def test_mid_and_side_share_a_device_of_their_own() -> None:
    """Live's M/S mode has a curve for each; stereo filters stay apart from it."""
    devices = sheet(
        Eq(bands=(bell(),)), Eq(channel="mid", bands=(bell(),)), Eq(channel="side", bands=(bell(),))
    ).devices
    assert [device.dials[0].value for device in devices] == ["Stereo", "M/S (edit M and S in turn)"]
    assert [dial.control for dial in devices[1].dials[1:]] == ["Filter M 1", "Filter S 1"]


def test_another_effect_between_keeps_equalisers_apart() -> None:
    """The order of the chain is the order of the devices."""
    names = [d.device for d in sheet(Eq(bands=(bell(),)), Compressor(), Eq(bands=(bell(),))).devices]
    assert names == ["EQ Eight", "Compressor", "EQ Eight"]


def test_24_db_an_octave_is_two_filters_of_12() -> None:
    """Their Q multiply to one half: together they are -3 dB at the corner, as Butterworth is."""
    steep = EqBand(shape="highpass", frequency_hz=85, slope_db_per_octave=24)
    values = [v for name, v in dials(Eq(bands=(steep,))).items() if name.startswith("Filter")]
    assert [v.split(", Q ")[0] for v in values] == ["Low Cut 12 dB, 85.0 Hz"] * 2
    qs = [float(v.split(", Q ")[1]) for v in values]
    assert qs[0] * qs[1] == pytest.approx(0.7071, abs=0.005)
    assert "Low Cut 48 dB" in dials(Eq(bands=(steep.evolve(slope_db_per_octave=48),)))["Filter 1"]


def test_a_compressor_in_lives_units() -> None:
    """Every setting has its control; the mix is Dry/Wet; the side-chain filter works without an input."""
    found = dials(
        Compressor(
            threshold_db=-18,
            ratio=2.5,
            attack_ms=12,
            release_ms=1500,
            makeup_db=1.5,
            mix=0.4,
            sidechain_highpass_hz=90,
        )
    )
    wanted = {
        "Threshold": "-18.00 dB",
        "Ratio": "2.50 : 1",
        "Attack": "12.0 ms",
        "Release": "1.50 s",
        "Knee": "6.00 dB",
        "Out": "1.50 dB",
        "Dry/Wet": "40%",
        "Sidechain EQ Freq": "90.0 Hz",
    }
    assert wanted.items() <= found.items()


@pytest.mark.parametrize(
    ("effect", "control", "shown", "note"),
    [
        pytest.param(Compressor(knee_db=24), "Knee", "18.00 dB", "24.00 dB asked", id="knee"),
        pytest.param(
            Compressor(sidechain_highpass_hz=20), "Sidechain EQ Freq", "30.0 Hz", "20.0 Hz asked", id="sc"
        ),
        pytest.param(
            Eq(bands=(bell(18),)), "Filter 1", "Bell, 1.00 kHz, +15.00 dB, Q 2.00", "18.00 dB asked", id="eq"
        ),
        pytest.param(StereoWidth(mono_below_hz=30), "Bass Mono Freq", "50.0 Hz", "30.0 Hz asked", id="mono"),
        pytest.param(Gate(hold_ms=0), "Hold", "1.0 ms", "0.00 ms asked", id="hold"),
        pytest.param(Gate(release_ms=2000), "Release", "1.00 s", "2.00 s asked", id="gate release"),
    ],
)
def test_what_passes_a_range_is_shown_at_its_end_and_told(
    effect: Any, control: str, shown: str, note: str
) -> None:
    """The control shows what it can, the note what was asked."""
    assert dials(effect)[control] == shown
    assert note in told(effect)


def test_multiband_dynamics_from_the_top() -> None:
    """Above thresholds and ratios of three bands, with both crossovers."""
    found = dials(Multiband(low=MultibandBand(threshold_db=-30, ratio=2), low_crossover_hz=160))
    assert found["Low: Above Threshold"] == "-30.00 dB"
    assert found["Low: Above Ratio"] == "1 : 2.00"
    assert found["Low-Mid Crossover"] == "160.0 Hz"


def test_saturation_gives_its_drive_back() -> None:
    """Our curve keeps quiet signals at their level, so Live's output takes the drive back."""
    found = dials(Saturator(drive_db=4, mix=0.25))
    assert (found["Drive"], found["Output"], found["Dry/Wet"]) == ("4.00 dB", "-4.00 dB", "25%")
    assert found["Curve Type"] == "Soft Sine"
    assert dials(Saturator(drive_db=12))["Curve Type"] == "Analog Clip"
    assert "Utility" in told(Saturator(output_db=2.0))


@pytest.mark.parametrize(
    ("attack_db", "sustain_db", "shown"), [(3.0, 0.0, "-0.25"), (3.0, -6.0, "-0.50"), (3.0, 6.0, "+0.50")]
)
def test_transients_go_to_the_side_that_shortens_or_lengthens(
    attack_db: float, sustain_db: float, shown: str
) -> None:
    """Drum Buss adds attack on both sides: the left one shortens, the right one lengthens."""
    assert dials(TransientShaper(attack_db=attack_db, sustain_db=sustain_db))["Transients"] == shown
    assert "by ear" in told(TransientShaper(attack_db=attack_db, sustain_db=sustain_db))


def test_what_live_has_not_is_said() -> None:
    """Softer attacks have no device, a de-esser and a true-peak ceiling no exact one."""
    (device,) = sheet(TransientShaper(attack_db=-3)).devices
    assert device.device == "(no device)"
    assert "no device that softens attacks" in told(TransientShaper(attack_db=-3))
    assert "no de-esser" in told(DeEsser())
    assert "Live 12.1" in told(Limiter())
    assert "-2.00 dB" in told(Limiter(ceiling_dbtp=-1))


def test_gain_and_width_are_utility() -> None:
    """Width in percent, gain in dB."""
    assert dials(StereoWidth(width=1.2, mono_below_hz=120)) == {
        "Width": "120%",
        "Bass Mono": "on",
        "Bass Mono Freq": "120.0 Hz",
    }
    assert dials(Gain(gain_db=-1.5)) == {"Gain": "-1.50 dB"}


def test_an_empty_chain_says_so() -> None:
    """No device, one sentence."""
    assert sheet().notes == ("This chain changes nothing: no device is needed.",)


@pytest.mark.parametrize("chain", Library().chains(), ids=lambda chain: f"{chain.role}/{chain.style}")
def test_every_shipped_chain_can_be_dialled_in(chain: Chain) -> None:
    """In order, with every reason told, nothing out of Live's ranges, in lines that fit a window."""
    found = dial_in(chain.at_level(-24.0))
    assert not [dial for device in found.devices for dial in device.dials if dial.note]
    text = render_dial_in([found], "Night Drive")
    flat = " ".join(text.split())
    assert all(effect.reason in flat for effect in chain.effects)
    assert max(len(line) for line in text.splitlines()) <= 96
    assert "at -24.0 LUFS" in text


def test_the_text_is_laid_out_for_reading() -> None:
    """Title, numbered devices, aligned values, marked notes."""
    text = render_dial_in([sheet(Gain(gain_db=2, reason="Louder."), Limiter())], "Night Drive")
    assert text.startswith("Dial it in: Night Drive\n====")
    assert "1. Utility\n     Louder.\n     Gain  2.00 dB\n" in text
    assert "2. Limiter\n" in text
    assert "     ! True Peak mode came with Live 12.1." in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_the_text_begins_with_what_keeps_stems_together() -> None:
    """Warp off, since warped stems drift apart; the tempo only where it is sure."""
    assert "First: Drop all stems at one place and switch Warp off" in render_dial_in([sheet(Gain())])
    assert "First: Set the tempo to 117.6. Drop" in render_dial_in([sheet(Gain())], "Night Drive", 117.64)
    assert "First:" not in render_dial_in([sheet(Gain())], "Night Drive", 117.64, has_stems=False)


def test_a_plug_in_is_its_own_device() -> None:
    """Its preset, its parameters by name, and the level around it."""
    effect = Vst3(plugin="ZamEQ2", preset="Warm", parameters={"Gain 1": -2.5, "On": True}, input_db=6.0)
    (device,) = sheet(effect).devices
    assert device.device == "ZamEQ2 (VST3 plug-in)"
    assert dials(effect) == {"Preset": "Warm", "Gain 1": "-2.5", "On": "on"}
    assert "+6.00 dB before it, -6.00 dB behind it" in told(effect)

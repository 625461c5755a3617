"""Numbers and sentences as people read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.report import words
from bridge.report.compare import comparisons
from bridge.report.data import Certificate, Master, MasterStatus, Measures, Sound
from bridge.report.verdict import Tone, verdict
from bridge.values import QaReport
from tests.report import examples

NB = words.NO_BREAK


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (lambda: words.number(-14.04), "−14.0"),
        (lambda: words.number(-0.04), "0.0"),
        (lambda: words.number(None), "–"),
        (lambda: words.number(float("nan")), "–"),
        (lambda: words.number(float("-inf")), "−∞"),
        (lambda: words.number(8127630, 0), "8,127,630"),
        (lambda: words.signed(2.34), "+2.3"),
        (lambda: words.signed(0.01), "0.0"),
        (lambda: words.signed(-2.34), "−2.3"),
        (lambda: words.with_unit(-1, "dBTP"), f"−1.0{NB}dBTP"),
        (lambda: words.with_unit(None, "dB"), "–"),
        (lambda: words.hertz(440), f"440{NB}Hz"),
        (lambda: words.hertz(16_240), f"16.2{NB}kHz"),
        (lambda: words.hertz(48_000), f"48{NB}kHz"),
        (lambda: words.clock(185.4), "3:05"),
        (lambda: words.clock(59.7), "1:00"),
        (lambda: words.clock(3729), "1:02:09"),
        (lambda: words.lasting(0.42), f"0.4{NB}s"),
        (lambda: words.lasting(59.6), f"1{NB}min"),
        (lambda: words.lasting(92), f"1{NB}min 32{NB}s"),
        (lambda: words.lasting(4200), f"1{NB}h 10{NB}min"),
        (lambda: words.size(812), f"812{NB}B"),
        (lambda: words.size(999_600), f"1.0{NB}MB"),
        (lambda: words.size(1_240_000_000), f"1.2{NB}GB"),
        (lambda: words.counted(1, "stem"), "1 stem"),
        (lambda: words.listed(["a", "b", "c"]), "a, b and c"),
        (lambda: words.listed([]), ""),
    ],
)
def test_words(made: Callable[[], str], wanted: str) -> None:
    """One value, one text."""
    assert made() == wanted


def test_the_verdict_says_what_came_out() -> None:
    """Loudness, peak and checks in one sentence."""
    told = verdict(examples.plain())
    assert told.tone is Tone.GOOD
    assert told.headline == f"Master at −14.0{NB}LUFS, −1.0{NB}dBTP. All 23 checks passed."


def test_advice_is_not_failure() -> None:
    """A soft check that failed is told as advice, a hard one as failure."""
    data = examples.plain()
    soft = examples.check("Phase", passed=False, is_hard=False)
    told = verdict(data.evolve(qa=QaReport(checks=(examples.check(), soft))))
    assert told.tone is Tone.ADVICE
    assert told.headline.endswith("1 of 2 checks passed; 1 is advice.")
    hard = examples.check("Clipping", passed=False)
    assert verdict(data.evolve(qa=QaReport(checks=(hard,)))).tone is Tone.FAILED


def test_a_failed_master_is_never_called_delivered() -> None:
    """The reason stands below."""
    told = verdict(examples.failed_master())
    assert told.tone is Tone.FAILED
    assert told.headline == "No master was delivered. 4 stems are here."
    assert told.details[0] == "The master failed a hard check after 3 attempts."


def test_one_of_two_masters_can_fail() -> None:
    """The other one is told with its figures, and only it is compared."""
    data = examples.plain()
    bad = Master(
        name="Club", target_lufs=-9, ceiling_dbtp=-0.5, status=MasterStatus.FAILED, why="It clipped."
    )
    both = data.evolve(masters=(*data.masters, bad))
    told = verdict(both)
    assert told.tone is Tone.FAILED
    assert told.headline.startswith("Master at −14.0")
    assert told.details == ("Club: It clipped.",)
    assert all(len(item.after) == 1 for item in comparisons(both))


def test_a_missed_target_says_by_how_much_and_why() -> None:
    """1.2 LU below, with the reason."""
    told = verdict(examples.short_of_target())
    assert told.tone is Tone.ADVICE
    assert told.headline.startswith("2 masters: Streaming at")
    assert "It is 1.2 LU below that. It would need 7.8 dB of limiting" in told.details[0]


@pytest.mark.parametrize(
    ("certificate", "words_", "tone"),
    [
        (
            Certificate(null_dbfs=-144, alignment_samples=0, level_db=0),
            "4 stems that sum to the source",
            Tone.GOOD,
        ),
        (Certificate(null_dbfs=-90, alignment_samples=0, level_db=0), "4 stems delivered", Tone.ADVICE),
        (Certificate(null_dbfs=-144, alignment_samples=3, level_db=0), "4 stems delivered", Tone.ADVICE),
    ],
)
def test_stems_are_only_called_exact_when_they_are(certificate: Certificate, words_: str, tone: Tone) -> None:
    """The certificate decides."""
    told = verdict(examples.stems_only().evolve(certificate=certificate))
    assert told.headline.startswith(words_)
    assert told.tone is tone


def test_comparisons_place_before_left_of_a_louder_master() -> None:
    """And the goal where the master is, if it reached it."""
    loudness = comparisons(examples.plain())[0]
    after = loudness.after[0]
    assert loudness.before.at is not None
    assert after.at is not None
    assert loudness.before.at < after.at
    assert after.goal == after.at
    assert (after.text, after.change) == ("−14.0", "+4.0")
    assert loudness.reach == (loudness.before.at, after.at)


def test_small_differences_stay_small() -> None:
    """A scale has a least span: 0.1 dB must not look like a drama."""
    data = examples.plain()
    near = Sound(measures=Measures(integrated_lufs=-18.1))
    master = data.masters[0].evolve(sound=near, target_lufs=-18)
    loudness = comparisons(data.evolve(masters=(master,)))[0]
    assert loudness.after[0].at is not None
    assert loudness.before.at is not None
    assert abs(loudness.after[0].at - loudness.before.at) < 2


def test_what_was_not_measured_is_left_out() -> None:
    """And silence is called so."""
    assert comparisons(examples.bare()) == ()
    silent = comparisons(examples.silent())
    assert silent[0].before.text == "silent"
    assert [item.quantity.field for item in silent] == [
        "integrated_lufs",
        "true_peak_dbtp",
        "loudness_range_lu",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-20.9 LUFS (-14 wanted)", "\N{MINUS SIGN}20.9 LUFS (\N{MINUS SIGN}14 wanted)"),
        ("200-500 Hz, BS.1770-4", "200-500 Hz, BS.1770-4"),
        ("true-peak - 3 of them", "true-peak - 3 of them"),
    ],
)
def test_minus_before_numbers_alone(text: str, shown: str) -> None:
    """Ranges, names and dashes are no minus signs."""
    assert words.true_minus(text) == shown

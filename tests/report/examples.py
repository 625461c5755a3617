"""Report data for tests: made from seeded sound, one function a state."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bridge.audio import Audio, Samples, write_audio
from bridge.music import Chord
from bridge.report import (
    Attempt,
    Certificate,
    ChainUse,
    Curve,
    Decision,
    DeliveredFile,
    DialIn,
    Effect,
    EngineUse,
    Estimate,
    Excerpt,
    GainReduction,
    GateFigure,
    LoudnessSeries,
    Making,
    Master,
    MasterStatus,
    Measures,
    PreviewNotice,
    Provenance,
    ReportData,
    Score,
    Section,
    Setting,
    Song,
    Sound,
    Spectrogram,
    StageTime,
    StemShow,
    Stereo,
    WrittenPart,
    matched_excerpts,
    set_excerpts,
    spectrogram_picture,
    waveform_of,
)
from bridge.values import FOUR_STEMS, QaCheck, QaReport, Role

RATE_HZ = 44_100
DURATION_S = 8.0
START_S = 2.0
EXCERPT_S = 3.0

HOSTILE_TITLE = (
    "</title><script>alert('pwned')</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
    " \N{RIGHT-TO-LEFT OVERRIDE}\u05e9\u05d9\u05e8 \u0623\u063a\u0646\u064a\u0629"
    " \N{PERFORMING ARTS}\N{MULTIPLE MUSICAL NOTES}"
)
LONG_TITLE = "Unbrechbar" * 25 + "Ende!"  # 255 bytes without a place to break


def song_samples(level: float = 0.2, seed: int = 7) -> Samples:
    """Stereo noise bursts over a tone, louder in the middle."""
    frames = round(DURATION_S * RATE_HZ)
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / RATE_HZ
    swell = 0.3 + 0.7 * np.exp(-(((time - 3.5) / 1.5) ** 2))
    pulse = 0.3 + 0.7 * (np.sin(2 * np.pi * 2 * time) > 0)
    tone = np.sin(2 * np.pi * 220 * time)
    noise = rng.standard_normal((2, frames)) * 0.3
    return np.asarray(level * swell * pulse * (tone + noise), np.float32)


def write_song(path: Path, level: float = 0.2, seed: int = 7) -> Path:
    """``song_samples`` as a file."""
    write_audio(path, Audio(samples=song_samples(level, seed), rate_hz=RATE_HZ))
    return path


def curve(tilt_db: float = 0.0) -> Curve:
    """A falling spectrum."""
    frequencies = np.geomspace(20, 20_000, 120)
    levels = -20 - (3 + tilt_db) * np.log2(frequencies / 100)
    return Curve(frequency_hz=tuple(frequencies.tolist()), level_db=tuple(levels.tolist()))


def loudness_series(lufs: float) -> LoudnessSeries:
    """A short-term loudness that moves."""
    values = lufs + 4 * np.sin(np.arange(50) / 7)
    return LoudnessSeries(lufs=tuple(values.tolist()), step_s=0.1, start_s=3.0)


def spectrogram(seed: int = 3) -> Spectrogram:
    """Noise that falls with frequency."""
    levels = np.random.default_rng(seed).normal(-50, 8, (96, 200)) - np.linspace(0, 40, 96)[:, None]
    return Spectrogram(picture=spectrogram_picture(levels), low_hz=30, high_hz=20_000)


def sound(excerpt: Excerpt | None = None, lufs: float = -18.0, peak: float = -1.2) -> Sound:
    """A version of the song with everything that can be shown."""
    return Sound(
        measures=Measures(
            integrated_lufs=lufs,
            true_peak_dbtp=peak,
            loudness_range_lu=6.1,
            peak_to_loudness_db=peak - lufs,
            bandwidth_hz=15_800,
        ),
        waveform=waveform_of(song_samples()),
        loudness=loudness_series(lufs),
        spectrum=curve(lufs / 40),
        spectrogram=spectrogram(),
        stereo=Stereo(
            correlation=0.71,
            side_to_mid_db=-9.4,
            correlation_series=tuple(np.linspace(0.2, 0.9, 60).tolist()),
        ),
        excerpt=excerpt,
    )


def check(name: str = "True peak", *, passed: bool = True, is_hard: bool = True, **fields: Any) -> QaCheck:
    """A line of the QA table."""
    known: dict[str, Any] = {
        "code": name.lower().replace(" ", "_"),
        "subject": "master/streaming",
        "found": "−1.0 dBTP",
        "wanted": "at most −1.0 dBTP",
    }
    return QaCheck(name=name, passed=passed, is_hard=is_hard, **{**known, **fields})


def chain(role: Role | None, subject: str) -> ChainUse:
    """A chain with an equaliser, a compressor and a device without counterpart."""
    equaliser = Effect(
        title="Equaliser",
        settings=(Setting(name="Bell 320 Hz", value="−2.4 dB, Q 1.20"),),
        reason="320 Hz is 2.4 dB above the target curve.",
        response=Curve(frequency_hz=(20, 300, 320, 340, 20_000), level_db=(-30, -2, -2.4, -2, 0)),
    )
    compressor = Effect(
        title="Compressor",
        settings=(Setting(name="Ratio", value="3 : 1"), Setting(name="Threshold", value="−24.0 dB")),
        reductions=(
            GainReduction(mean_db=2.1, max_db=30.0),
            GainReduction(mean_db=0.0, max_db=0.0, band="Low"),
        ),
    )
    return ChainUse(
        subject=subject,
        role=role,
        name="Close and clear",
        effects=(equaliser, compressor),
        decision=Decision(step="Chain", kept=role is not Role.BASS, why="Crest factor rose by 1.6 dB."),
        dial_in=(
            DialIn(device="EQ Eight", rows=(Setting(name="1 Freq", value="320 Hz"),)),
            DialIn(device="De-esser", notes=("Live has none.",)),
        ),
    )


def stem(role: Role, dry: Excerpt | None = None, mixed: Excerpt | None = None) -> StemShow:
    """A stem that was restored."""
    figure = GateFigure(name="noise floor", before="−61.2 dB", after="−68.9 dB")
    return StemShow(
        role=role,
        name=role.value.replace("_", " ").capitalize(),
        loudness_lufs=-24.0,
        waveform=waveform_of(song_samples(0.1, seed=len(role.value))),
        dry=dry,
        mixed=mixed,
        decisions=(Decision(step="Noise reduction", kept=True, why="The floor fell.", figures=(figure,)),),
    )


def full(folder: Path) -> ReportData:
    """A delivery with everything: one master, four stems, sounds to play."""
    source, master = write_song(folder / "source.wav", 0.15), write_song(folder / "master.wav", 0.4)
    before, after = matched_excerpts([source, master], START_S, EXCERPT_S)
    files = [write_song(folder / f"{role.value}.wav", 0.1, seed) for seed, role in enumerate(FOUR_STEMS)]
    dry = set_excerpts(files, START_S, EXCERPT_S)
    mixed = set_excerpts(files, START_S, EXCERPT_S)
    stems = [stem(*parts) for parts in zip(FOUR_STEMS, dry, mixed, strict=True)]
    return plain().evolve(
        before=sound(before),
        masters=(
            Master(name="Streaming", target_lufs=-14, ceiling_dbtp=-1, sound=sound(after, -14.0, -1.0)),
        ),
        stems=tuple(stems),
    )


def plain() -> ReportData:
    """The same without sounds to play, quickly made."""
    return ReportData(
        song=Song(
            title="Night Drive",
            artist="Mira & the Long Way Home",
            generator="Suno",
            generator_id="5f3c9d2e-7a41",
            take=2,
            duration_s=DURATION_S,
            rate_hz=RATE_HZ,
            channels=2,
            source_format="MP3",
            tempo=Estimate(text="124 bpm", confidence=0.93, others=("62", "248")),
            key=Estimate(text="A minor", confidence=0.88),
        ),
        making=Making(
            version="0.1.0",
            made_at=datetime(2026, 11, 20, 14, 3, tzinfo=UTC),
            recipe="full",
            engines=(EngineUse(stage="Separation", name="light", version="1"),),
            preview=PreviewNotice(
                engine="light",
                command="stembridge engines install demucs",
                download_bytes=1_240_000_000,
                seconds=92,
            ),
        ),
        before=sound(),
        sections=(
            Section(name="A", start_s=0, end_s=1.6),
            Section(name="B", start_s=1.6, end_s=4.8),
            Section(name="A", start_s=4.8, end_s=DURATION_S),
        ),
        score=Score(
            bars_s=(0.0, 1.6, 3.2, 4.8, 6.4),
            chords=tuple(
                Chord(start_s=start_s, end_s=start_s + 1.6, name=name)
                for start_s, name in ((0.0, "Am"), (1.6, "F"), (2.4, "G7"), (5.6, "Bbmaj7"))
            ),
            parts=(
                WrittenPart(name="Vocals", role=Role.VOCALS, notes=41),
                WrittenPart(name="Drums", role=Role.DRUMS, notes=1, is_drums=True),
                WrittenPart(name="Bass", role=Role.BASS, notes=0),
            ),
        ),
        masters=(Master(name="Streaming", target_lufs=-14, ceiling_dbtp=-1, sound=sound(None, -14.0, -1.0)),),
        stems=tuple(stem(role) for role in FOUR_STEMS),
        chains=(
            *(chain(role, role.value.capitalize()) for role in FOUR_STEMS),
            chain(None, "Master: Streaming"),
        ),
        certificate=Certificate(null_dbfs=-144.0, alignment_samples=0, level_db=0.0),
        qa=QaReport(checks=tuple(check(f"Check {index}") for index in range(23))),
        attempts=(Attempt(number=1, outcome="All hard checks passed."),),
        files=(DeliveredFile(path="Stems/Night Drive - Vocals (dry).wav", size_bytes=65_020_000),),
        stages=(
            StageTime(stage="Separate", seconds=7.9),
            StageTime(stage="Master", seconds=17.3),
        ),
        provenance=Provenance(is_ai_made=True, statement="Generated by Suno.", processed=("Separated",)),
        notes=("Stems are 32-bit float.",),
    )


def failed_master() -> ReportData:
    """No master passed; the stems are there."""
    data = plain()
    bad = check(passed=False, found="−0.2 dBTP", advice="Lower the ceiling.")
    master = Master(
        name="Streaming",
        target_lufs=-14,
        ceiling_dbtp=-1,
        status=MasterStatus.FAILED,
        why="True peak was −0.2 dBTP.",
    )
    return data.evolve(
        masters=(master,),
        failure="The master failed a hard check after 3 attempts.",
        qa=QaReport(checks=(bad, check("Null")), attempt=3),
        attempts=(Attempt(number=1, outcome="True peak −0.2 dBTP.", changes=("Ceiling −0.3 dB",)),),
    )


def mono() -> ReportData:
    """A mono source without a side channel."""
    data = plain()
    one = sound().evolve(stereo=Stereo(correlation=1.0, side_to_mid_db=float("-inf")))
    return data.evolve(song=data.song.evolve(channels=1), before=one)


def stems_only() -> ReportData:
    """The recipe without mix and master."""
    data = plain()
    return data.evolve(
        making=data.making.evolve(recipe="stems-only", preview=None), masters=(), chains=(), qa=None
    )


def master_only() -> ReportData:
    """The recipe without stems."""
    data = plain()
    return data.evolve(
        making=data.making.evolve(preview=None), stems=(), chains=(data.chains[-1],), certificate=None
    )


def silent() -> ReportData:
    """Everything at the floor, as silence is measured."""
    data = plain()
    nothing = Sound(
        measures=Measures(integrated_lufs=-70.0, true_peak_dbtp=float("-inf"), loudness_range_lu=0.0),
        waveform=waveform_of(np.zeros((2, 1000), np.float32)),
        loudness=LoudnessSeries(lufs=(float("-inf"),) * 20, step_s=0.1),
        spectrum=Curve(frequency_hz=(20, 200, 2000), level_db=(float("-inf"),) * 3),
        spectrogram=Spectrogram(
            picture=spectrogram_picture(np.full((4, 4), -np.inf)), low_hz=30, high_hz=20_000
        ),
        stereo=Stereo(),
    )
    quiet = StemShow(role=Role.VOCALS, name="Vocals", loudness_lufs=float("-inf"), is_nearly_silent=True)
    return data.evolve(before=nothing, masters=(), stems=(quiet,), chains=())


def short_of_target() -> ReportData:
    """Two masters, the second one quieter than it was meant to be."""
    data = plain()
    short = Master(
        name="Club",
        target_lufs=-9,
        ceiling_dbtp=-0.5,
        status=MasterStatus.SHORT,
        why="It would need 7.8 dB of limiting; this style allows 6 dB.",
        sound=sound(None, -10.2, -0.5),
    )
    return data.evolve(masters=(*data.masters, short))


def hostile() -> ReportData:
    """Every text that comes from outside tries to break out."""
    data = plain()
    song = data.song.evolve(
        title=HOSTILE_TITLE,
        artist=HOSTILE_TITLE,
        generator_id='"><script>1</script>',
        url="javascript:alert(1)",
    )
    bad = check(passed=False, is_hard=False, found="<b>", wanted="</td></table>", advice=HOSTILE_TITLE)
    return data.evolve(
        song=song,
        failure=HOSTILE_TITLE,
        notes=(HOSTILE_TITLE,),
        files=(DeliveredFile(path=f"Stems/{HOSTILE_TITLE}.wav", size_bytes=1),),
        qa=QaReport(checks=(bad,)),
    )


def endless() -> ReportData:
    """A name of 255 bytes without a place to break."""
    data = plain()
    path = DeliveredFile(path=f"Stems/{LONG_TITLE}", size_bytes=1)
    return data.evolve(song=data.song.evolve(title=LONG_TITLE, artist=LONG_TITLE), files=(path,))


def bare() -> ReportData:
    """Nothing but what a report cannot be without."""
    return ReportData(
        song=Song(title="", duration_s=0, rate_hz=8000, channels=8),
        making=Making(version="0", made_at=datetime(2026, 1, 1, tzinfo=UTC), recipe="full"),
    )


STATES = {
    made.__name__: made
    for made in (
        plain,
        failed_master,
        mono,
        stems_only,
        master_only,
        silent,
        short_of_target,
        hostile,
        endless,
        bare,
    )
}

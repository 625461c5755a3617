"""All that a job found and made, gathered for the export."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config import DeliverySettings, Export, Recipe
from bridge.measure.harmony import Harmony
from bridge.measure.rhythm import Rhythm
from bridge.stages import roles
from bridge.stages.chain_run import LEFT_OUT
from bridge.stages.planning import Plan
from bridge.stages.transcribe import BEATS
from bridge.values import Asset, Facts, JobRequest, MediaInfo, QaReport, StageResult, Track, Value


class StageTiming(Value):
    """How long a stage took when it was computed."""

    stage: str
    key: str
    seconds: float


class Findings(Value):
    """The results of the stages; None where the recipe leaves one out, or where no master passed."""

    job_id: str
    request: JobRequest
    created_s: float
    recipe: Recipe
    song: StageResult
    analysis: StageResult
    separated: StageResult | None
    dry: StageResult | None
    music: StageResult | None
    mixed: StageResult | None
    masters: StageResult | None
    checked: StageResult
    plan: Plan
    attempts: tuple[QaReport, ...]
    timings: tuple[StageTiming, ...]
    delivery: DeliverySettings
    export: Export

    @property
    def track(self) -> Track:
        """The song as its name and tags say."""
        return Track.model_validate(self.song.facts["track"])

    @property
    def source_info(self) -> MediaInfo:
        """The source file's format."""
        return MediaInfo.model_validate(self.song.facts["media"])

    @property
    def stem_labels(self) -> tuple[str, ...]:
        """The stems, in order."""
        if self.dry is None:
            return ()
        return tuple(roles.label(asset) for asset in roles.of_kind(self.dry.assets, roles.DRY))

    @property
    def rhythm(self) -> Rhythm:
        """Tempo, sure or not: as the beats were counted, where they were, else as the analysis heard it."""
        if self.music is None or any(entry["subject"] == BEATS for entry in self._untold):
            return Rhythm.model_validate(self.analysis.facts["rhythm"])
        beats = self.music.facts["rhythm"]
        others = (beats["half_bpm"], beats["double_bpm"])
        return Rhythm(
            tempo_bpm=beats["tempo_bpm"],
            confidence=beats["confidence"],
            other_bpm=tuple(tempo for tempo in others if tempo),
        )

    @property
    def harmony(self) -> Harmony:
        """Key, sure or not."""
        return Harmony.model_validate(self.analysis.facts["harmony"])

    @property
    def tempo_bpm(self) -> float | None:
        """The tempo, where it is sure enough to stand in a name."""
        rhythm = self.rhythm
        return rhythm.tempo_bpm if rhythm.confidence >= self.delivery.name_confidence else None

    @property
    def key_name(self) -> str | None:
        """The key, such as "Am", where it is sure enough to stand in a name."""
        harmony = self.harmony
        return harmony.short_key if harmony.confidence >= self.delivery.name_confidence else None

    @property
    def certificate(self) -> Facts | None:
        """Null and alignment of the separated stems."""
        return self.separated.facts["certificate"] if self.separated else None

    @property
    def left_out(self) -> tuple[str, ...]:
        """What could not be told of the song, and third-party plug-ins that failed, a note for each."""
        plugins = [
            entry for made in (self.mixed, self.masters) if made for entry in made.facts.get(LEFT_OUT, ())
        ]
        return (
            *(f"The song's {entry['subject']} could not be told: {entry['why']}" for entry in self._untold),
            *(
                f"{stem_title(entry['subject'])}: a plug-in of its chain was left out. {entry['why']}"
                for entry in plugins
            ),
        )

    @property
    def _untold(self) -> list[Facts]:
        """Beats, chords or sections that could not be told."""
        return list(self.music.facts.get(LEFT_OUT, ())) if self.music else []

    @property
    def is_preview(self) -> bool:
        """Whether the stems come from an engine that a better one exists for."""
        return bool(self.separated and self.separated.facts["is_preview"])

    def results(self) -> Iterator[StageResult]:
        """Every result that is there."""
        stems = (self.separated, self.dry, self.music, self.mixed)
        made = (self.song, self.analysis, *stems, self.masters, self.checked)
        return (result for result in made if result is not None)

    def assets(self) -> tuple[Asset, ...]:
        """Every asset that was made, each role once: the last stage that gives a role wins."""
        return tuple({asset.role: asset for result in self.results() for asset in result.assets}.values())


def stem_title(label: str) -> str:
    """A stem's name for people and files: "Backing Vocals", "Synth 2", "FX"."""
    words = label.replace("_", " ").split()
    return " ".join("FX" if word == "fx" else word.capitalize() for word in words)

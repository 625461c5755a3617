"""The configuration: read once at start into a frozen value.

``config.toml`` in the package holds every default beside its unit and reason. The user's own file is merged
over it, key by key; an unknown key is refused with the near one suggested.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli
from pydantic import BaseModel, Field, ValidationError, model_validator

from bridge.errors import ConfigError
from bridge.values import SampleFormat, Value

StageName = Literal[
    "ingest", "analyse", "separate", "restore", "transcribe", "mix", "master", "qa", "export", "deliver"
]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Dbfs = Annotated[float, Field(ge=-150, le=0)]


class Work(Value):
    """Where and how jobs are worked on."""

    folder: str
    threads: Annotated[int, Field(ge=1, le=64)]
    keep_gb: Annotated[float, Field(ge=0)]
    reserve_gb: Annotated[float, Field(ge=0)]


class ServiceSettings(Value):
    """How the background service works."""

    jobs: Annotated[int, Field(ge=1, le=64)]
    without: tuple[str, ...]
    niceness: Annotated[int, Field(ge=0, le=19)]
    memory_gb: Annotated[float, Field(ge=0.5)]
    stall_s: Positive
    stage_limit_s: Positive
    retry_after_s: tuple[Annotated[float, Field(ge=0, le=86_400)], ...]
    pause_s: Positive
    keep_days: Positive
    roots: tuple[str, ...]
    look_s: Annotated[float, Field(ge=0.1, le=60)]


class WatchedFolder(Value):
    """A folder whose songs are taken, and what is made of them."""

    path: Annotated[str, Field(min_length=1)]
    recipe: str = "full"
    project: str = ""
    """The project's folder; "" delivers beside the song."""
    targets: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder's absolute path."""
        return Path(os.path.abspath(home_path(self.path)))  # noqa: PTH100 - links stay as they are

    @property
    def project_folder(self) -> Path | None:
        """The project's absolute path; None to deliver beside the song."""
        return Path(os.path.abspath(home_path(self.project))) if self.project else None  # noqa: PTH100


class Watch(Value):
    """Which folders are watched, and how patiently."""

    folders: tuple[WatchedFolder, ...]
    quiet_s: Annotated[float, Field(ge=0.1, le=600)]
    poll_s: Annotated[float, Field(ge=0.1, le=3600)]
    rescan_s: Annotated[float, Field(ge=1, le=86_400)]


class WeightsSettings(Value):
    """Where networks' weights lie, and where they are fetched from."""

    folder: str
    offline: bool
    sources: dict[str, Annotated[str, Field(pattern=r"^https?://")]]


class EngineSettings(Value):
    """Which interpreters run the engines that live apart, where packages come from, what they may take."""

    pythons: dict[str, str]
    indexes: dict[str, Annotated[str, Field(pattern=r"^((https?|file)://.*)?$")]]
    reach_s: Annotated[float, Field(ge=0.1, le=60)]
    stall_s: Positive
    memory_gb: Annotated[float, Field(ge=0.1)]
    idle_s: Annotated[float, Field(ge=0)]


class Osc(Value):
    """Where the OSC door listens, and whom it trusts."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65_535)]
    reply_port: Annotated[int, Field(ge=1, le=65_535)]
    token: str
    heartbeat_s: Annotated[float, Field(ge=0.1, le=600)]


class Input(Value):
    """What is taken as a song."""

    min_duration_s: Annotated[float, Field(ge=0.4)]
    max_duration_s: Positive
    silence_dbfs: Dbfs
    loudest_dbfs: Annotated[float, Field(ge=20, le=200)]


class Separate(Value):
    """Which separators are tried."""

    engines: Annotated[tuple[str, ...], Field(min_length=1)]


class DemucsQuality(Value):
    """How much work Demucs puts into a song."""

    overlap: Annotated[float, Field(ge=0, le=0.9)]
    shifts: Annotated[int, Field(ge=0, le=20)]


class DemucsSettings(Value):
    """How Demucs works, and on what."""

    quality: str
    qualities: dict[str, DemucsQuality]
    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32"]
    threads: Annotated[int, Field(ge=0, le=128)]
    repository: str
    model: str
    hashes: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @model_validator(mode="after")
    def _knows_quality(self) -> Self:
        if self.quality not in self.qualities:
            raise ValueError(f"'{self.quality}' is no quality; there is: {', '.join(self.qualities)}")
        return self

    @property
    def work(self) -> DemucsQuality:
        """What the chosen quality means."""
        return self.qualities[self.quality]


class Restore(Value):
    """How far repair may go."""

    denoisers: tuple[str, ...]
    dc_dbfs: Dbfs
    click_limit_per_s: Positive
    noise_floor_dbfs: Dbfs
    denoise_limit_db: Annotated[float, Field(ge=0, le=40)]
    denoise_gain_db: Annotated[float, Field(ge=0, le=40)]
    denoise_loss_db: Dbfs
    extenders: tuple[str, ...]
    extend_below_hz: Annotated[float, Field(ge=5_000, le=20_000)]


class DeepFilterNetSettings(Value):
    """Where DeepFilterNet's network lies, and how far it may go."""

    model: str
    attenuation_limit_db: Annotated[float, Field(ge=0, le=100)]
    wet: Share
    threads: Annotated[int, Field(ge=1, le=64)]

    @property
    def share(self) -> float:
        """How much of what the network takes away is taken away, 0 to 1."""
        unlimited = 1.0 if self.attenuation_limit_db >= 100 else 1 - 10 ** (-self.attenuation_limit_db / 20)
        return float(self.wet * unlimited)


class Transcribe(Value):
    """Which transcribers are tried."""

    engines: Annotated[tuple[str, ...], Field(min_length=1)]


class Mix(Value):
    """How far mixing may go."""

    style: str
    headroom_dbfs: Dbfs
    balance_limit_db: Annotated[float, Field(ge=0, le=6)]
    balance_lu: dict[str, tuple[float, float]]
    crest_loss_db: Positive
    tone_shift_db: Positive
    chains: str


class Vst3Settings(Value):
    """Where third-party plug-ins lie, and how long and how large they may be."""

    folders: tuple[str, ...]
    load_s: Positive
    stall_s: Positive
    memory_gb: Annotated[float, Field(ge=0.1)]
    compares: bool


class Master(Value):
    """How masters are made."""

    bits: Literal[16, 24]
    drive_loss_db: Positive
    search_passes: Annotated[int, Field(ge=1, le=12)]
    search_tolerance_lu: Positive


class Qa(Value):
    """What a delivery has to pass."""

    max_attempts: Annotated[int, Field(ge=1, le=10)]
    loudness_tolerance_lu: Positive
    null_dbfs: Dbfs
    min_correlation: Annotated[float, Field(ge=-1, le=1)]
    dc_dbfs: Dbfs
    silence_share: Share
    clip_run_samples: Annotated[int, Field(ge=1)]


class DeliverySettings(Value):
    """What deliveries are called."""

    folder: Annotated[str, Field(min_length=1, pattern=r"^[^/\\.][^/\\]*$")]
    name: Annotated[str, Field(min_length=1)]
    name_confidence: Share
    stem_format: SampleFormat


class Export(Value):
    """What is written for other programs."""

    formats: tuple[str, ...]
    live_template: str

    @property
    def live_template_path(self) -> Path | None:
        """The Live Set to fill in; None where there is none."""
        return home_path(self.live_template) if self.live_template else None


class Recipe(Value):
    """Which stages run, with which chains, to which loudness targets."""

    title: str
    stages: tuple[StageName, ...]
    targets: tuple[str, ...] = ()
    style: str = "neutral"

    def has(self, stage: str) -> bool:
        """Whether the stage runs."""
        return stage in self.stages


class Config(Value):
    """All settings, as one frozen value."""

    work: Work
    service: ServiceSettings
    watch: Watch
    osc: Osc
    weights: WeightsSettings
    engines: EngineSettings
    input: Input
    separate: Separate
    demucs: DemucsSettings
    restore: Restore
    deepfilternet: DeepFilterNetSettings
    transcribe: Transcribe
    mix: Mix
    vst3: Vst3Settings
    master: Master
    qa: Qa
    delivery: DeliverySettings
    export: Export
    recipes: dict[str, Recipe]
    doors: dict[str, dict[str, Any]]
    """Settings of doors that are not ours, by their names."""

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name; ConfigError with the near one where there is none."""
        if name in self.recipes:
            return self.recipes[name]
        known = ", ".join(sorted(self.recipes))
        raise ConfigError(
            f"There is no recipe '{name}'; there is: {known}.{_did_you_mean(name, self.recipes)}"
        )

    @property
    def data_folder(self) -> Path:
        """Where jobs, finished stages and models live."""
        if self.work.folder:
            return home_path(self.work.folder)
        return default_data_folder()

    @property
    def chains_folder(self) -> Path | None:
        """Where the user's own chains lie; None where there are none."""
        return home_path(self.mix.chains) if self.mix.chains else None

    @property
    def weights_folder(self) -> Path:
        """Where networks' weights lie."""
        named = self.weights.folder
        return Path(named).expanduser() if named else self.data_folder / "models"

    @property
    def store_path(self) -> Path:
        """Where the jobs' database is."""
        return self.data_folder / "jobs.sqlite3"


def home_path(text: str | Path) -> Path:
    """A path as people write it: "~" is the home folder; "~Air" is a name where no user is called Air."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - the other one raises for "~Air"


def load_config(user_file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """The shipped defaults with the user's file merged over them, then ``overrides``.

    Args:
        user_file: a TOML file; None takes ``user_config_path()`` where it exists. A named file must exist.
        overrides: nested values that win over both.

    Raises:
        ConfigError: for a file that is not TOML, an unknown key or a value out of its range.
    """
    merged = _read_toml(shipped_config_path())
    path = user_file or user_config_path()
    if user_file is not None or path.exists():
        merged = _merged(merged, _read_toml(path))
    merged = _merged(merged, overrides or {})
    try:
        return Config.model_validate(merged)
    except ValidationError as cause:
        raise ConfigError(_explain(cause, path)) from cause


def load_usable_config(user_file: Path | None = None) -> tuple[Config, str]:
    """The configuration, or, where the user's file cannot be used, the shipped one with its work folder.

    For commands that have to find a running service whatever has become of its settings. The second value
    says what is wrong; "" where nothing is.
    """
    try:
        return load_config(user_file), ""
    except ConfigError as error:
        work = {"work": {"folder": _work_folder(user_file or user_config_path())}}
        return load_config(shipped_config_path(), work), error.message


def _work_folder(path: Path) -> str:
    try:
        folder = _read_toml(path).get("work", {}).get("folder", "")
    except (ConfigError, AttributeError):
        return ""
    return folder if isinstance(folder, str) else ""


def shipped_config_path() -> Path:
    """The config.toml that carries the defaults: beside this file in the wheel, else one folder up."""
    here = Path(__file__).parent
    in_wheel = here / "config.toml"
    return in_wheel if in_wheel.exists() else here.parent / "config.toml"


def user_config_path() -> Path:
    """Where the user's own settings belong; ``STEMBRIDGE_CONFIG`` names another place."""
    import platformdirs

    named = os.environ.get("STEMBRIDGE_CONFIG")
    return (
        Path(named) if named else platformdirs.user_config_path("stembridge", appauthor=False) / "config.toml"
    )


def default_data_folder() -> Path:
    """The system's data folder for stembridge; ``STEMBRIDGE_DATA`` names another."""
    import platformdirs

    named = os.environ.get("STEMBRIDGE_DATA")
    return Path(named) if named else platformdirs.user_data_path("stembridge", appauthor=False)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except tomli.TOMLDecodeError as cause:
        raise ConfigError(f"{path} is not valid TOML: {cause}. Mend that line or remove the file.") from cause
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}. Check the path and its permission.") from cause


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


def _explain(error: ValidationError, path: Path) -> str:
    lines = [_explain_one(item) for item in error.errors()]
    return f"In {path}: " + " ".join(lines)


def _explain_one(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        return f"'{where}' is not a setting.{_did_you_mean(key, _fields_at(item['loc'][:-1]))}"
    return f"'{where}' is {item.get('input')!r}: {item['msg'][0].lower()}{item['msg'][1:]}."


def _fields_at(location: tuple[str | int, ...]) -> list[str]:
    model: Any = Config
    for part in location:
        annotation = model.model_fields[part].annotation if part in model.model_fields else Recipe
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    return list(model.model_fields)


def _did_you_mean(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""

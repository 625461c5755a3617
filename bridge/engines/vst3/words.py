"""What a host process is asked, and what it answers: JSON, a line each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bridge.values import Value


class Setup(Value):
    """A plug-in and the state it is brought to: first its preset, then single parameters."""

    plugin: Path
    """Its bundle."""
    component: str = ""
    """Which plug-in of a bundle that holds several."""
    preset: Path | None = None
    parameters: dict[str, bool | float | str] = Field(default_factory=dict)


class Render(Value):
    """Audio through a plug-in, file to file."""

    kind: Literal["render"] = "render"
    setup: Setup
    source: Path
    target: Path
    input_db: float = 0.0
    """Gain before the plug-in, taken back behind it."""
    state: Path | None = None
    """Where to save its state as a .vstpreset."""


class Look(Value):
    """What a plug-in is and how it is set; with ``state`` that is saved, too."""

    kind: Literal["look"] = "look"
    setup: Setup
    state: Path | None = None
    has_window: bool = False
    """Whether its window is opened first, for the user to set it."""


Request = Annotated[Render | Look, Field(discriminator="kind")]


class ParameterFacts(Value):
    """A parameter as the plug-in tells it."""

    name: str
    value: str
    """As the plug-in writes it, without the unit; a number without needless zeros."""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The value with its unit."""
        return f"{self.value} {self.unit}".strip()


class PluginFacts(Value):
    """A plug-in as it tells of itself."""

    name: str
    vendor: str
    version: str
    category: str = ""
    latency_frames: int = 0
    """Taken out of what was rendered."""
    is_dual_mono: bool = False
    """Whether each channel had an instance of its own, since the plug-in is mono."""


class Rendered(Value):
    """The answer to ``Render``."""

    plugin: PluginFacts
    settings: dict[str, str] = Field(default_factory=dict)
    """The parameters that were set, as the plug-in has them: "3 dB"."""


class Looked(Value):
    """The answer to ``Look``."""

    plugin: PluginFacts
    parameters: tuple[ParameterFacts, ...]


class Told(Value):
    """A line from the host process."""

    phase: Literal["", "loading", "working", "waiting"] = ""
    """What it begins to do; "waiting" is for the user."""
    share: float | None = None
    """How far it came."""
    answer: Rendered | Looked | None = None
    fault: Literal["", "plugin", "audio"] = ""
    """Whether the plug-in is to blame, or a file of ours."""
    message: str = ""
    errno: int = 0

"""What is on a remote control: displays, choices and buttons, and which command each button gives."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from ableton.addresses import COMMANDS
from ableton.contract import PREFIX, Address, Type
from bridge.config import Config
from bridge.values import Value
from presets import TARGETS

WIDTH: Final = 800
HEIGHT: Final = 500
"""The panel's size; applications fit it to the screen."""
OWN_WAY: Final = "as usual"
"""The first of each choice: what the folder, the recipe or the job has."""


class Rect(Value):
    """A place on the panel, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


class Tone(StrEnum):
    """What a control looks like."""

    PLAIN = "plain"
    QUIET = "quiet"
    TITLE = "title"
    MAIN = "main"
    WARNING = "warning"


class DisplayKind(StrEnum):
    """How a display shows its value."""

    TEXT = "text"
    BAR = "bar"
    """A share from 0 to 1."""
    LAMP = "lamp"
    """0: away, 1: asking, 2: connected."""


class Display(Value):
    """Shows what the script says under its name."""

    name: str
    rect: Rect
    kind: DisplayKind = DisplayKind.TEXT
    tone: Tone = Tone.PLAIN
    is_right: bool = False
    """Whether its text ends at the right edge."""
    is_long: bool = False
    """Whether its text may have several lines."""


class Choice(Value):
    """One of several words, kept until another is chosen; the first stands for ""."""

    name: str
    rect: Rect
    label: str


class Button(Value):
    """Gives a command; ``fills`` says which of its arguments come from a choice, or from the shown job."""

    command: str
    rect: Rect
    label: str
    tone: Tone = Tone.PLAIN
    fills: Mapping[str, str] = MappingProxyType({})

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command

    @property
    def address(self) -> Address:
        """The command as the table of addresses has it."""
        return COMMANDS[PREFIX + self.command]

    @property
    def sources(self) -> tuple[str, ...]:
        """Where each argument after client and seq comes from, in their order; "" for one left at "".

        Raises KeyError for arguments that the command does not have, and ValueError for one that cannot be
        left out, or is no text, and is not filled: a layout that would give such a command is not made.
        """
        fields = {field.name: field for field in self.address.fields[2:]}
        unknown = self.fills.keys() - fields.keys()
        if unknown:
            raise KeyError(f"{self.address.usage} has no {', '.join(sorted(unknown))}")
        for name, field in fields.items():
            if field.type is not Type.TEXT or (name not in self.fills and not field.is_optional):
                raise ValueError(f"'{name}' of {self.address.usage} cannot come from a button")
        return tuple(self.fills.get(name, "") for name in fields)


class Switch(Value):
    """Changes what the panel shows; nothing is sent."""

    name: str
    rect: Rect
    label: str
    tone: Tone = Tone.PLAIN


Control = Display | Choice | Button | Switch

JOB: Final = "job"
"""What a button fills in from the job that is shown."""
_CHOSEN: Final = {"recipe": "recipe", "targets": "target"}


def _at(x: int, y: int, width: int, height: int) -> Rect:
    return Rect(x=x, y=y, width=width, height=height)


PANEL: Final[tuple[Control, ...]] = (
    Display(name="lamp", rect=_at(15, 18, 20, 20), kind=DisplayKind.LAMP),
    Display(name="state", rect=_at(45, 12, 740, 32), tone=Tone.QUIET),
    Choice(name="recipe", rect=_at(15, 54, 380, 48), label="Recipe"),
    Choice(name="target", rect=_at(405, 54, 380, 48), label="Target"),
    Button(
        command="process_newest",
        rect=_at(15, 112, 380, 84),
        label="Process newest",
        tone=Tone.MAIN,
        fills=_CHOSEN,
    ),
    Button(command="again", rect=_at(405, 112, 120, 84), label="Again", fills={"job": JOB, **_CHOSEN}),
    Button(command="retry", rect=_at(535, 112, 120, 84), label="Retry", fills={"job": JOB}),
    Button(
        command="cancel", rect=_at(665, 112, 120, 84), label="Cancel", tone=Tone.WARNING, fills={"job": JOB}
    ),
    Display(name="title", rect=_at(15, 208, 770, 42), tone=Tone.TITLE),
    Display(name="stage", rect=_at(15, 252, 560, 30)),
    Display(name="remaining", rect=_at(585, 252, 200, 30), tone=Tone.QUIET, is_right=True),
    Display(name="progress", rect=_at(15, 288, 770, 26), kind=DisplayKind.BAR),
    Display(name="before", rect=_at(15, 322, 380, 30), tone=Tone.QUIET),
    Display(name="after", rect=_at(405, 322, 380, 30)),
    Display(name="message", rect=_at(15, 358, 770, 54), tone=Tone.WARNING, is_long=True),
    Display(name="jobs", rect=_at(15, 418, 640, 72), tone=Tone.QUIET, is_long=True),
    Switch(name="next_job", rect=_at(665, 418, 120, 72), label="Next job"),
)
"""Every control."""
DISPLAYS: Final = tuple(control for control in PANEL if isinstance(control, Display))
CHOICES: Final = tuple(control for control in PANEL if isinstance(control, Choice))
BUTTONS: Final = tuple(control for control in PANEL if isinstance(control, Button))
SWITCHES: Final = tuple(control for control in PANEL if isinstance(control, Switch))


class Setup(Value):
    """What a layout has to know of the service that it talks to."""

    host: str
    """Where it listens, as seen from its own machine."""
    port: int
    token: str
    """For a remote on another machine; "" where the service listens to its own machine alone."""
    reply_port: int
    """Where a remote that does not know its own port is answered; 0: where it sends from."""
    choices: Mapping[str, tuple[str, ...]]
    """The words of each choice; the first is ``OWN_WAY``."""

    @classmethod
    def of(cls, config: Config) -> Setup:
        """As the settings have it."""
        osc = config.osc
        return cls(
            host=osc.host if osc.host not in ("0.0.0.0", "::") else "127.0.0.1",
            port=osc.port,
            token=osc.token,
            reply_port=osc.reply_port,
            choices={"recipe": (OWN_WAY, *config.recipes), "target": (OWN_WAY, *TARGETS)},
        )


def buttons_table() -> dict[str, dict[str, Any]]:
    """Each button's command by name, for scripts: where its arguments come from."""
    return {button.command: {"sources": list(button.sources)} for button in BUTTONS}

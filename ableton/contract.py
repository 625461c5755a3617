"""What an OSC message of stembridge is made of: what each argument may be, how it is read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from ableton.messages import MAX_ARGUMENTS, MAX_SENT_BYTES, Atom, Message, cut, size_bytes, string_bytes
from bridge.values import Value

PREFIX = "/stembridge/"
INT32_MOST = 2**31 - 1


class Type(StrEnum):
    """How an argument travels; the value is its OSC type tag."""

    TEXT = "s"
    INT = "i"
    FLOAT = "f"


class Direction(StrEnum):
    """Who sends a message, and why."""

    COMMAND = "command"
    """From the client; each is answered."""
    REPLY = "reply"
    """From the service: the answer to a command."""
    EVENT = "event"
    """From the service to those who subscribed: what happens to jobs."""
    NOTICE = "notice"
    """From the service to a client: about the connection."""


class Code(StrEnum):
    """Why a command was refused."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_ADDRESS = "unknown_address"
    BAD_ARGUMENTS = "bad_arguments"
    SEQUENCE_REUSED = "sequence_reused"
    NOT_PERMITTED = "not_permitted"
    BUSY = "busy"
    PATH = "path"
    INPUT = "input"
    SETTING = "setting"
    JOB = "job"
    NO_SONG = "no_song"
    TOO_LONG = "too_long"
    STORAGE = "storage"
    CLOSING = "closing"
    INTERNAL = "internal"


CODE_MEANINGS: Final[Mapping[Code, str]] = MappingProxyType(
    {
        Code.BAD_MESSAGE: 'The packet is no OSC that can be read. Client and seq are `""` and -1.',
        Code.UNKNOWN_ADDRESS: "There is no such command; the message names the near one.",
        Code.BAD_ARGUMENTS: "An argument is missing, of the wrong type or out of its bounds.",
        Code.SEQUENCE_REUSED: "This seq was given to another command. Count up.",
        Code.NOT_PERMITTED: "From another machine: say hello with the token, then the same seq again; after "
        "wrong tokens, wait a minute.",
        Code.BUSY: "Too much at once; nothing was done. Send the same command with the same seq again in a "
        "second.",
        Code.PATH: "The path is not absolute, of another system, or outside of the permitted folders.",
        Code.INPUT: "The file cannot be used as a song, or the project's folder is not there.",
        Code.SETTING: "There is no such recipe, target or wish; the message names the near one.",
        Code.JOB: "There is no such job, or it cannot do that in the state in which it is.",
        Code.NO_SONG: "No finished song lies in the watched folders, or none is watched.",
        Code.TOO_LONG: "The folder's path does not fit into a message; the manifest in the delivery has all.",
        Code.STORAGE: "The disk is full, or the database cannot be used. Free the cause; then a new seq.",
        Code.CLOSING: "The service stops; nothing was done. Say hello when it is back, then send the same "
        "seq again.",
        Code.INTERNAL: "A fault of stembridge; its log has the details.",
    }
)


class ArgumentsError(ValueError):
    """Arguments that a command does not take, told in words for whoever sent them."""


_PYTHON_TYPES: Final = {Type.TEXT: str, Type.INT: int, Type.FLOAT: int | float}


class Argument(Value):
    """One argument of a message."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    least: float = 0
    """The smallest number; not for texts."""
    most: float = INT32_MOST
    """The greatest number; not for texts."""
    longest_bytes: int = 64
    """The longest text, in bytes of UTF-8; longer ones are refused from clients, and cut in what is sent."""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    """What a client's text must look like, as a regular expression; "" for any."""
    default: Atom | None = None
    """What it is where it is left out; None for one that must be given."""

    @property
    def is_optional(self) -> bool:
        """Whether it may be left out, with all that follow."""
        return self.default is not None

    def read(self, given: object) -> Atom:
        """The argument as given by a client; ArgumentsError where it is none of this kind."""
        if self.type is Type.TEXT:
            return self._read_text(given)
        return self._read_number(given)

    def is_of_type(self, value: Atom) -> bool:
        """Whether a value is what travels under the type; a whole float may have become an int on its way."""
        return isinstance(value, _PYTHON_TYPES[self.type]) and not isinstance(value, bool)

    def fitted(self, value: Atom) -> Atom:
        """The value as it is sent: of its type, texts cut to their length, numbers kept in bounds."""
        if self.type is Type.TEXT:
            return cut(str(value), self.longest_bytes)
        number = min(max(float(value), self.least), self.most)
        return number if self.type is Type.FLOAT else int(number)

    @property
    def most_bytes(self) -> int:
        """The most room that it takes in a message, its type tag included."""
        return 1 + (string_bytes(self.longest_bytes) if self.type is Type.TEXT else 4)

    def _read_text(self, given: object) -> str:
        # Max turns a symbol of digits into a number on many ways; it is meant as text all the same
        text = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        if not isinstance(text, str):
            raise ArgumentsError(f"'{self.name}' is {given!r}; wanted a text: {self.meaning}")
        length = len(text.encode("utf-8", "replace"))
        if length > self.longest_bytes:
            raise ArgumentsError(
                f"'{self.name}' has {length} bytes; wanted at most {self.longest_bytes}: {self.meaning}"
            )
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise ArgumentsError(f"'{self.name}' is {cut(text, 80)!r}; wanted {self.meaning}")
        return text

    def _read_number(self, given: object) -> int | float:
        if not isinstance(given, int | float) or not math.isfinite(given):
            raise ArgumentsError(f"'{self.name}' is {cut(repr(given), 80)}; wanted a number: {self.meaning}")
        if not self.least <= given <= self.most:
            raise ArgumentsError(
                f"'{self.name}' is {given:g}; wanted {self.least:g} to {self.most:g}: {self.meaning}"
            )
        if self.type is Type.INT and given != int(given):
            raise ArgumentsError(f"'{self.name}' is {given:g}; wanted a whole number: {self.meaning}")
        return int(given) if self.type is Type.INT else float(given)


class Address(Value):
    """One message: where it goes, what it carries, and what comes of it."""

    name: str
    """The address without ``PREFIX``."""
    direction: Direction
    does: str
    fields: tuple[Argument, ...]
    row: tuple[Argument, ...] = ()
    """Arguments that are repeated after the others, once for each line of a list."""
    replies: tuple[str, ...] = ()
    """Names of the messages that answer it."""
    refusals: tuple[Code, ...] = ()
    """Codes with which it may be refused, beside those that every command has."""
    makes_job: bool = False
    example: Annotated[str, Field(description="arguments for oscsend, types first")] = ""

    @property
    def address(self) -> str:
        """The whole OSC address."""
        return PREFIX + self.name

    def read(self, given: Sequence[object]) -> Mapping[str, Atom]:
        """A command's arguments by name, the missing ones with their defaults; ArgumentsError in words.

        More arguments than there are fields are let be, so that a newer client can talk to an older service.
        """
        found: dict[str, Atom] = {}
        for place, field in enumerate(self.fields):
            if place < len(given):
                found[field.name] = field.read(given[place])
            elif field.default is not None:
                found[field.name] = field.default
            else:
                raise ArgumentsError(f"'{field.name}' is missing; wanted {self.usage}")
        return found

    def message(self, *values: Atom, rows: Sequence[Sequence[Atom]] = ()) -> Message:
        """The message with these arguments, each made to fit; as many whole ``rows`` as there is room for."""
        pairs = zip(self.fields, values, strict=True)
        arguments = [field.fitted(value) for field, value in pairs]
        whole = Message(self.address, tuple(arguments))
        for row in rows:
            cells = tuple(field.fitted(value) for field, value in zip(self.row, row, strict=True))
            longer = Message(self.address, whole.arguments + cells)
            if size_bytes(longer) > MAX_SENT_BYTES or len(longer.arguments) > MAX_ARGUMENTS:
                break
            whole = longer
        return whole

    def rows_of(self, message: Message) -> list[tuple[Atom, ...]]:
        """The rows in a message that ``message`` made."""
        cells, width = message.arguments[len(self.fields) :], len(self.row)
        if not width:
            return []
        return [tuple(cells[at : at + width]) for at in range(0, len(cells), width)]

    def describes(self, message: Message) -> bool:
        """Whether a message has arguments of the types that ``message`` writes, and whole rows.

        More than there are fields are let be, so that a newer service can talk to an older client.
        """
        beyond, width = len(message.arguments) - len(self.fields), len(self.row)
        if beyond < 0 or (width and beyond % width):
            return False
        rows = self.row * (beyond // width if width else 0)
        pairs = zip((*self.fields, *rows), message.arguments, strict=False)
        return all(field.is_of_type(value) for field, value in pairs)

    @property
    def usage(self) -> str:
        """The address with its arguments' names, optional ones in brackets, repeated ones in braces."""
        words = [f"[{f.name}]" if f.is_optional else f.name for f in self.fields]
        rows = ["{" + " ".join(field.name for field in self.row) + "}"] if self.row else []
        return " ".join([self.address, *words, *rows])

    @property
    def most_bytes(self) -> int:
        """The largest that the message gets: with one row, where it has rows."""
        fields = (*self.fields, *self.row)
        tags = string_bytes(1 + len(fields))
        return string_bytes(len(self.address)) + tags + sum(field.most_bytes - 1 for field in fields)

"""Writes docs/osc.md from the table of addresses: ``python -m ableton.addresses > docs/osc.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from ableton.addresses import COMMON_REFUSALS, TABLE
from ableton.contract import CODE_MEANINGS, INT32_MOST, Address, Argument, Direction, Type

_TYPE_WORDS = {Type.TEXT: "string", Type.INT: "int32", Type.FLOAT: "float32"}

_INTRODUCTION = """\
# Talking to stembridge by OSC

This page is made from the table that the server obeys (`python -m ableton.addresses > docs/osc.md`).

## In a minute

stembridge listens on `127.0.0.1:17710`, by UDP, and by TCP with each packet after its length (OSC 1.0). With
liblo's tools (Debian: `liblo-tools`), in two terminals:

    oscdump 9000
    oscsend localhost 17710 /stembridge/hello sii me 1 9000
    oscsend localhost 17710 /stembridge/subscribe si me 2
    oscsend localhost 17710 /stembridge/process siss me 3 "$HOME/Music/Suno/Night Drive.wav" full

Answers and events appear at port 9000. Events go on while the client says something at least every three
heartbeats (30 s as shipped), `/stembridge/ping` for example.

## How to talk

- **Types**: int32, float32 and string are sent; int64, double, true and false are taken, too. A whole float
  passes for an int. No message that is sent is larger than 1,400 bytes or has more than 64 arguments; long
  lists come in pages, long texts are cut with "..." (each says how to get the rest). Packets up to 65,536
  bytes and bundles are taken, time tags are not heeded.
- **Client and seq**: every command carries a name that the client made up afresh when it started, and a
  number that counts up. Every answer repeats both. A command takes effect once, however often it arrives;
  repeated, it gets the same answer again, also when the service was restarted in between (`is_new` may be 0
  then). Commands that are sent side by side may be done in another order than they were sent.
- **Answers**: `ack` comes at once; then, when the command is done, one more: its own reply or `refused`.
  Send again until that one is there: after 0.1 s, then after twice as long each time up to 1 s, with the same
  seq. If not even `ack` is heard three times, say hello before the next: the service may have been started
  anew, and no longer know the port. After `refused` with `busy` or `closing`, wait a second and send the same
  again. After `not_permitted` to anything but hello, say hello, then send the same seq again; if that hello
  is refused, too, it is over, and the next hello waits a minute. After any other, it is over: a new try needs
  a new seq.
- **Where answers go**: by TCP, back on the connection. By UDP, to the port named in `hello`; before any
  hello, to the port from which the command came. `refused` for what names no client that is known (no OSC, no
  client and seq) goes to that port, too, and to the one named last by a client on the same machine.
- **Events**: after `subscribe`. Each has its number and in `after` the number of the one told before it. Keep
  the highest number; ignore what is not higher. Where `after` is higher than yours, something was lost: keep
  the event for later, and ask for `events` from your number. `events_told` says how far you are then: if
  your number is at least `told` (or `told` is -1), yours is now at least `upto`; else ask again. A job's
  first event may be there before the answer to the command that made it.
- **Signs of life**: each subscriber gets a `beat` every heartbeat. If its `last` is higher than your number,
  ask for `events`. If three are missing, say hello again. The service in turn ends a subscription when it
  hears nothing for three heartbeats; to the next word it answers `unknown_client`: say hello, subscribe.
  Every `pong` says whether there is a subscription, too.
- **A new epoch**: the service was started anew, and numbers began again. Subscribe; `resync` tells the state.
- **From another machine**: only if `osc.host` is set to an address that others reach, and `osc.token` to at
  least 16 letters; each client's hello must carry it. It is sent in the clear: for your own network alone.
- **Paths** must lie in the folders of `service.roots`, in watched folders or in their projects.

`ableton/client.py` does all of this in Python. [remotes.md](remotes.md) has panels for Open Stage Control and
TouchOSC.
"""


def render_page() -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _section("Commands", Direction.COMMAND, "Each begins with these two:"),
        _section("Replies", Direction.REPLY, "Each begins with these two, as the command had them:"),
        _section("Events", Direction.EVENT, "Each begins with these four:"),
        _section("Notices", Direction.NOTICE, ""),
        _codes(),
    ]
    return "\n".join(parts)


def _section(title: str, direction: Direction, about_first: str) -> str:
    """A heading, the arguments that all in it begin with, and each address with the rest."""
    entries = [entry for entry in TABLE if entry.direction is direction]
    shared = _shared([entry.fields for entry in entries])
    lines = [f"## {title}\n"]
    if about_first:
        lines += [f"{about_first}\n", *_table(shared, ()), ""]
    return "\n".join([*lines, *(_entry(entry, len(shared)) for entry in entries)])


def _shared(fields: Sequence[tuple[Argument, ...]]) -> tuple[Argument, ...]:
    """What all begin with, by name."""
    columns = zip(*fields, strict=False)
    return tuple(column[0] for column in takewhile(lambda c: len({f.name for f in c}) == 1, columns))


def _entry(entry: Address, shared: int) -> str:
    lines = [f"### {entry.address}\n", f"{entry.does}\n", f"    {entry.usage}\n"]
    if entry.fields[shared:] or entry.row:
        lines += [*_table(entry.fields[shared:], entry.row), ""]
    return "\n".join(lines + _answers(entry))


def _table(fields: Iterable[Argument], row: Iterable[Argument]) -> list[str]:
    head = ["| argument | type | meaning |", "|---|---|---|"]
    return [*head, *_rows(fields), *_rows(row, "repeated: ")]


def _rows(fields: Iterable[Argument], before: str = "") -> list[str]:
    return [f"| {field.name} | {_type(field)} | {before}{_meaning(field)} |" for field in fields]


def _type(field: Argument) -> str:
    words = [_TYPE_WORDS[field.type], field.unit, _bounds(field)]
    return ", ".join(word for word in words if word)


def _bounds(field: Argument) -> str:
    if field.type is Type.TEXT:
        return f"up to {field.longest_bytes} bytes"
    if field.most == INT32_MOST:
        return "" if field.least == 0 else f"from {field.least:g}"
    return f"{field.least:g} to {field.most:g}"


def _meaning(field: Argument) -> str:
    choices = f": {', '.join(field.choices)}" if field.choices else ""
    optional = " (may be left out)" if field.is_optional else ""
    return (field.meaning + choices + optional).replace("|", "\\|")


def _answers(entry: Address) -> list[str]:
    if entry.direction is not Direction.COMMAND:
        return []
    replies = ", ".join(f"`{name}`" for name in entry.replies)
    own = [f"`{code}`" for code in entry.refusals if code not in COMMON_REFUSALS]
    lines = [f"Answered by {replies}." + (f" Refused with {', '.join(own)}." if own else "") + "\n"]
    if entry.example:
        lines.append(f"    oscsend localhost 17710 {entry.address} {entry.example}\n")
    return lines


def _codes() -> str:
    common = ", ".join(f"`{code}`" for code in COMMON_REFUSALS)
    lines = [
        "## Codes of `refused`\n",
        f"Every command may be refused with {common}.\n",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code} | {meaning} |" for code, meaning in CODE_MEANINGS.items()),
    ]
    return "\n".join(lines) + "\n"

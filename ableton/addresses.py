"""Every OSC message of stembridge in one table: the server, its page and the Live device derive from it.

``python -m ableton.addresses`` prints the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ableton.contract import Address, Argument, Code, Direction, Type
from bridge.values import JobState

PROTOCOL = 1
"""Counts up when an old client would misunderstand; new addresses and trailing arguments do not count."""


def _text(name: str, meaning: str, longest_bytes: int = 64, **more: object) -> Argument:
    return Argument(name=name, type=Type.TEXT, meaning=meaning, longest_bytes=longest_bytes, **more)


def _int(name: str, meaning: str, **more: object) -> Argument:
    return Argument(name=name, type=Type.INT, meaning=meaning, **more)


def _float(name: str, meaning: str, **more: object) -> Argument:
    return Argument(name=name, type=Type.FLOAT, meaning=meaning, **more)


PATH_BYTES = 4096
FOLDER_BYTES = 880
"""Room for a delivery's folder in a message, beside one file's name."""

CLIENT = _text(
    "client",
    "a name that the client made up afresh when it started: 1 to 64 of a-z A-Z 0-9 . _ -",
    pattern=r"[A-Za-z0-9._-]{1,64}",
)
SEQ = _int("seq", "counts up with each command of the client")
_SEQ_OR_NONE = SEQ.evolve(least=-1)
_JOB = _text("job", "the job's id")
_STATE = _text("state", "where the job stands", 12, choices=tuple(JobState))
_TITLE = _text("title", "name of the song's file, without its ending, or of its folder of stems", 240)
_STAGE = _text("stage", "the stage's name", 24)
_WORDS = _text("words", "the same for people", 48)
_SHARE = _float("share", "how much of the job is done", most=1)
_RECIPE = _text("recipe", "the recipe's name", 64)
_NUMBER = _int("number", "the event's number")
_EPOCH = _text("epoch", "names this run of the service; where it changed, numbers began anew", 16)
_AFTER = _int("after", "number of the event told before this one; if yours is lower, you missed some")
_OFFSET = _int("offset", "how many to pass over", default=0)
_TOTAL = _int("total", "how many there are")
_SHOWN_OFFSET = _int("offset", "how many were passed over")
_IS = {"most": 1}

_ASKED = (CLIENT, SEQ)
_TOLD = (_NUMBER, _EPOCH, _JOB, _AFTER)

_NEW_RECIPE = _text(
    "recipe", 'a recipe\'s name; "" or left out: as the folder is watched, else full', default=""
)
_NEW_PROJECT = _text(
    "project",
    'the project\'s folder, or the path of its Live Set; "" or left out: as the folder is watched, else '
    "beside the song",
    PATH_BYTES,
    default="",
)
_NEW_TARGETS = _text(
    "targets", 'loudness targets with commas between; "": the recipe\'s own', 400, default=""
)
_NEW_WISHES = _text("wishes", 'wishes with semicolons between, as "punchy drums; warm"', 600, default="")
_PATH = _text(
    "path", 'the song\'s absolute path, or ~/...; "Macintosh HD:/Users/..." and "C:/..." too', PATH_BYTES
)


def _command(name: str, does: str, *fields: Argument, replies: str, **more: object) -> Address:
    return Address(
        name=name,
        direction=Direction.COMMAND,
        does=does,
        fields=(*_ASKED, *fields),
        replies=tuple(replies.split()),
        **more,
    )


def _reply(name: str, does: str, *fields: Argument, row: tuple[Argument, ...] = ()) -> Address:
    return Address(name=name, direction=Direction.REPLY, does=does, fields=(*_ASKED, *fields), row=row)


def _event(name: str, does: str, *fields: Argument) -> Address:
    return Address(name=name, direction=Direction.EVENT, does=does, fields=(*_TOLD, *fields))


def _notice(name: str, does: str, *fields: Argument, row: tuple[Argument, ...] = ()) -> Address:
    return Address(name=name, direction=Direction.NOTICE, does=does, fields=fields, row=row)


_COMMANDS = (
    _command(
        "hello",
        "Says who the client is, and where its answers shall go. The first thing to say, and again when "
        "nothing was heard for three heartbeats; it forgets nothing.",
        _int(
            "reply_port",
            "UDP port for answers, on the machine that asks; 0: the port it sends from; left out: "
            "osc.reply_port of the settings. Not heeded over TCP",
            least=-1,
            most=65_535,
            default=-1,
        ),
        _text("token", "needed from another machine: osc.token of the settings", 256, default=""),
        _text(
            "capabilities",
            "what the client can, words with spaces between; none is needed yet",
            200,
            default="",
        ),
        replies="welcome",
        refusals=(Code.NOT_PERMITTED,),
        example="siis me 1 9000 ''",
    ),
    _command(
        "process",
        "Makes a job of a song. If an equal one is open, that is the answer.",
        _PATH,
        _NEW_RECIPE,
        _NEW_PROJECT,
        _NEW_TARGETS,
        _NEW_WISHES,
        replies="accepted",
        refusals=(Code.PATH, Code.INPUT, Code.SETTING, Code.STORAGE),
        makes_job=True,
        example="siss me 2 '/home/me/Music/Suno/Night Drive.wav' full",
    ),
    _command(
        "process_newest",
        "Makes a job of the newest song in the watched folders that is finished and whole. If that was done "
        "already, the job that did it is the answer (state SUCCESS: ask for its `files`).",
        _NEW_RECIPE,
        _NEW_PROJECT,
        _NEW_TARGETS,
        _NEW_WISHES,
        replies="accepted",
        refusals=(Code.NO_SONG, Code.PATH, Code.INPUT, Code.SETTING, Code.STORAGE),
        makes_job=True,
        example="si me 3",
    ),
    _command(
        "cancel",
        "Ends a job; one at work ends within a second, and `cancelled` tells when.",
        _JOB,
        replies="accepted",
        refusals=(Code.JOB, Code.STORAGE),
        example="sis me 4 0193b1c2d3e4f506",
    ),
    _command(
        "retry",
        "Makes a new job of one that ended, as it was; finished stages are not computed again.",
        _JOB,
        replies="accepted",
        refusals=(Code.JOB, Code.INPUT, Code.SETTING, Code.STORAGE),
        makes_job=True,
    ),
    _command(
        "again",
        'As `retry`, with changes; "" leaves as it was.',
        _JOB,
        _text("recipe", 'a recipe\'s name; "": as it was', default=""),
        _text("project", 'the project\'s folder or Live Set; "": as it was', PATH_BYTES, default=""),
        _text("targets", 'loudness targets with commas between; "": as they were', 400, default=""),
        _text("wishes", 'wishes with semicolons between; "": as they were', 600, default=""),
        replies="accepted",
        refusals=(Code.JOB, Code.PATH, Code.INPUT, Code.SETTING, Code.STORAGE),
        makes_job=True,
    ),
    _command(
        "status",
        "Tells how a job stands; without a job, how the service does.",
        _text("job", 'the job\'s id; "" or left out: the service', default=""),
        replies="job service",
        refusals=(Code.JOB, Code.STORAGE),
    ),
    _command(
        "list",
        "Lists jobs, newest first, as many as fit into a message. The next page: `before` the last one's id.",
        _int("limit", "at most so many", least=1, most=50, default=50),
        _text("before", 'only jobs older than this one; "": from the newest', default=""),
        replies="job_list",
        refusals=(Code.STORAGE,),
    ),
    _command(
        "files",
        "Lists what a job delivered. The next page: `offset` and the rows that came, until `total`.",
        _JOB,
        _OFFSET,
        replies="file_list",
        refusals=(Code.JOB, Code.TOO_LONG, Code.STORAGE),
    ),
    _command(
        "figures",
        "Lists what was measured, by name: tempo, key, loudness and true peak of the source and of each "
        "master, and which file is which stem. The next page as with `files`.",
        _JOB,
        _OFFSET,
        replies="figure_list",
        refusals=(Code.JOB, Code.STORAGE),
    ),
    _command(
        "error",
        "Tells the whole text of why a job failed, was cancelled or waits. The next part: `offset` and the "
        "bytes that came, until `total`.",
        _JOB,
        _OFFSET,
        replies="error_text",
        refusals=(Code.JOB, Code.STORAGE),
    ),
    _command("recipes", "Lists the recipes.", _OFFSET, replies="recipe_list"),
    _command("targets", "Lists the loudness targets.", _OFFSET, replies="target_list"),
    _command(
        "subscribe",
        "Asks for events from now on. With the last number and epoch that the client has, it can ask for "
        "what it missed by `events`; without, or where that is too old, `resync` tells the state first.",
        _int(
            "from", "number of the last event that the client has; -1 or left out: none", least=-1, default=-1
        ),
        _text("epoch", "the epoch of that number", 16, default=""),
        replies="subscribed",
        refusals=(Code.STORAGE,),
        example="si me 5",
    ),
    _command("unsubscribe", "Asks for no more events.", replies="unsubscribed"),
    _command(
        "events",
        "Asks again for events that were missed; they come before the reply, at most 50 at a time. Where "
        "they are no longer kept, `resync` tells the state.",
        _int("from", "number of the last event that the client has"),
        _text("epoch", "the epoch of that number", 16),
        replies="events_told",
        refusals=(Code.STORAGE,),
    ),
    _command(
        "ping",
        "A sign of life; every other command is one too. One is wanted at least every three heartbeats.",
        replies="pong",
        example="si me 6",
    ),
)

_REPLIES = (
    _reply("ack", "The command was received. It is not done yet: go on waiting, but send it less often."),
    _reply(
        "welcome",
        "Answers `hello`.",
        _text("version", "stembridge's version", 24),
        _int("protocol", "counts up when old clients would misunderstand"),
        _EPOCH,
        _int("last", "number of the newest event"),
        _float("heartbeat_s", "time between signs of life", unit="s", most=600),
        _text("capabilities", "names of the commands that there are", 400),
    ),
    _reply(
        "accepted",
        "The command took effect and is on the disk.",
        _JOB,
        _int("is_new", "1 where it made the job", **_IS),
        _STATE,
        _TITLE,
    ),
    Address(
        name="refused",
        direction=Direction.REPLY,
        does='The command did nothing. Where it could not be read, client is `""` and seq -1.',
        fields=(
            CLIENT,
            _SEQ_OR_NONE,
            _text("code", "why, for programs", 24, choices=tuple(Code)),
            _text("message", "what was found, what was wanted and what to do", 900),
        ),
    ),
    _reply(
        "job",
        "How a job stands.",
        _JOB,
        _STATE,
        _STAGE,
        _SHARE,
        _TITLE,
        _RECIPE,
        _int("attempt", "how often it was begun"),
        _int("files", "how many files it delivered"),
        _text("linked_to", "the job that it repeats", 64),
        _text("error", "why it failed, was cancelled or waits; cut, `error` has all", 300),
    ),
    _reply(
        "service",
        "How the service does.",
        _text("version", "stembridge's version", 24),
        _EPOCH,
        _int("last", "number of the newest event"),
        _int("waiting", "jobs that wait"),
        _int("working", "jobs at work"),
        _int("succeeded", "jobs that ended well"),
        _int("failed", "jobs that failed"),
        _int("cancelled", "jobs that were cancelled"),
    ),
    _reply(
        "job_list",
        "A page of jobs.",
        _int("has_more", "1 where older ones follow", **_IS),
        row=(_JOB, _STATE, _SHARE, _TITLE, _RECIPE),
    ),
    _reply(
        "file_list",
        "A page of a delivery.",
        _JOB,
        _TOTAL,
        _SHOWN_OFFSET,
        _text("folder", "the delivery's folder", FOLDER_BYTES),
        row=(_text("file", "a path inside the folder, with forward slashes", 300),),
    ),
    _reply(
        "figure_list",
        "A page of figures.",
        _JOB,
        _TOTAL,
        _SHOWN_OFFSET,
        row=(
            _text("figure", 'its name, as "tempo_bpm" or "masters.streaming.integrated_lufs"', 120),
            _text("value", "a number or a text", 300),
        ),
    ),
    _reply(
        "error_text",
        "A part of a job's error.",
        _JOB,
        _int("total", "bytes of the whole text"),
        _int("offset", "bytes before this part"),
        _text("part", "the part", 1000),
    ),
    _reply(
        "recipe_list",
        "A page of recipes.",
        _TOTAL,
        _SHOWN_OFFSET,
        row=(_RECIPE, _text("title", "what it makes", 160), _text("targets", "its loudness targets", 200)),
    ),
    _reply(
        "target_list",
        "A page of loudness targets.",
        _TOTAL,
        _SHOWN_OFFSET,
        row=(
            _text("target", "the target's name"),
            _text("title", "for people", 160),
            _float("loudness", "integrated loudness", unit="LUFS", least=-70, most=0),
            _float("ceiling", "highest true peak", unit="dBTP", least=-70, most=0),
        ),
    ),
    _reply(
        "subscribed",
        "Events come from now on.",
        _EPOCH,
        _int(
            "from", "the client now has everything up to this number: its own, or after a `resync` a new one"
        ),
        _int("last", "number of the newest event told; if `from` is lower, ask for `events`"),
    ),
    _reply("unsubscribed", "No more events come."),
    _reply(
        "events_told",
        "The events asked for were sent.",
        _EPOCH,
        _int("upto", "the client now has everything up to this number, if it got `told`"),
        _int(
            "told",
            "number of the last event that was sent for this, or of the state sent instead; -1: none",
            least=-1,
        ),
        _int("last", "number of the newest event told; while `upto` is lower, ask from `upto`"),
    ),
    _reply(
        "pong",
        "Answers `ping`.",
        _EPOCH,
        _int("last", "number of the newest event that was told"),
        _int("is_subscribed", "1 where events are sent to the client", **_IS),
    ),
)

_LEAST_ANY = {"least": -1}
_EVENTS = (
    _event("queued", "A job waits for its turn.", _TITLE, _RECIPE),
    _event("started", "Work on a job begins.", _int("attempt", "1 at the first time")),
    _event("stage", "A stage begins.", _STAGE, _WORDS, _SHARE),
    _event(
        "progress",
        "How far a job is; at most four times a second.",
        _SHARE,
        _float("remaining_s", "time to the end; -1 where nothing can be said", unit="s", **_LEAST_ANY),
        _STAGE,
        _WORDS,
    ),
    _event("note", "Something that the producer should know.", _STAGE, _text("text", "the note", 900)),
    _event(
        "postponed",
        "The job was put back and goes on later.",
        _float("delay_s", "time until it is tried again", unit="s"),
        _text("reason", "why", 900),
    ),
    _event(
        "done",
        "The job delivered.",
        _int("files", "how many files; the command `files` lists them"),
        _text("folder", 'the delivery\'s folder; "" where it does not fit', FOLDER_BYTES),
        _TITLE.evolve(meaning="name of the delivery's folder"),
    ),
    _event(
        "failed",
        "The job ended without a full delivery.",
        _text("error", "kind of the error", 64),
        _text("message", "why, and what to do; cut where it is long: the command `error` has all", 900),
    ),
    _event("cancelled", "The job was cancelled.", _text("reason", "why", 900)),
)

_NOTICES = (
    _notice(
        "beat", "A sign of life to each subscriber.", _EPOCH, _int("last", "number of the newest event told")
    ),
    _notice(
        "resync",
        "How things stand, for a client that is late or missed too much: the open jobs, and the last ones "
        "that ended, oldest first. Its number is now `last`.",
        _EPOCH,
        _int("last", "number of the newest event"),
        _int("part", "of so many messages, from 0; if one is missing, subscribe again"),
        _int("parts", "how many messages tell it", least=1),
        row=(
            _JOB,
            _STATE,
            _STAGE,
            _SHARE,
            _TITLE,
            _RECIPE,
            _int("files", "how many files it delivered"),
        ),
    ),
    _notice(
        "unknown_client",
        "The service does not know the client (any more), or ended its subscription for want of signs of "
        "life: say hello and subscribe again.",
        CLIENT,
    ),
    _notice("closing", "The service, or this door, closes. Say hello now and then until it is back.", _EPOCH),
)

TABLE: Final[tuple[Address, ...]] = (*_COMMANDS, *_REPLIES, *_EVENTS, *_NOTICES)
"""Every message."""
COMMANDS: Final[Mapping[str, Address]] = MappingProxyType({entry.address: entry for entry in _COMMANDS})
"""Commands by their whole address."""
SENT: Final[Mapping[str, Address]] = MappingProxyType(
    {entry.name: entry for entry in TABLE if entry.direction is not Direction.COMMAND}
)
"""What the service sends, by name."""
SENT_ADDRESSES: Final = frozenset(entry.address for entry in SENT.values())
COMMON_REFUSALS: Final = (
    Code.BAD_ARGUMENTS,
    Code.SEQUENCE_REUSED,
    Code.NOT_PERMITTED,
    Code.BUSY,
    Code.CLOSING,
    Code.INTERNAL,
)
"""Codes with which every command may be refused."""


def _main() -> None:
    import sys

    from ableton.page import render_page

    sys.stdout.write(render_page())


if __name__ == "__main__":
    _main()

"""What each command does: one small function for each, from its arguments to its answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ableton.addresses import COMMANDS, PROTOCOL, SENT
from ableton.clients import Clients
from ableton.contract import Address, Code
from ableton.messages import Atom, Message
from ableton.newest import known_sha256, newest_song
from ableton.paths import project_folder, read_path
from ableton.recap import tell_states
from ableton.routes import Route
from ableton.storyteller import Storyteller, folder_text
from ableton.titles import title_of
from bridge import __version__
from bridge.errors import ConfigError, InputError, JobError, StembridgeError, StorageError
from bridge.jobs import OPEN, Command, Submitted
from bridge.service import JobEdit, Service
from bridge.service.places import place_of
from bridge.values import ASKED_FOR, Delivery, Job, JobOrigin, JobRequest, JobState
from presets import TARGETS, PresetError

log = logging.getLogger(__name__)

CAPABILITIES: Final = " ".join(address.name for address in COMMANDS.values())


class RefusedError(Exception):
    """A command that is not done, with the code that says why."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A command as it was read: who asks, for what, with which arguments."""

    command: Address
    arguments: Mapping[str, Atom]
    route: Route

    @property
    def client(self) -> str:
        """The client's name."""
        return str(self.arguments["client"])

    @property
    def seq(self) -> int:
        """The command's number."""
        return int(self.arguments["seq"])

    def text(self, name: str) -> str:
        """An argument that is a text."""
        return str(self.arguments[name])

    def number(self, name: str) -> int:
        """An argument that is a number."""
        return int(self.arguments[name])

    def reply(self, name: str, *values: Atom, rows: list[tuple[Atom, ...]] | None = None) -> Message:
        """The answer, with client and seq repeated."""
        return SENT[name].message(self.client, self.seq, *values, rows=rows or [])

    @property
    def key(self) -> Command:
        """What makes the command take effect once."""
        return Command(client=self.client, number=self.seq)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What handlers work with."""

    service: Service
    clients: Clients
    storyteller: Storyteller
    on_subscribers: Callable[[], None] = lambda: None
    """Called when somebody subscribed or no longer does."""

    @property
    def epoch(self) -> str:
        """This run of the service."""
        return self.service.feed.epoch

    def way_to(self, asked: Asked) -> Route:
        """Where what belongs to a command goes: where its client is now."""
        return self.clients.route(asked.client) or asked.route


Handler = Callable[[Desk, Asked], Message]


def answer(desk: Desk, asked: Asked) -> Message:
    """Do the command and give its answer; whatever goes wrong is an answer, too."""
    try:
        return _made_before(desk, asked) or HANDLERS[asked.command.name](desk, asked)
    except RefusedError as refused:
        return asked.reply("refused", refused.code, refused.message)
    except (StembridgeError, PresetError) as error:
        return asked.reply("refused", code_of(error), str(error))
    except Exception as error:
        log.exception("A command failed; please report this", extra={"action": "osc_fault"})
        return asked.reply("refused", Code.INTERNAL, f"{type(error).__name__}: {error}. The log has more.")


def _made_before(desk: Desk, asked: Asked) -> Message | None:
    """The answer to a command that made its job already: its song or project may be gone by now."""
    made = desk.service.made_by(asked.key) if asked.command.makes_job else None
    return _submitted(asked, made) if made else None


def code_of(error: Exception) -> Code:
    """The code under which an error is told."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Code.INTERNAL)


_CODES: Final[tuple[tuple[type[Exception], Code], ...]] = (
    (InputError, Code.INPUT),
    (ConfigError, Code.SETTING),
    (PresetError, Code.SETTING),
    (JobError, Code.JOB),
    (StorageError, Code.STORAGE),
)


def _hello(desk: Desk, asked: Asked) -> Message:
    feed, heartbeat_s = desk.service.feed, desk.service.config.osc.heartbeat_s
    return asked.reply(
        "welcome", __version__, PROTOCOL, feed.epoch, feed.last_number, heartbeat_s, CAPABILITIES
    )


def _process(desk: Desk, asked: Asked) -> Message:
    path = _confined(desk, asked.text("path"), "path")
    request = _request(desk, asked, path)
    submitted = desk.service.submit(request, sha256=known_sha256(desk.service, path), command=asked.key)
    return _submitted(asked, submitted)


def _process_newest(desk: Desk, asked: Asked) -> Message:
    if not desk.service.config.watch.folders:
        raise RefusedError(
            Code.NO_SONG,
            "No folder is watched. Add one: stembridge watch add FOLDER, or name a song's path.",
        )
    found = newest_song(desk.service)
    if found is None:
        folders = ", ".join(folder.path for folder in desk.service.config.watch.folders)
        raise RefusedError(Code.NO_SONG, f"No finished song lies in {folders}. Export one and ask again.")
    request, counting = _request(desk, asked, found.path), OPEN | {JobState.SUCCESS}
    submitted = desk.service.submit(request, sha256=found.sha256, counting=counting, command=asked.key)
    return _submitted(asked, submitted)


def _cancel(desk: Desk, asked: Asked) -> Message:
    job = desk.service.cancel(asked.text("job"), "Cancelled from the OSC door.")
    return _accepted(asked, job, is_new=False)


def _retry(desk: Desk, asked: Asked) -> Message:
    return _submitted(asked, desk.service.again(asked.text("job"), command=asked.key))


def _again(desk: Desk, asked: Asked) -> Message:
    project = asked.text("project")
    edit = JobEdit(
        recipe=asked.text("recipe") or None,
        destination=_project(desk, project) if project else None,
        targets=_listed(asked.text("targets"), ",") or None,
        wishes=_listed(asked.text("wishes"), ";") or None,
    )
    return _submitted(asked, desk.service.again(asked.text("job"), edit, command=asked.key))


def _status(desk: Desk, asked: Asked) -> Message:
    if asked.text("job"):
        return _job_status(asked, desk.service.job(asked.text("job")))
    counts = [
        desk.service.count(frozenset(states))
        for states in (
            {JobState.PENDING},
            {JobState.PROCESSING, JobState.RETRYING_QA},
            {JobState.SUCCESS},
            {JobState.FAILED},
            {JobState.CANCELLED},
        )
    ]
    return asked.reply("service", __version__, desk.epoch, desk.service.feed.last_number, *counts)


def _job_status(asked: Asked, job: Job) -> Message:
    request = job.request
    return asked.reply(
        "job",
        job.id,
        job.state,
        job.stage,
        job.progress,
        title_of(request.source.name),
        request.recipe,
        job.attempt,
        len(job.delivery.files) if job.delivery else 0,
        job.linked_to,
        job.error,
    )


def _list(desk: Desk, asked: Asked) -> Message:
    limit = asked.number("limit")
    jobs = desk.service.jobs(limit=limit + 1, before=asked.text("before"))
    rows: list[tuple[Atom, ...]] = [
        (job.id, job.state, job.progress, title_of(job.request.source.name), job.request.recipe)
        for job in jobs[:limit]
    ]
    page = asked.reply("job_list", 0, rows=rows)
    shown = len(SENT["job_list"].rows_of(page))
    return asked.reply("job_list", int(shown < len(jobs)), rows=rows)


def _files(desk: Desk, asked: Asked) -> Message:
    job_id, delivery = asked.text("job"), _delivery(desk, asked)
    folder, offset = folder_text(delivery.folder), asked.number("offset")
    if not folder:
        raise RefusedError(Code.TOO_LONG, f"The folder of job {job_id} does not fit: {delivery.folder}")
    rows: list[tuple[Atom, ...]] = [(name,) for name in delivery.files]
    return asked.reply("file_list", job_id, len(rows), offset, folder, rows=rows[offset:])


def _figures(desk: Desk, asked: Asked) -> Message:
    rows: list[tuple[Atom, ...]] = list(_flat(_delivery(desk, asked).main_figures))
    offset = asked.number("offset")
    return asked.reply("figure_list", asked.text("job"), len(rows), offset, rows=rows[offset:])


def _error(desk: Desk, asked: Asked) -> Message:
    job = desk.service.job(asked.text("job"))
    whole, offset = job.error.encode("utf-8", "replace"), asked.number("offset")
    part = whole[offset:].decode("utf-8", "ignore")
    return asked.reply("error_text", job.id, len(whole), offset, _first_bytes(part, 1000))


def _recipes(desk: Desk, asked: Asked) -> Message:
    recipes, offset = desk.service.config.recipes, asked.number("offset")
    rows: list[tuple[Atom, ...]] = [(name, r.title, ",".join(r.targets)) for name, r in recipes.items()]
    return asked.reply("recipe_list", len(rows), offset, rows=rows[offset:])


def _targets(_desk: Desk, asked: Asked) -> Message:
    offset = asked.number("offset")
    rows: list[tuple[Atom, ...]] = [
        (name, t.title, t.integrated_lufs, t.ceiling_dbtp) for name, t in TARGETS.items()
    ]
    return asked.reply("target_list", len(rows), offset, rows=rows[offset:])


def _subscribe(desk: Desk, asked: Asked) -> Message:
    """The state first: without it there is no subscription. What is told meanwhile is between the numbers of
    the answer, so that the client asks for it."""
    number, feed = asked.number("from"), desk.service.feed
    is_known = asked.text("epoch") == feed.epoch and number >= 0 and feed.since(number) is not None
    start = number if is_known else tell_states(desk.service, desk.way_to(asked))
    desk.clients.subscribe(asked.client)
    desk.on_subscribers()
    return asked.reply("subscribed", feed.epoch, start, desk.storyteller.told)


def _unsubscribe(desk: Desk, asked: Asked) -> Message:
    desk.clients.unsubscribe(asked.client)
    desk.on_subscribers()
    return asked.reply("unsubscribed")


def _events(desk: Desk, asked: Asked) -> Message:
    route = desk.way_to(asked)
    retold = desk.storyteller.retell(asked.number("from"), asked.text("epoch"))
    if retold is None:
        # "told" is not -1: a client that loses the state may not pass over what it stands for
        start = tell_states(desk.service, route)
        return asked.reply("events_told", desk.epoch, start, start, desk.storyteller.told)
    for packet in retold.packets:
        route.send(packet)
    return asked.reply("events_told", desk.epoch, retold.upto, retold.told, desk.storyteller.told)


def _ping(desk: Desk, asked: Asked) -> Message:
    is_subscribed = desk.clients.is_subscribed(asked.client)
    return asked.reply("pong", desk.epoch, desk.storyteller.told, int(is_subscribed))


HANDLERS: Final[Mapping[str, Handler]] = {
    "hello": _hello,
    "process": _process,
    "process_newest": _process_newest,
    "cancel": _cancel,
    "retry": _retry,
    "again": _again,
    "status": _status,
    "list": _list,
    "files": _files,
    "figures": _figures,
    "error": _error,
    "recipes": _recipes,
    "targets": _targets,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "events": _events,
    "ping": _ping,
}


def _submitted(asked: Asked, submitted: Submitted) -> Message:
    return _accepted(asked, submitted.job, is_new=submitted.is_new)


def _accepted(asked: Asked, job: Job, *, is_new: bool) -> Message:
    return asked.reply("accepted", job.id, int(is_new), job.state, title_of(job.request.source.name))


def _delivery(desk: Desk, asked: Asked) -> Delivery:
    job = desk.service.job(asked.text("job"))
    if job.delivery is None:
        raise RefusedError(Code.JOB, f"Job {job.id} has delivered nothing (it is {job.state}).")
    return job.delivery


def _flat(figures: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested figures as pairs of texts, the names joined by dots."""
    if isinstance(figures, Mapping | list):
        pairs = figures.items() if isinstance(figures, Mapping) else enumerate(figures)
        for key, value in pairs:
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif figures is not None:
        yield name, str(figures)


def _confined(desk: Desk, text: str, what: str) -> Path:
    try:
        return desk.service.confine(read_path(text, what))
    except InputError as error:
        raise RefusedError(Code.PATH, str(error)) from error


def _project(desk: Desk, text: str) -> Path:
    folder = project_folder(_confined(desk, text, "project"))
    if not folder.is_dir():
        raise RefusedError(
            Code.INPUT, f"The project's folder {folder} is not there. Save the Live Set first, or make it."
        )
    return folder


def _request(desk: Desk, asked: Asked, song: Path) -> JobRequest:
    """What was asked for; where it was not said, as the song's place has it."""
    config = desk.service.config
    place, project = place_of(song, config), asked.text("project")
    recipe = asked.text("recipe") or place.recipe
    return JobRequest(
        source=song,
        recipe=recipe,
        destination=_project(desk, project) if project else place.destination,
        targets=_listed(asked.text("targets"), ",") or place.targets(recipe, config),
        wishes=_listed(asked.text("wishes"), ";"),
        origin=JobOrigin.OSC,
        priority=ASKED_FOR,
    )


def _listed(text: str, separator: str) -> tuple[str, ...]:
    """The words of a text with separators: OSC arrays are not understood everywhere."""
    return tuple(word.strip() for word in text.split(separator) if word.strip())


def _first_bytes(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")

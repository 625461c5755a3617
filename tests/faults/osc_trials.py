"""Commands through a bad network and restarts of the service: each must take effect exactly once."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ableton.addresses import COMMANDS
from ableton.client import OscClient, Pending
from ableton.contract import Code
from ableton.follower import Heard
from bridge.errors import ServiceError
from bridge.values import Job
from tests.faults.osc_proxy import LossyProxy, Weather
from tests.faults.osc_site import Site

CLIENTS = 4
IN_FLIGHT = 12
"""Commands of a client that wait for their answers at once."""
SONGS = 40
ANSWERED_IN_S = 60.0
SETTLED_IN_S = 30.0
RECIPES = ("full", "quick", "stems-only", "master-only")
MAKERS = ("process", "retry", "again")
EXPECTED_REFUSALS = {Code.JOB}
"""A job may have ended, or not yet, when it is to be cancelled or repeated."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A command that was given."""

    client: str
    name: str
    arguments: tuple[str | int, ...]
    pending: Pending

    def __str__(self) -> str:
        return f"{self.client} {self.pending.seq}: {self.name} {self.arguments}"

    @property
    def heard(self) -> Heard | None:
        return self.pending.heard

    @property
    def job(self) -> str:
        """The job that the answer names."""
        heard = self.heard
        return str(heard.values["job"]) if heard and heard.name == "accepted" else ""


@dataclass(kw_only=True)
class Counts:
    """What went wrong, each with the words that tell it; and how much there was."""

    commands: int = 0
    repeats: int = 0
    jobs: int = 0
    restarts: int = 0
    events: int = 0
    seen: int = 0
    dropped: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    wrong_events: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        kinds = {
            "lost": self.lost,
            "doubled": self.doubled,
            "wrong": self.wrong,
            "events": self.wrong_events,
        }
        return [f"{kind}: {words}" for kind, found in kinds.items() for words in found]

    def __str__(self) -> str:
        return (
            f"{self.commands} commands ({self.repeats} repeats; {self.dropped} of {self.seen} datagrams "
            f"lost), {self.jobs} jobs, {self.restarts} restarts, {self.events} events: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.wrong)} wrong, "
            f"{len(self.wrong_events)} events wrong"
        )


class Listener:
    """Follows the story through the same network, and checks it."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._epoch = ""
        self._number = -1
        self.start = -1
        """Number of the event up to which it was told the state, and not the story."""
        self.states: dict[str, str] = {}

    def hear(self, heard: Heard) -> None:
        """An event or a resync."""
        if heard.name == "resync":
            self._epoch, self._number = str(heard.values["epoch"]), int(heard.values["last"])
            self.start = self._number
            self.states |= {str(row[0]): str(row[1]) for row in heard.rows}
        elif heard.name != "closing":
            self._hear_event(heard)

    def _hear_event(self, heard: Heard) -> None:
        self._counts.events += 1
        number, after = int(heard.values["number"]), int(heard.values["after"])
        if heard.values["epoch"] != self._epoch or number <= self._number or after > self._number:
            self._counts.wrong_events.append(f"{heard} after {self._number} of {self._epoch}")
        self._number = number
        ended = {"done": "SUCCESS", "failed": "FAILED", "cancelled": "CANCELLED"}
        if heard.name in ended:
            self.states[str(heard.values["job"])] = ended[heard.name]


class Giver:
    """One client that gives commands by a seed, several at once."""

    def __init__(self, client: OscClient, songs: list[Path], count: int, seed: int) -> None:
        self._client = client
        self._songs = songs
        self._count = count
        self._chance = random.Random(seed)
        self.given: list[Given] = []

    def run(self) -> None:
        """Give all commands, and wait for their answers."""
        for place in range(self._count):
            if place >= IN_FLIGHT:
                _wait(self.given[place - IN_FLIGHT].pending)
            self.given.append(self._give())
        for given in self.given:
            _wait(given.pending)

    def _give(self) -> Given:
        name, arguments = self._command()
        pending = self._client.send(name, *arguments)
        return Given(client=self._client.name, name=name, arguments=arguments, pending=pending)

    def _command(self) -> tuple[str, tuple[str | int, ...]]:
        known = [given.job for given in self.given if given.job]
        kind = self._chance.random()
        if not known or kind < 0.55:
            return "process", (str(self._chance.choice(self._songs)), self._chance.choice(RECIPES))
        job = self._chance.choice(known)
        if kind < 0.65:
            return "cancel", (job,)
        if kind < 0.75:
            return "retry", (job,)
        if kind < 0.82:
            return "again", (job, self._chance.choice(RECIPES))
        return self._chance.choice([("status", (job,)), ("list", (5,)), ("files", (job,)), ("ping", ())])


def run_trials(commands: int, seed: int, tell: Callable[[str], None], restarts: int | None = None) -> Counts:
    """Give so many commands through the worst network that is promised to be survived; count the faults."""
    counts = Counts()
    wanted_restarts = max(1, commands // 400) if restarts is None else restarts
    with tempfile.TemporaryDirectory(prefix="stembridge-osc-") as name, ExitStack() as stack:
        folder = Path(name).resolve()
        site = Site(folder, seed)
        stack.callback(site.close)
        proxy = stack.enter_context(LossyProxy(site.port, Weather(), seed))
        listener = Listener(counts)
        follower = stack.enter_context(OscClient(port=proxy.port))
        follower.subscribe(listener.hear)
        givers = _givers(stack, proxy.port, _songs(folder), commands, seed)
        _give_all(site, givers, wanted_restarts, counts, tell)
        _await_end(site)
        _judge(givers, site.jobs(), counts)
        _judge_listener(listener, site, counts)
        counts.seen, counts.dropped = proxy.seen, proxy.lost
    return counts


def _givers(stack: ExitStack, port: int, songs: list[Path], commands: int, seed: int) -> list[Giver]:
    shares = [commands // CLIENTS + (number < commands % CLIENTS) for number in range(CLIENTS)]
    return [
        Giver(stack.enter_context(OscClient(port=port)), songs, share, seed * 1000 + number)
        for number, share in enumerate(shares)
    ]


def _songs(folder: Path) -> list[Path]:
    songs = [folder / f"Song {number}.wav" for number in range(SONGS)]
    for number, song in enumerate(songs):
        song.write_bytes(b"RIFF%d" % number)
    return songs


def _give_all(
    site: Site, givers: list[Giver], restarts: int, counts: Counts, tell: Callable[[str], None]
) -> None:
    threads = [threading.Thread(target=giver.run, daemon=True) for giver in givers]
    for thread in threads:
        thread.start()
    total = sum(giver._count for giver in givers)
    marks = [total * (number + 1) // (restarts + 1) for number in range(restarts)]
    while any(thread.is_alive() for thread in threads):
        threads[0].join(0.01)
        done = sum(len(giver.given) for giver in givers)
        if marks and done >= marks[0]:
            marks.pop(0)
            site.restart()
            counts.restarts += 1
            tell(f"{done} of {total} commands given; the service was started anew")


def _await_end(site: Site) -> None:
    deadline_s = time.monotonic() + SETTLED_IN_S
    while time.monotonic() < deadline_s:
        if all(job.state.is_terminal for job in site.jobs().values()):
            return
        time.sleep(0.02)


def _wait(pending: Pending) -> None:
    """Whatever the answer is, it is judged later."""
    try:
        pending.wait(ANSWERED_IN_S)
    except ServiceError:
        return


def _judge(givers: list[Giver], jobs: dict[str, Job], counts: Counts) -> None:
    given = [one for giver in givers for one in giver.given]
    counts.commands, counts.jobs = len(given), len(jobs)
    counts.repeats = sum(one.pending.repeats for one in given)
    for one in given:
        _judge_one(one, jobs, counts)
    makers = [one for one in given if one.name in MAKERS and one.job]
    new = Counter(one.job for one in makers if one.heard and one.heard.values["is_new"])
    counts.doubled += [f"{job}: {count} commands made it" for job, count in new.items() if count > 1]
    counts.doubled += [f"{job}: no command is answered by it" for job in set(jobs) - {o.job for o in makers}]


def _judge_one(one: Given, jobs: dict[str, Job], counts: Counts) -> None:
    heard = one.heard
    if heard is None:
        counts.lost.append(f"{one}: no answer")
    elif heard.name == "refused":
        if heard.values["code"] not in EXPECTED_REFUSALS:
            counts.wrong.append(f"{one}: {heard.values}")
    elif heard.name not in COMMANDS[f"/stembridge/{one.name}"].replies:
        counts.wrong.append(f"{one}: answered by {heard.name}")
    elif heard.name == "accepted":
        _judge_accepted(one, jobs, counts)


def _judge_accepted(one: Given, jobs: dict[str, Job], counts: Counts) -> None:
    job = jobs.get(one.job)
    if job is None:
        counts.lost.append(f"{one}: accepted, but there is no job {one.job}")
        return
    if not job.state.is_terminal:
        counts.lost.append(f"{one}: {one.job} never ended")
    if one.name == "process":
        is_right = (str(job.request.source), job.request.recipe) == one.arguments
    elif one.name == "cancel":
        was_at_work = one.heard is not None and one.heard.values["state"] == "PROCESSING"
        is_right = job.id == one.arguments[0] and (job.state == "CANCELLED" or was_at_work)
    else:
        old = jobs[str(one.arguments[0])].request
        recipe = one.arguments[1] if one.name == "again" else old.recipe
        is_right = job.id != one.arguments[0] and job.request == old.evolve(recipe=recipe)
    if not is_right:
        counts.wrong.append(f"{one}: became {job}")


def _judge_listener(listener: Listener, site: Site, counts: Counts) -> None:
    """What ended since the state was told must have been heard to end so."""
    ended = [
        (numbered.number, numbered.event.job_id)
        for numbered in site.service.feed.since(0) or ()
        if numbered.event.kind in ("job_done", "job_failed", "job_cancelled")
    ]
    deadline_s = time.monotonic() + SETTLED_IN_S
    while True:
        wanted = {job: site.store.get(job).state.value for number, job in ended if number > listener.start}
        if listener.states.items() >= wanted.items() or time.monotonic() > deadline_s:
            break
        time.sleep(0.05)
    counts.wrong_events += [
        f"{job} is {state} and was heard as {listener.states.get(job)}"
        for job, state in wanted.items()
        if listener.states.get(job) != state
    ]

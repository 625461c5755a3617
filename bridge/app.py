"""The background service, put together: what starts in which order, and stops in reverse."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from bridge import __version__
from bridge.config import Config
from bridge.errors import ConfigError, StembridgeError
from bridge.jobs import OPEN, JobStore, Workers, open_store
from bridge.service import Feed, Service
from bridge.service.dispatcher import Dispatcher
from bridge.service.doors import Doors
from bridge.service.instance import Instance, StopWay
from bridge.service.journal import Journal
from bridge.service.logs import setup_service_log
from bridge.service.onlooker import Onlooker
from bridge.service.settings import Settings

SHARED_SECTIONS = frozenset({"recipes", "delivery", "doors"})
"""Sections that every door depends on, beside the one of its own name."""
REOPEN_EVERY_S = 30.0
FORGET_EVERY_S = 24 * 3600.0
DRAINED_AFTER_S = 1.0

log = logging.getLogger(__name__)


def serve(config_file: Path | None = None, *, drain: bool = False, verbose: bool = False) -> None:
    """Run the service until a signal or ``stembridge stop`` ends it.

    With ``drain`` it ends by itself when everything that waited, in folders too, is worked off.

    Raises ConfigError for settings that cannot be used, ServiceError where another service has the data
    folder, StorageError where that cannot be used.
    """
    settings = Settings(config_file)
    config, feed, stop = settings.now, Feed(), _Stop()
    with ExitStack() as running:
        running.enter_context(stop.by_signals())
        instance = running.enter_context(
            Instance(config.data_folder, version=__version__, jobs=config.service.jobs)
        )
        start_log(config, verbose=verbose)
        store = start_store(config, running)
        start_journal(feed, store, running)
        dispatcher = start_dispatcher(settings, store, feed, instance, running)
        service = start_service(settings, store, feed, dispatcher, instance, running)
        doors = open_doors(service, running)
        instance.tell(is_ready=True)
        log.info("Ready.", extra={"action": "service_ready"})
        _Caretaker(
            settings, store, service, dispatcher, doors, instance, stop, is_draining=drain
        ).until_stopped()
        log.info("Stopping; what is not finished goes on with the next start.", extra={"action": "stopping"})
    log.info("Stopped.", extra={"action": "service_stopped"})


def start_log(config: Config, *, verbose: bool) -> None:
    """From here on, everything is logged."""
    folder = setup_service_log(config.data_folder, verbose=verbose)
    words = "stembridge %s starts; data in %s, log in %s"
    log.info(words, __version__, config.data_folder, folder, extra={"action": "service_starts"})


def start_store(config: Config, running: ExitStack) -> JobStore:
    """Open the jobs' database."""
    return running.enter_context(contextlib.closing(open_store(config.store_path)))


def start_journal(feed: Feed, store: JobStore, running: ExitStack) -> None:
    """Tell the log what happens."""
    journal = Journal(feed, store.get)
    journal.start()
    running.callback(journal.stop)


def start_dispatcher(
    settings: Settings, store: JobStore, feed: Feed, instance: Instance, running: ExitStack
) -> Dispatcher:
    """Take over what an earlier service left, and start jobs as there is room."""
    workers = running.enter_context(Workers(threads=1, niceness=settings.now.service.niceness))
    dispatcher = Dispatcher(
        lambda: settings.now,
        store,
        workers,
        feed.publish,
        on_pause=lambda reason: instance.tell(paused=reason),
    )
    dispatcher.start()
    running.callback(dispatcher.stop)
    return dispatcher


def start_service(
    settings: Settings,
    store: JobStore,
    feed: Feed,
    dispatcher: Dispatcher,
    instance: Instance,
    running: ExitStack,
) -> Service:
    """What doors talk to."""
    prober = running.enter_context(Workers(threads=1))
    return Service(
        lambda: settings.now,
        store,
        prober,
        feed=feed,
        on_queued=dispatcher.wake,
        on_ended=dispatcher.tidy,
        on_state=instance.tell_door,
    )


def open_doors(service: Service, running: ExitStack) -> Doors:
    """Open every door that is plugged in; each that cannot open says why and is tried again."""
    doors = Doors(service)
    running.callback(doors.close_all)
    doors.open_all()
    return doors


class _Stop:
    """The wish that the service ends, and how."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.way = StopWay.NOW

    def ask(self, way: StopWay) -> None:
        """End, in that way; a wish to end at once wins over one to drain, earlier or later."""
        if way is StopWay.NOW or not self._asked.is_set():
            self.way = way
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Whether an end was asked for, waiting so long for it."""
        return self._asked.wait(seconds)

    def reset(self) -> None:
        """A drain has begun: only a new wish ends it early."""
        self._asked.clear()

    @contextlib.contextmanager
    def by_signals(self) -> Iterator[None]:
        """Within the context, Ctrl-C and the system's signals ask for the end; a second Ctrl-C interrupts.

        Those that whoever started us has us ignore (``nohup``, a script's ``&``) stay ignored.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        known = [getattr(signal, name) for name in names if hasattr(signal, name)]
        numbers = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._asked.is_set():
            signal.default_int_handler(number, frame)
        self.ask(StopWay.NOW)


class _Caretaker:
    """Looks after the running service: a few glances every ``look_s``."""

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        service: Service,
        dispatcher: Dispatcher,
        doors: Doors,
        instance: Instance,
        stop: _Stop,
        *,
        is_draining: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._store = store
        self._service = service
        self._dispatcher = dispatcher
        self._doors = doors
        self._instance = instance
        self._stop = stop
        self._is_draining = is_draining
        self._clock = clock
        self._onlooker = Onlooker(store, service.feed)
        self._reopen_s = clock() + REOPEN_EVERY_S
        self._forget_s = clock()
        self._idle_since_s: float | None = None

    def until_stopped(self) -> None:
        """Look around until somebody wants the service to end, or all is worked off."""
        self._instance.tell(is_draining=self._is_draining)
        look_s = self._settings.now.service.look_s
        while not self._stop.wait(look_s) and not (self._is_draining and self._is_all_done()):
            self._look_around()
        if self._stop.way is StopWay.DRAIN:
            self._finish_jobs_at_work(look_s)

    def _look_around(self) -> None:
        self._instance.tell()
        self._dispatcher.look_after()
        self._onlooker.look()
        self._look_for_stop()
        self._look_at_settings()
        now_s = self._clock()
        if self._doors.closed and now_s >= self._reopen_s:
            self._reopen_s = now_s + REOPEN_EVERY_S
            self._doors.try_closed()
        if now_s >= self._forget_s:
            self._forget_s = now_s + FORGET_EVERY_S
            self._forget()

    def _look_for_stop(self) -> None:
        way = self._instance.wanted_stop()
        if way is not None:
            self._stop.ask(way)

    def _look_at_settings(self) -> None:
        try:
            changed = self._settings.look()
        except ConfigError as error:
            words = f"The changed settings cannot be used; the old ones stay. {error.message}"
            log.error("%s", words, extra={"action": "settings_refused"})
            self._instance.tell(notes=(words,))
            return
        if changed is not None:
            self._take_in(changed)

    def _take_in(self, changed: frozenset[str]) -> None:
        names = ", ".join(sorted(changed)) or "as before"
        log.info("Settings read anew: %s.", names, extra={"action": "settings_changed"})
        later = self._settings.later
        notes = (f"Takes effect with the next start: {', '.join(later)}.",) if later else ()
        self._instance.tell(notes=notes)
        sections = {name.partition(".")[0] for name in changed}
        self._doors.follow(sections, SHARED_SECTIONS)

    def _forget(self) -> None:
        try:
            count = self._store.forget(self._settings.now.service.keep_days * 86_400)
        except StembridgeError as error:
            log.warning("Old jobs were not removed: %s", error.message, extra={"action": "not_forgotten"})
            return
        if count:
            log.info("%d old jobs were removed from the list.", count, extra={"action": "forgotten"})

    def _is_all_done(self) -> bool:
        """Whether nothing waits, neither as a job nor in a folder, and that for a moment."""
        waiting = sum(door.waiting for door in self._instance.state.doors)
        if waiting or self._has_open_jobs():
            self._idle_since_s = None
            return False
        self._idle_since_s = self._idle_since_s or self._clock()
        return self._clock() - self._idle_since_s >= DRAINED_AFTER_S

    def _has_open_jobs(self) -> bool:
        try:
            return self._store.count(OPEN) > 0
        except StembridgeError:
            return True  # nobody knows at this moment; the next look tells

    def _finish_jobs_at_work(self, look_s: float) -> None:
        log.info("Finishing the jobs at work; those that wait stay.", extra={"action": "draining"})
        self._instance.tell(is_draining=True)
        self._stop.reset()
        self._doors.close_all("closed, since the service finishes its jobs and stops")
        self._dispatcher.close()
        while self._dispatcher.at_work and self._stop.way is StopWay.DRAIN and not self._stop.wait(look_s):
            if self._instance.wanted_stop() is StopWay.NOW:
                return

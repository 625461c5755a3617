"""A service with a real database behind a real OSC door, and somebody who plays its jobs.

``python -m tests.faults.osc_site FOLDER`` prints its port, and closes when its input does.
"""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path

from ableton import OscFrontend
from bridge import events
from bridge.errors import JobError
from bridge.jobs import JobStore, Worker, open_store
from bridge.testing.service import FakeService
from bridge.values import Delivery, Job

JOIN_S = 10.0
POLL_S = 0.02
"""Between looks for jobs; each is a transaction."""


class Player:
    """Takes jobs as a dispatcher would, and ends them well, badly or as cancelled, at once."""

    def __init__(self, service: FakeService, seed: int) -> None:
        self._service = service
        self._store: JobStore = service.store
        self._chance = random.Random(seed)
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the job at work."""
        self._is_stopping.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._is_stopping.wait(POLL_S):
            job = self._store.claim(Worker.here("player"))
            if job is not None:
                self._play(job)

    def _play(self, job: Job) -> None:
        feed = self._service.feed
        feed.publish(events.JobStarted(job_id=job.id, attempt=job.attempt))
        feed.publish(events.StageStarted(job_id=job.id, stage="separate"))
        for step in range(3):
            feed.publish(events.JobProgress(job_id=job.id, stage="separate", share=step / 3))
        self._is_stopping.wait(self._chance.random() * 0.004)
        try:
            self._end(job)
        except JobError:  # cancelled at the last moment
            self._service.play_cancelled(job)

    def _end(self, job: Job) -> None:
        if self._store.is_cancel_requested(job):
            self._service.play_cancelled(job)
        elif self._chance.random() < 0.2:
            self._service.play_failed(job, "The song is silent; wanted music.")
        else:
            folder = job.request.destination / "StemBridge" / job.request.source.stem
            self._service.play_done(job, Delivery(folder=folder, files=("Stems/bass.wav", "manifest.json")))


class Site:
    """Where the service runs: closed and opened again, it is a service that was started anew."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self.port = 0
        self.open()

    def open(self) -> None:
        """Start: store, service, door, player."""
        self.store = open_store(self._folder / "jobs.sqlite3")
        settings = {
            "osc": {"port": self.port, "heartbeat_s": 0.5},
            "service": {"roots": [str(self._folder)]},
        }
        self.service = FakeService(settings, self.store)
        self._door = OscFrontend()
        self._door.start(self.service)
        self.port = self._door.port
        self._player = Player(self.service, self._seed)

    def close(self) -> None:
        """Stop, in reverse."""
        self._player.stop()
        self._door.stop()
        self.store.close()

    def restart(self) -> None:
        """Stop and start again; the database stays."""
        self.close()
        self.open()

    def jobs(self) -> dict[str, Job]:
        """All jobs, by id."""
        found: dict[str, Job] = {}
        while page := self.store.list(limit=500, before=min(found, default="")):
            found |= {job.id: job for job in page}
        return found


def _main() -> None:
    site = Site(Path(sys.argv[1]), seed=1)
    sys.stdout.write(f"{site.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    site.close()


if __name__ == "__main__":
    _main()

"""What every stage is: a name, a version and a function from files and parameters to files and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from bridge.config import Config
from bridge.protocols import Progress
from bridge.values import Asset, Facts, Value

P = TypeVar("P", bound=Value)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Room:
    """Where a stage works: an empty folder of its own, and whom it tells how far it came."""

    folder: Path
    progress: Progress
    config: Config


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a stage made: files in its folder by role, assets that pass on unchanged, findings for JSON."""

    files: Mapping[str, Path] = field(default_factory=dict)
    passed_on: tuple[Asset, ...] = ()
    facts: Facts = field(default_factory=dict)


class Inputs:
    """The assets that a stage reads, by role."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets = tuple(assets)

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._assets)

    def path(self, role: str) -> Path:
        """The file of that role; KeyError where there is none."""
        return self.asset(role).path

    def asset(self, role: str) -> Asset:
        """The asset of that role; KeyError where there is none."""
        for asset in self._assets:
            if asset.role == role:
                return asset
        raise KeyError(role)

    def has(self, role: str) -> bool:
        """Whether there is an asset of that role."""
        return any(asset.role == role for asset in self._assets)

    def without(self, *roles: str) -> tuple[Asset, ...]:
        """All but those roles, in order."""
        return tuple(asset for asset in self._assets if asset.role not in roles)


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[P]):
    """A step of the pipeline. ``version`` goes up when the same input would give another output."""

    name: str
    version: int
    cost: float
    """Seconds of work for a second of music on two cores: for progress and time left, nothing else."""
    run: Callable[[P, Inputs, Room], Made]


def for_each(
    items: Sequence[Item], work: Callable[[Item, Progress], Result], threads: int, progress: Progress
) -> list[Result]:
    """Run ``work`` on every item, ``threads`` at once, and tell the mean of their progress.

    The first error ends it all: the others see it at their next progress call.
    """
    shares = _SharedProgress(len(items), progress)
    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(items)))) as pool:
        futures = [pool.submit(shares.guarded, work, item, index) for index, item in enumerate(items)]
        return [future.result() for future in futures]


class _SharedProgress:
    """Joins the progress of parallel work into one."""

    def __init__(self, count: int, progress: Progress) -> None:
        self._shares = [0.0] * count
        self._progress = progress
        self._lock = Lock()
        self._error: BaseException | None = None

    def guarded(self, work: Callable[[Item, Progress], Result], item: Item, index: int) -> Result:
        try:
            return work(item, lambda share: self._tell(index, share))
        except BaseException as error:
            self._error = self._error or error
            raise

    def _tell(self, index: int, share: float) -> None:
        with self._lock:
            if self._error is not None:
                raise self._error
            self._shares[index] = share
            self._progress(sum(self._shares) / len(self._shares))


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step that covers ``start`` to ``end`` of the whole."""
    return lambda share: progress(start + (end - start) * min(1.0, share))

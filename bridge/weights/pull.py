"""Fetches weights: resumed where they broke off, kept only where their hash is the pinned one."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from bridge.config import WeightsSettings
from bridge.errors import DiskFullError, WeightsError, is_disk_full
from bridge.weights.catalogue import Form, Part, Weights
from bridge.weights.folder import WeightsFolder, fault_of

if TYPE_CHECKING:
    import requests

Told = Callable[[int, int], None]
"""Called with the bytes that are here of all that are wanted; it may raise to stop, and what came stays."""

BLOCK_BYTES = 1 << 16
CONNECT_S = 10.0
SILENCE_S = 30.0
"""A server that sends nothing for so long has gone."""
WAITS_S = (1.0, 3.0, 8.0)
"""Before each new try; whatever came in the meantime is kept."""
SPARE_BYTES = 200_000_000
"""That must stay free on the disk."""


@dataclass(frozen=True)
class Fetched:
    """What a pull did."""

    folder: Path
    files: tuple[str, ...]
    """The files that were fetched; none where all were here."""


class _PassingFault(Exception):  # noqa: N818 - never leaves this module
    """What may go away by itself."""


def pull(
    weights: Weights,
    folder: WeightsFolder,
    settings: WeightsSettings,
    told: Told = lambda _here, _all: None,
    wait: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch what is missing of ``weights``; files that are as published stay, others are replaced.

    Raises:
        WeightsError: fetching is switched off, no source could be reached, a source sent something else, or
            another process is fetching the same.
        DiskFullError: there is no room for them.
    """
    place = folder.place(weights)
    with _alone(place, weights):
        wanted = [part for part in weights.parts if not _is_fine(folder, weights, part)]
        if wanted and settings.offline:
            raise WeightsError(
                f"{weights.name} is not here, and weights.offline keeps everything from being fetched. "
                "Bring the files: stembridge models import FOLDER"
            )
        _expect_room(place, sum(part.forms[0].size_bytes for part in wanted))
        done_bytes = 0
        files = []
        for part in wanted:
            begun = done_bytes
            total = sum(each.forms[0].size_bytes for each in wanted)
            form = _fetch_part(part, place, settings, lambda here: told(begun + here, total), wait)  # noqa: B023
            done_bytes += part.forms[0].size_bytes
            files.append(form.file)
        return Fetched(folder=place, files=tuple(files))


def _is_fine(folder: WeightsFolder, weights: Weights, part: Part) -> bool:
    form = folder.form_here(weights, part)
    return form is not None and not fault_of(folder.path(weights, form), form)


@contextlib.contextmanager
def _alone(place: Path, weights: Weights) -> Iterator[None]:
    """One process fetches a set at a time."""
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f".{place.name}.lock"), timeout=0)
    try:
        with lock:
            yield
    except Timeout as cause:
        raise WeightsError(f"Another stembridge is fetching {weights.name}; wait for that.") from cause


def _expect_room(place: Path, wanted_bytes: int) -> None:
    begun_bytes = sum(path.stat().st_size for path in place.glob("*.part"))
    free_bytes = shutil.disk_usage(place).free
    needed_bytes = wanted_bytes - begun_bytes + SPARE_BYTES
    if wanted_bytes and free_bytes < needed_bytes:
        raise DiskFullError(
            f"{place} has {free_bytes / 1e6:.0f} MB free; the weights need {needed_bytes / 1e6:.0f} MB. "
            "Free some space, or set weights.folder to another disk."
        )


def _fetch_part(
    part: Part,
    place: Path,
    settings: WeightsSettings,
    told: Callable[[int], None],
    wait: Callable[[float], None],
) -> Form:
    """Fetch the first of a part's forms that can be had."""
    faults = []
    for form in part.forms:
        try:
            _fetch(_address(form, settings), form, place / form.file, told, wait)
        except WeightsError as fault:
            faults.append(fault.message)
            continue
        for other in part.forms:
            if other is not form:
                (place / other.file).unlink(missing_ok=True)
        return form
    raise WeightsError(
        " ".join(faults) + " Try again later: what came is kept. Without a network: bring the files with "
        "stembridge models import FOLDER. Behind a mirror: set it in weights.sources."
    )


def _address(form: Form, settings: WeightsSettings) -> str:
    source = form.url.partition("}")[0].strip("{")
    if source not in settings.sources:
        raise WeightsError(f"weights.sources in the settings names no address for '{source}'.")
    return form.url.replace(f"{{{source}}}", settings.sources[source].rstrip("/"))


def _fetch(
    url: str, form: Form, target: Path, told: Callable[[int], None], wait: Callable[[float], None]
) -> None:
    """Bring one file under its name; what came of it lies beside it as ``.part`` until it is whole."""
    part = target.with_name(f"{target.name}.part")
    was_begun = part.exists()
    with _words_for(url):
        _bring(url, form, part, told, wait)
    fault = fault_of(part, form)
    if not fault:
        part.replace(target)
        return
    part.unlink()
    if not was_begun:
        raise WeightsError(f"What {_host(url)} sent as {form.file} {fault} It was thrown away.")
    _fetch(url, form, target, told, wait)  # what lay here from an earlier time may be what is wrong


def _bring(
    url: str, form: Form, part: Path, told: Callable[[int], None], wait: Callable[[float], None]
) -> None:
    """All bytes of a file, in as many goes as it takes; a go that brought something earns new tries."""
    tries = iter(WAITS_S)
    while True:
        before = _size(part)
        try:
            return _go_on(url, form, part, told)
        except _PassingFault:
            if _size(part) > before:
                tries = iter(WAITS_S)
            pause_s = next(tries, None)
            if pause_s is None:
                raise
            wait(pause_s)


def _go_on(url: str, form: Form, part: Path, told: Callable[[int], None]) -> None:
    """Ask for what is missing, and append it."""
    import requests

    begun = _size(part)
    if form.is_size_exact and begun >= form.size_bytes:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begun}-"} if begun else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_S, SILENCE_S)) as answer:
            _expect_answer(answer, is_going_on=begun > 0)
            if answer.status_code == 416:
                return  # all of it is here; the hash decides
            _append(answer, form, part, _start_of(answer, begun), told)
    except requests.RequestException as cause:
        raise _PassingFault from cause
    if form.is_size_exact and _size(part) < form.size_bytes:
        raise _PassingFault(f"it ended after {_size(part)} of {form.size_bytes} bytes")


def _expect_answer(answer: requests.Response, *, is_going_on: bool) -> None:
    code = answer.status_code
    if code in (200, 206) or (code == 416 and is_going_on):
        return
    if code in (408, 429) or code >= 500:
        raise _PassingFault(f"it answered {code} {answer.reason}")
    raise WeightsError(f"{_host(answer.url)} answered {code} {answer.reason} to {answer.url}.")


def _start_of(answer: requests.Response, begun: int) -> int:
    """From which byte on the answer goes; 0 where a server sends all of it whatever was asked for."""
    goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {begun}-")
    return begun if goes_on and answer.status_code == 206 else 0


def _append(
    answer: requests.Response, form: Form, part: Path, start: int, told: Callable[[int], None]
) -> None:
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        for block in answer.iter_content(BLOCK_BYTES):
            file.write(block)
            if not form.may_have(file.tell()) and file.tell() > form.size_bytes:
                break  # it is something else: no need to fill the disk with it
            told(min(file.tell(), form.size_bytes))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _words_for(url: str) -> Iterator[None]:
    try:
        yield
    except _PassingFault as fault:
        why = _plain(fault.__cause__) if fault.__cause__ else str(fault)
        raise WeightsError(f"{_host(url)} could not be used: {why}.") from fault
    except OSError as fault:
        if is_disk_full(fault):
            raise DiskFullError(
                "The disk became full while weights were fetched; what came is kept."
            ) from fault
        raise WeightsError(f"The weights could not be written: {fault}.") from fault


def _plain(fault: BaseException) -> str:
    import requests

    if isinstance(fault, requests.Timeout):
        return "it did not answer in time"
    if isinstance(fault, requests.exceptions.ChunkedEncodingError):
        return "it broke off again and again"
    if isinstance(fault, requests.exceptions.SSLError):
        return "its certificate is not trusted here"
    if isinstance(fault, requests.ConnectionError):
        return "there is no connection to it"
    return str(fault)


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

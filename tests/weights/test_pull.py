"""Fetching weights from a server that breaks off, lies, or is not there."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from filelock import FileLock

from bridge.errors import DiskFullError, WeightsError
from bridge.weights import WeightsFolder, pull
from bridge.weights.pull import BLOCK_BYTES
from tests.weights.publisher import CONTENT, publishing, weights

TINY = weights("tiny.safetensors")
TWO_FORMS = weights("tiny.safetensors", "tiny.th")


def no_wait(_seconds: float) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path) -> WeightsFolder:
    return WeightsFolder(tmp_path / "models")


def test_a_file_is_fetched_and_told(folder: WeightsFolder) -> None:
    """Progress rises to all of it; the file has its name and nothing else is left."""
    shares: list[tuple[int, int]] = []
    with publishing(tiny_safetensors=CONTENT) as server:
        fetched = pull(TINY, folder, server.settings(), lambda here, total: shares.append((here, total)))
    assert fetched.files == ("tiny.safetensors",)
    assert folder.require(TINY)["one"].read_bytes() == CONTENT
    assert [path.name for path in folder.place(TINY).iterdir()] == ["tiny.safetensors"]
    assert shares == sorted(shares)
    assert shares[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_here_is_not_fetched_again(folder: WeightsFolder) -> None:
    """The second pull asks nobody."""
    with publishing(tiny_safetensors=CONTENT) as server:
        pull(TINY, folder, server.settings())
        assert pull(TINY, folder, server.settings()).files == ()
        assert len(server.asked) == 1


def test_a_broken_download_goes_on_where_it_broke(folder: WeightsFolder) -> None:
    """Each go asks for what is missing alone; at most the last block is asked for twice."""
    breaks = [3 * BLOCK_BYTES + 1, 0, 5 * BLOCK_BYTES]
    with publishing(tiny_safetensors=CONTENT) as server:
        server.breaks_after = list(breaks)
        pull(TINY, folder, server.settings(), wait=no_wait)
    begun = [int(asked.removeprefix("bytes=").rstrip("-") or 0) for asked in server.asked]
    assert begun == [0, 3 * BLOCK_BYTES, 3 * BLOCK_BYTES, 8 * BLOCK_BYTES]
    assert folder.require(TINY)


def test_a_pull_that_was_ended_goes_on_in_the_next(folder: WeightsFolder) -> None:
    """Whoever stops it from its progress leaves the part, and the next pull asks for the rest."""

    def stop(here: int, _total: int) -> None:
        if here > 400_000:
            raise KeyboardInterrupt

    with publishing(tiny_safetensors=CONTENT) as server:
        with pytest.raises(KeyboardInterrupt):
            pull(TINY, folder, server.settings(), stop)
        assert not folder.is_here(TINY)
        pull(TINY, folder, server.settings())
        assert server.asked[1].startswith("bytes=")
    assert folder.require(TINY)


def test_a_server_without_ranges_begins_anew(folder: WeightsFolder) -> None:
    """It sends all of it again; nothing is appended to what was there."""
    with publishing(tiny_safetensors=CONTENT) as server:
        server.breaks_after, server.knows_ranges = [300_000], False
        pull(TINY, folder, server.settings(), wait=no_wait)
    assert folder.require(TINY)["one"].read_bytes() == CONTENT


@pytest.mark.parametrize("begun", [b"\0" * 5_000, b"\0" * len(CONTENT), b"\0" * (len(CONTENT) + 9)])
def test_a_stale_part_does_not_stand_in_the_way(begun: bytes, folder: WeightsFolder) -> None:
    """What lay there was something else: it is thrown away and fetched whole."""
    folder.place(TINY).mkdir(parents=True)
    (folder.place(TINY) / "tiny.safetensors.part").write_bytes(begun)
    with publishing(tiny_safetensors=CONTENT) as server:
        pull(TINY, folder, server.settings(), wait=no_wait)
    assert folder.require(TINY)


@pytest.mark.parametrize(
    "sent",
    [b"\0" * len(CONTENT), CONTENT + b"more" * 100_000, b"<html>Sign in</html>", b""],
    ids=["other bytes", "too long", "a page", "nothing"],
)
def test_something_else_is_never_kept(sent: bytes, folder: WeightsFolder) -> None:
    """The hash decides; no file stays under the name that an engine would load."""
    with publishing(tiny_safetensors=sent) as server, pytest.raises(WeightsError, match=r"127\.0\.0\.1:\d+ "):
        pull(TINY, folder, server.settings(), wait=no_wait)
    assert not folder.is_here(TINY)


def test_a_swapped_file_is_replaced(folder: WeightsFolder) -> None:
    """A file that is here and is not as published is fetched again."""
    folder.place(TINY).mkdir(parents=True)
    (folder.place(TINY) / "tiny.safetensors").write_bytes(b"\0" * len(CONTENT))
    with pytest.raises(WeightsError, match="is not what was published"):
        folder.require(TINY)
    with publishing(tiny_safetensors=CONTENT) as server:
        pull(TINY, folder, server.settings())
    assert folder.require(TINY)


def test_a_server_that_is_busy_is_asked_again(folder: WeightsFolder) -> None:
    """503 and 429 pass; the waits grow."""
    waits: list[float] = []
    with publishing(tiny_safetensors=CONTENT) as server:
        server.codes = [503, 429]
        pull(TINY, folder, server.settings(), wait=waits.append)
    assert waits == sorted(waits)
    assert len(waits) == 2


def test_a_second_form_is_fetched_where_the_first_is_gone(folder: WeightsFolder) -> None:
    """404 is final for one address, not for the part."""
    with publishing(tiny_th=CONTENT) as server:
        assert pull(TWO_FORMS, folder, server.settings(), wait=no_wait).files == ("tiny.th",)
        assert len(server.asked) == 2
    assert folder.require(TWO_FORMS)["one"].name == "tiny.th"


def test_every_fault_is_told_with_what_to_do(folder: WeightsFolder) -> None:
    """Where nothing can be had, each address says why."""
    with publishing() as server, pytest.raises(WeightsError) as told:
        pull(TWO_FORMS, folder, server.settings(), wait=no_wait)
    assert told.value.message.count("404 Not Found") == 2
    assert "models import" in told.value.message


def test_no_network_is_told_in_words(folder: WeightsFolder) -> None:
    """A port where nobody listens; three tries, then words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with publishing() as server:
        settings = server.settings().evolve(sources={"here": f"http://127.0.0.1:{port}"})
    waits: list[float] = []
    with pytest.raises(WeightsError, match="there is no connection to it"):
        pull(TINY, folder, settings, wait=waits.append)
    assert len(waits) == 3


def test_offline_asks_nobody(folder: WeightsFolder) -> None:
    """Strictly: no request, no wait, and the way out in words."""
    with publishing(tiny_safetensors=CONTENT) as server:
        with pytest.raises(WeightsError, match=r"weights\.offline"):
            pull(TINY, folder, server.settings(offline=True))
        assert not server.asked
        pull(TINY, folder, server.settings())
        assert pull(TINY, folder, server.settings(offline=True)).files == ()


def test_no_room_is_said_before_anything_is_fetched(
    folder: WeightsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk with a tenth of the room is not filled."""
    usage = shutil.disk_usage(folder.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    with publishing(tiny_safetensors=CONTENT) as server:
        with pytest.raises(DiskFullError, match="0 MB free; the weights need 201 MB"):
            pull(TINY, folder, server.settings())
        assert not server.asked


def test_two_do_not_fetch_the_same_at_once(folder: WeightsFolder) -> None:
    """The second is told, and touches nothing."""
    folder.folder.mkdir()
    with publishing(tiny_safetensors=CONTENT) as server, FileLock(folder.folder / ".tiny.lock"):
        with pytest.raises(WeightsError, match="Another stembridge is fetching tiny"):
            pull(TINY, folder, server.settings())
        assert not server.asked


def test_a_source_that_the_settings_lack_is_told(folder: WeightsFolder) -> None:
    """The setting is named."""
    with publishing() as server, pytest.raises(WeightsError, match=r"weights\.sources .* 'here'"):
        pull(TINY, folder, server.settings().evolve(sources={}))

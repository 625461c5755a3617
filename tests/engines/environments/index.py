"""A package index on loopback, with tiny wheels that are made on the spot."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bridge.engines.environments import Engine

TINY = Engine(
    name="tiny",
    title="Tiny, an engine for tests",
    licence="MIT",
    modules=("tiny_engine", "tiny_bare"),
    shown=("tiny-engine", "tiny-help"),
    oldest_python="3.10",
    newest_python={"usual": "3.14"},
    requirements=("tiny-engine==1.0",),
    bare=("tiny-bare==2.0",),
    download_mb={"cpu": 1, "cuda": 2},
    disk_mb={"cpu": 1, "cuda": 2},
)


@dataclass
class Index:
    """The folder that is served, its address, and what was asked for."""

    folder: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)

    def add(self, name: str, version: str, *requires: str, code: str = "") -> None:
        """Publish a package with one module of its name."""
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        _wheel(place, name, version, requires, code)
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in sorted(place.glob("*.whl")))
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", "utf-8")


@contextlib.contextmanager
def serving_packages(folder: Path) -> Iterator[Index]:
    """An index that is there while the context lasts."""
    index = Index(folder)
    folder.mkdir(parents=True)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            index.asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    index.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _wheel(place: Path, name: str, version: str, requires: tuple[str, ...], code: str) -> None:
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {each}" for each in requires]
    files = {
        f"{module}.py": code,
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    with zipfile.ZipFile(place / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def _digest(text: str) -> str:
    return "sha256=" + urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")

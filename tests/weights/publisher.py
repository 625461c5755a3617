"""A publisher of weights on loopback that can be as bad as real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bridge.config import WeightsSettings
from bridge.weights import Form, Part, Weights

CONTENT = bytes(range(256)) * 4_000
"""A megabyte that stands for a network."""


@dataclass
class Publisher:
    """What the server has, how it fails, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks_after: list[int] = field(default_factory=list)
    """Bytes that each of the next answers sends before it breaks off."""
    codes: list[int] = field(default_factory=list)
    """Codes that the next answers have instead of the file."""
    knows_ranges: bool = True
    asked: list[str] = field(default_factory=list)
    """The range of each request; "" for all of the file."""

    def settings(self, *, offline: bool = False) -> WeightsSettings:
        """Settings whose one source is this server."""
        return WeightsSettings(folder="", offline=offline, sources={"here": self.address})


def weights(*files: str, content: bytes = CONTENT, **fields: object) -> Weights:
    """Weights of one part in the forms ``files``, all with the same bytes."""
    forms = tuple(
        Form(
            file=file,
            size_bytes=len(content),
            sha256=sha256(content).hexdigest(),
            url=f"{{here}}/nets/{file}",
        )
        for file in files
    )
    return Weights.model_validate(
        {
            "name": "tiny",
            "title": "A tiny network",
            "engine": "demucs",
            "licence": "MIT",
            "page": "{here}/tiny",
            "parts": (Part(name="one", forms=forms),),
            **fields,
        }
    )


@contextmanager
def publishing(**files: bytes) -> Iterator[Publisher]:
    """A server that has ``files`` below ``/nets/``, until the context ends."""
    publisher = Publisher(files={f"/nets/{name.replace('_', '.')}": data for name, data in files.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, publisher)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, publisher: Publisher) -> None:
    asked = request.headers.get("Range", "")
    publisher.asked.append(asked)
    if publisher.codes:
        return request.send_error(publisher.codes.pop(0))
    data = publisher.files.get(request.path)
    if data is None:
        return request.send_error(404)
    begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and publisher.knows_ranges else 0
    if begin and begin >= len(data):
        return request.send_error(416)
    request.send_response(206 if begin else 200)
    if begin:
        request.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
    request.send_header("Content-Length", str(len(data) - begin))
    request.end_headers()
    rest = data[begin:]
    if publisher.breaks_after:
        rest = rest[: publisher.breaks_after.pop(0)]
        request.close_connection = True
    request.wfile.write(rest)
    return None

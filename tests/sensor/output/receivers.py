"""Receivers of windows on 127.0.0.1 and on Unix sockets that answer what a test tells them, and the sensor's side."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from burnish_sensor.notice import Notices
from burnish_sensor.output.delivery import Delivery
from burnish_sensor.output.spool import Spool
from burnish_sensor.output.transport import Transport

INSTANCE = "4242-0123456789ab"


@dataclass
class Post:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    windows: list[dict[str, Any]]


@dataclass
class Collector:
    """An HTTP server. Each request is answered by the first of ``answers``, at the end by 204.

    An answer is a status, a status with headers, or a function that is given the handler and answers itself. A body of
    more than ``largest`` bytes is answered by 413, one with a window whose sequence is in ``hated`` by 422.
    """

    answers: list[Any] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    port: int = 0
    largest: int = 1_000_000_000
    hated: set[int] = field(default_factory=set)

    @property
    def taken(self) -> list[int]:
        """The sequences of the windows that were answered with 204, in their order."""
        return [window["sequence"] for post in self.posts for window in post.windows]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        answer = self.answers.pop(0) if self.answers else 204
        if callable(answer):
            answer(handler)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == 204:
            status = self._take(handler, body)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _take(self, handler: BaseHTTPRequestHandler, body: bytes) -> int:
        windows = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        if len(body) > self.largest:
            return 413
        if self.hated & {window["sequence"] for window in windows}:
            return 422
        self.posts.append(Post(handler.path, dict(handler.headers), windows))
        return 204


class _Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what is tested."""


@contextmanager
def collector(*answers: Any, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Collector]:
    """A collector that runs; ``port`` is that of one that ran before."""
    state = Collector(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    server = _Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def unix_receiver(path: Path, *answers: bytes) -> Iterator[list[bytes]]:
    """A receiver on a Unix socket: the lines that came, each answered by the next of ``answers``, at the end by ``ok``.

    After an answer without an end of line the connection is closed.
    """
    lines: list[bytes] = []
    waiting = list(answers)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(4)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                for line in stream:
                    lines.append(line)
                    answer = waiting.pop(0) if waiting else b"ok\n"
                    connection.sendall(answer)
                    if not answer.endswith(b"\n"):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        path.unlink()


def delivery(folder: Path, connect: Callable[[], Transport], limit: int = 10_000_000) -> Delivery:
    """A sink that does not wait long between attempts."""
    notices = Notices()
    spool = Spool(str(folder), "shop", INSTANCE, limit, notices)
    return Delivery("the collector", spool, connect, notices, draw=lambda: 0.02)


def line(sequence: int, padding: int = 0) -> list[bytes]:
    """The pieces of something like a window."""
    text = json.dumps({"sequence": sequence, "padding": noise(padding)})
    return [text[:5].encode(), text[5:].encode() + b"\n"]


def noise(size: int) -> str:
    """Text that does not compress to less than half."""
    import random

    return random.Random(size).randbytes((size + 1) // 2).hex()[:size] if size else ""


def spooled(folder: Path, suffix: str = ".gz") -> list[str]:
    """The names of the files below; a folder that is moved meanwhile is passed over."""
    return [name for _, _, names in os.walk(folder) for name in names if name.endswith(suffix)]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return as soon as the condition holds; fail when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.005)

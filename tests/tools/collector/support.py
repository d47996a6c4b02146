"""A collector in the process, asked through ASGI; windows of now; a receiver of OTLP that a test can follow."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from burnish.errors import BurnishError
from burnish.testing import windows as w
from burnish_tools.collector import CollectorSettings
from burnish_tools.collector.answers import Answer
from burnish_tools.collector.app import CollectorApp
from burnish_tools.collector.health import Health
from burnish_tools.collector.refused import Refused
from burnish_tools.collector.settings import MB
from burnish_tools.collector.writer import Writer
from burnish_tools.runtime import SqliteStore
from burnish_tools.runtime.format import Window, parse
from burnish_tools.runtime.store import Store

NDJSON = "application/x-ndjson"
START = time.time() // 3600 * 3600 - 3600


def line(sequence: int = 0, **more: Any) -> str:
    """A window of the last hour, with its line end."""
    return w.window(sequence=sequence, **{"calls": {"shop.views:orders": 3}, "start": START, "seconds": 10.0, **more})


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Asked:
    """The application of a running collector."""

    app: CollectorApp
    writer: Writer
    health: Health
    directory: Path

    def __call__(
        self,
        path: str,
        body: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] = (),
        method: str = "POST",
    ) -> Got:
        return asyncio.run(asgi(self.app, path, body, headers, method))

    def windows(self, *lines: str, **headers: str) -> Got:
        return self("/v1/windows", gzip.compress("".join(lines).encode()), {**SENT, **headers})


SENT = {"content-type": NDJSON, "content-encoding": "gzip"}


async def asgi(
    app: CollectorApp,
    path: str,
    body: bytes | Sequence[bytes],
    headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]],
    method: str = "POST",
) -> Got:
    """One request. A body in pieces comes piece by piece; the pieces may end by `None`, where the client then hangs."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []
    fields = (
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if isinstance(headers, Mapping)
        else list(headers)
    )

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.sleep(60)
        piece = pieces.pop(0)
        if piece is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": path, "headers": fields}, receive, send)
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], names, b"".join(message.get("body", b"") for message in sent[1:]))


@contextmanager
def collecting(
    directory: Path,
    store: Store | None = None,
    *,
    token: str = "",
    receiver: Callable[..., Any] | None = None,
    start: bool = True,
    **settings: Any,
) -> Iterator[Asked]:
    """A collector without its sockets; the store is SQLite's unless one is given."""
    told, health = CollectorSettings(**settings), Health()
    opened = store or SqliteStore(directory / "runtime.sqlite3")
    refused = Refused(directory / "refused", int(told.refused_mb * MB))
    writer = Writer(opened, refused, told, health, receiver=receiver)
    app = CollectorApp(writer.queue, health, told, token=token, otlp=receiver is not None)
    if start:
        writer.start()
    try:
        yield Asked(app, writer, health, directory)
    finally:
        if start:
            writer.close()
        if store is None:
            opened.close()


def stored(directory: Path) -> set[tuple[str, int]]:
    """(instance, sequence) of every window in the dataset."""
    import sqlite3

    with sqlite3.connect(directory / "runtime.sqlite3") as db:
        return set(db.execute("SELECT instance, sequence FROM spans WHERE level = 0"))


@dataclass
class Counting:
    """A receiver whose bodies are JSON lists of numbers; when it ticks, they are a window with as many calls.

    It keeps in memory what cannot be stored.
    """

    sink: Callable[[Sequence[Window]], None]
    clock: Callable[[], int]
    open: int = 0
    made: list[Window] = field(default_factory=list)
    sequence: int = 0

    def traces(self, body: bytes, json: bool) -> Answer:
        try:
            self.open += len(parsed_list(body))
        except (ValueError, RecursionError):
            return Answer(400, b"not a list")
        return Answer(200, b"{}")

    metrics = traces

    def tick(self) -> None:
        if self.open:
            self.made.append(parse(line(self.sequence, calls={"otel:span": self.open}, instance="otlp")))
            self.sequence, self.open = self.sequence + 1, 0
        try:
            self.sink(self.made)
            self.made = []
        except BurnishError:
            return

    close = tick


def parsed_list(body: bytes) -> list[int]:
    found = json.loads(body)
    if not isinstance(found, list):
        raise ValueError("not a list")
    return found

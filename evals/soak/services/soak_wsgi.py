"""A WSGI service with an answer of each kind: queries, errors, streams, threads, forks."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from burnish_sensor.wsgi import Middleware

_local = threading.local()


def database() -> sqlite3.Connection:
    """A database in memory for each thread."""
    if not hasattr(_local, "database"):
        _local.database = sqlite3.connect(":memory:")
        _local.database.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, price INTEGER)")
        _local.database.executemany("INSERT INTO item (price) VALUES (?)", [(n,) for n in range(100)])
    connection: sqlite3.Connection = _local.database
    return connection


def price(item: int) -> int:
    """One query for one item."""
    return int(database().execute("SELECT price FROM item WHERE id = ?", (item,)).fetchone()[0])


def order() -> bytes:
    """An N+1 of ten queries."""
    return b"%d" % sum(price(item) for item in range(1, 11))


def busy() -> bytes:
    """Many calls of a small function."""
    return b"%d" % sum(step(n) for n in range(2_000))


def step(n: int) -> int:
    """What is called most."""
    return n & 7


def threads() -> bytes:
    """Work on threads that come and go."""
    found: list[bytes] = []
    started = [threading.Thread(target=lambda: found.append(order())) for _ in range(3)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return b"%d" % len(found)


def broken() -> bytes:
    """An error that the server answers with 500."""
    raise LookupError("broken")


def stream() -> Iterator[bytes]:
    """A body in pieces."""
    for number in range(5):
        yield b"%d" % price(number + 1)


ROUTES: dict[str, Callable[[], Any]] = {
    "/order": order,
    "/busy": busy,
    "/threads": threads,
    "/broken": broken,
    "/stream": stream,
}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The route is the path."""
    answer = ROUTES.get(environ["PATH_INFO"])
    if answer is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    body = answer()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body] if isinstance(body, bytes) else body


def route(environ: dict[str, Any]) -> str | None:
    """None for what is not known: the sensor makes ``<unmatched>`` of it."""
    return environ["PATH_INFO"] if environ["PATH_INFO"] in ROUTES else None


app = Middleware(application, route)

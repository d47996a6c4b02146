"""Answers requests in this process, without a server; under valgrind with a mark between the parts.

Argument: a file of JSON with `application` ("module:name" of a WSGI application; "module:name()" of a function that
makes an ASGI one), `parts` (name, requests), `sensor`, and `marks`: the path of the library that makes marks, if there
is one. The first part is the warm-up: counting begins after it, and the sensor's first window, for which it reads the
sources of all functions, is written at its end.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Told = dict[str, Any]


class Marks:
    """Tells valgrind when a part is over; nothing without a library."""

    def __init__(self, path: str | None) -> None:
        self._library = ctypes.CDLL(path) if path else None
        self._first = True

    def over(self, part: str) -> None:
        """A part is over. Counting begins with the end of the first one."""
        if self._first:
            write_window()
        self._first = False
        if self._library is not None:
            self._library.mark(part.encode())
            self._library.count(1)


def write_window() -> None:
    """Write what the sensor has, if it runs."""
    runtime = sys.modules.get("burnish_sensor.runtime")
    if runtime is not None and runtime.active is not None:
        runtime.active.flusher.flush()


class Part:
    """Measures a part of the requests."""

    def __init__(self, name: str, marks: Marks) -> None:
        self._name, self._marks, self._begin = name, marks, time.process_time_ns()

    def over(self, statuses: list[int]) -> Told:
        """What is printed of it."""
        self._marks.over(self._name)
        return {"name": self._name, "cpu_ns": time.process_time_ns() - self._begin, "statuses": statuses}


def main() -> None:
    """Start what is measured, answer the requests, print CPU ns and the statuses of each part."""
    told = json.loads(Path(sys.argv[1]).read_text())
    sys.path[0] = os.getcwd()
    marks = Marks(told["marks"])
    if told["sensor"]:
        import burnish_sensor

        burnish_sensor.start()
    module, _, name = told["application"].partition(":")
    application = getattr(importlib.import_module(module), name.removesuffix("()"))
    if name.endswith("()"):
        result = asyncio.run(asgi(application(), told["parts"], marks))
    else:
        result = wsgi(application, told["parts"], marks)
    if told["sensor"]:
        write_window()
        marks.over("window")
        burnish_sensor.stop()
    print(json.dumps(result))


def wsgi(application: Any, parts: list[Any], marks: Marks) -> list[Told]:
    """Answer all requests of a WSGI application."""
    found = []
    for name, requests in parts:
        part = Part(name, marks)
        found.append(part.over([answer(application, request) for request in requests]))
    return found


def answer(application: Any, request: Told) -> int:
    """One request as gunicorn would hand it over; the status."""
    path, _, query = request["path"].partition("?")
    body = request["body"].encode()
    environ = {
        "REQUEST_METHOD": request["method"],
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + key.upper().replace("-", "_"): value for key, value in request["headers"].items()},
    }
    statuses: list[str] = []
    chunks = application(environ, lambda status, headers, error=None: statuses.append(status))
    try:
        b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return int(statuses[0][:3])


async def asgi(application: Any, parts: list[Any], marks: Marks) -> list[Told]:
    """The same of an ASGI application, between its start and its end."""
    inbox: asyncio.Queue[Told] = asyncio.Queue()
    outbox: asyncio.Queue[Told] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    lifespan = asyncio.create_task(application(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    if (started := await outbox.get())["type"] != "lifespan.startup.complete":
        raise SystemExit(f"the service did not start: {started}")
    found = []
    for name, requests in parts:
        part, statuses = Part(name, marks), []
        for request in requests:
            statuses.append(await asyncio.create_task(answer_async(application, request)))
        found.append(part.over(statuses))
    await inbox.put({"type": "lifespan.shutdown"})
    await outbox.get()
    await lifespan
    return found


async def answer_async(application: Any, request: Told) -> int:
    """One request as uvicorn would hand it over, in a task of its own; the status."""
    path, _, query = request["path"].partition("?")
    body = request["body"].encode()
    headers = {"host": "127.0.0.1", "content-length": str(len(body)), "content-type": "application/json"}
    headers.update(request["headers"])
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request["method"],
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent: list[Told] = []
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Told:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Told) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return int(sent[0]["status"])


if __name__ == "__main__":
    main()

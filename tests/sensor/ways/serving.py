"""Starts a server as a user would, asks it, and ends it; all on 127.0.0.1 and bounded in time."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.sensor.support import ROOT

_PATIENCE_S = 40.0
WSGI = """
    import os
    def answer(path): return ("%s %d" % (path, os.getpid())).encode()
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer(environ["PATH_INFO"])]
    from burnish_sensor.wsgi import Middleware
    app = Middleware(application, route=lambda environ: environ["PATH_INFO"])
"""
ASGI = """
    import os
    async def answer(path): return ("%s %d" % (path, os.getpid())).encode()
    async def application(scope, receive, send):
        if scope["type"] != "http": return
        body = await answer(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
    from burnish_sensor.asgi import Middleware
    app = Middleware(application, route=lambda scope: scope["path"])
"""
LAUNCHER = ["-m", "burnish_sensor", "--", sys.executable]


def free_port() -> int:
    """A port that was free a moment ago; for servers that cannot be told 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**environ: str) -> dict[str, str]:
    """That of this process without what tests and tools put in, and the sensor on the path."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("BURNISH_", "PYTHON", "DJANGO_"))}
    return {
        **clean,
        "PYTHONPATH": str(ROOT / "sensor"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BURNISH_BUDGET": "1",
        "BURNISH_WINDOW_SECONDS": "60",
        **environ,
    }


@contextlib.contextmanager
def served(command: list[str], folder: Path, port: int, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A running server, ended by SIGTERM; what it printed is in ``server.log``."""
    log = folder / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment(**environ),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            text=True,
            start_new_session=True,
        )
        try:
            _await_port(process, port, log)
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def _await_port(process: subprocess.Popen[str], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not listen: " + log.read_text())


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and body of one answer, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()

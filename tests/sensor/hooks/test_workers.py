"""Whole servers with several processes: what the driver counted is what the windows of all processes say in sum."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.hooks.entry_support import entry_of, entry_sums
from tests.sensor.hooks.servers import free_port
from tests.sensor.support import sensed, windows, write

WSGI = """
    from flask import Flask
    app = Flask("shop")

    def total(number):
        return number * 2

    @app.route("/orders/<int:number>")
    def order(number):
        return str(total(number))
"""
ASGI = """
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def total(number):
        return number * 2

    async def order(request):
        return PlainTextResponse(str(total(request.path_params["number"])))

    app = Starlette(routes=[Route("/orders/{number:int}", order)])
"""


@contextmanager
def serving(folder: Path, port: int, *command: str) -> Iterator[None]:
    """A server under the sensor, ended by SIGTERM; it must answer and the sensor must say nothing."""
    server = subprocess.Popen(
        [sys.executable, "-m", "burnish_sensor", "--", "-m", *command],
        cwd=folder,
        env=sensed(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/orders/0", server)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            log = server.communicate(timeout=30)[1]
        except subprocess.TimeoutExpired:
            server.kill()
            log = server.communicate()[1]
            pytest.fail(log)
    assert "burnish_sensor:" not in log, log


def _wait_for(url: str, server: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{server.args!r} does not answer")


def drive(port: int, requests: int) -> None:
    """So many requests, each on a connection of its own; each must be answered."""
    for number in range(requests):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/orders/{number}", timeout=10) as answer:
            assert int(answer.read()) == 2 * number


def check(folder: Path, entry: str, requests: int) -> None:
    """Each request is in exactly one window."""
    found = windows(folder)
    for window in found:
        check_window(window)
    assert entry_sums(found)[entry] == (requests, {"200": requests}, {})
    assert sum(sum(entry_of(window, "shop:total").values()) for window in found) == requests
    assert len({(window["instance"], window["sequence"]) for window in found}) == len(found)


GUNICORN = {
    "workers": ["--workers", "2"],
    "preload": ["--workers", "2", "--preload"],
    "restarts": ["--workers", "2", "--max-requests", "5", "--preload"],
    "threads": ["--workers", "1", "--threads", "4"],
    "gevent": ["--workers", "1", "--worker-class", "gevent"],
}


@pytest.mark.parametrize("way", sorted(GUNICORN))
def test_gunicorn(tmp_path: Path, way: str) -> None:
    for library in ("gunicorn", "flask", *(["gevent"] if way == "gevent" else [])):
        pytest.importorskip(library)
    write(tmp_path, shop=WSGI)
    port = free_port()
    with serving(tmp_path, port, "gunicorn", "--bind", f"127.0.0.1:{port}", *GUNICORN[way], "shop:app"):
        drive(port, 30)
    check(tmp_path, "GET /orders/<int:number>", 31)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_uvicorn(tmp_path: Path, workers: str) -> None:
    for library in ("uvicorn", "starlette"):
        pytest.importorskip(library)
    write(tmp_path, shop=ASGI)
    port = free_port()
    command = ["uvicorn", "--port", str(port), "--workers", workers, "--log-level", "error", "shop:app"]
    with serving(tmp_path, port, *command):
        drive(port, 30)
    check(tmp_path, "GET /orders/{number:int}", 31)


def test_uvicorn_workers_of_gunicorn(tmp_path: Path) -> None:
    for library in ("gunicorn", "uvicorn", "starlette"):
        pytest.importorskip(library)
    pytest.importorskip("uvicorn.workers")
    write(tmp_path, shop=ASGI)
    port = free_port()
    command = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "-k", "uvicorn.workers.UvicornWorker"]
    with serving(tmp_path, port, *command, "shop:app"):
        drive(port, 30)
    check(tmp_path, "GET /orders/{number:int}", 31)

"""Servers under ``python -m burnish_sensor --``: every worker reports, and the counts are those of who asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sensor.support import windows, write
from tests.sensor.ways.serving import ASGI, LAUNCHER, WSGI, ask, free_port, served

REQUESTS = 12


def gunicorn(port: int, *options: str) -> list[str]:
    return ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "warning", *options, "app:app"]


def uvicorn(port: int, *options: str) -> list[str]:
    return ["-m", "uvicorn", "--port", str(port), "--log-level", "warning", "--lifespan", "off", *options, "app:app"]


def entries(folder: Path) -> Counter[tuple[str, str]]:
    """Requests by entry and status, over all processes."""
    found: Counter[tuple[str, str]] = Counter()
    for window in windows(folder):
        for row in window["entries"]:
            found.update({(row["entry"], status): count for status, count in row["status"].items()})
    return found


def answered(folder: Path) -> int:
    return sum(row["calls"] for window in windows(folder) for row in window["calls"] if "answer" in row["function"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--workers", "2"],
        ["--workers", "1", "--worker-class", "gthread", "--threads", "4"],
        ["--workers", "2", "--preload"],
        ["--workers", "2", "--max-requests", "3"],
    ],
    ids=["sync", "gthread", "preload", "max-requests"],
)
def test_gunicorn(options: list[str], tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    write(tmp_path, app=WSGI)
    port = free_port()
    with served([*LAUNCHER[:-1], "python", *gunicorn(port, *options)], tmp_path, port, PATH=path()):
        for _ in range(REQUESTS):
            assert ask(port, "/orders")[0] == 200
    assert entries(tmp_path) == {("GET /orders", "200"): REQUESTS}
    assert answered(tmp_path) == REQUESTS


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--workers", "2"], ["--reload"]], ids=["one", "two", "reload"])
def test_uvicorn(options: list[str], tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    write(tmp_path, app=ASGI)
    port = free_port()
    with served([*LAUNCHER, *uvicorn(port, *options)], tmp_path, port):
        for _ in range(REQUESTS):
            assert ask(port, "/orders")[0] == 200
    assert entries(tmp_path) == {("GET /orders", "200"): REQUESTS}
    assert answered(tmp_path) == REQUESTS


@pytest.mark.slow
@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
def test_switched_off_nothing_is_left_behind(server: str, tmp_path: Path) -> None:
    pytest.importorskip(server)
    write(tmp_path, app=WSGI if server == "gunicorn" else ASGI)
    port = free_port()
    command = (gunicorn if server == "gunicorn" else uvicorn)(port)
    with served([*LAUNCHER, *command], tmp_path, port, BURNISH_SENSOR="off"):
        assert ask(port, "/orders")[0] == 200
    assert not (tmp_path / ".burnish").exists()
    assert "burnish" not in (tmp_path / "server.log").read_text()


def path() -> str:
    """PATH with the environment's own folder first: a user writes ``python``."""
    import os
    import sys

    return os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

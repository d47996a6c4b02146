"""Whole processes that send their windows to a collector."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.format_shape import check_window
from tests.sensor.output.receivers import Collector, collector, spooled, unix_receiver
from tests.sensor.support import run, write

APP = """
    import os, signal, sys, time
    def work(): pass
    def end(how):
        work()
        if how == "term":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        if how == "fork":
            pid = os.fork()
            if pid == 0:
                work()
                sys.exit(0)
            os.waitpid(pid, 0)
    end(sys.argv[1])
"""
START = "import burnish_sensor; burnish_sensor.start()\nimport app"


def serve(folder: Path, how: str, output: str, **environ: str) -> Any:
    write(folder, app=APP)
    return run(["-c", START, how], folder, BURNISH_OUTPUT=output, BURNISH_SERVICE="shop", **environ)


def url(receiver: Collector) -> str:
    return f"http://127.0.0.1:{receiver.port}"


def calls(receiver: Collector) -> Counter[str]:
    """How often each function was called, over windows that are all different."""
    windows = [window for post in receiver.posts for window in post.windows]
    for window in windows:
        check_window(window)
    assert len({(window["instance"], window["sequence"]) for window in windows}) == len(windows)
    found: Counter[str] = Counter()
    for row in (row for window in windows for row in window["calls"]):
        found[row["function"]] += row["calls"]
    return found


@pytest.mark.parametrize(("how", "code"), [("exit", 0), ("term", -15)])
def test_the_last_window_is_sent_by_a_process_that_ends(how: str, code: int, tmp_path: Path) -> None:
    with collector() as receiver:
        result = serve(tmp_path, how, url(receiver), BURNISH_TOKEN="abc")
        assert (result.returncode, result.stderr) == (code, "")
    assert calls(receiver)["app:work"] == 1
    assert receiver.posts[0].headers["Authorization"] == "Bearer abc"
    assert not spooled(tmp_path)


def test_parent_and_child_of_a_fork_send_their_own(tmp_path: Path) -> None:
    with collector() as receiver:
        result = serve(tmp_path, "fork", url(receiver), BURNISH_WINDOW_SECONDS="0.1", PYTHONWARNINGS="always")
        assert (result.returncode, result.stderr) == (0, "")
    assert calls(receiver) == {"app:work": 2, "app:end": 2}
    assert len({window["instance"] for post in receiver.posts for window in post.windows}) == 2


def test_a_process_whose_collector_hangs_ends_and_the_next_one_sends_what_it_left(tmp_path: Path) -> None:
    released = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        released.wait(60)

    with collector(hang) as receiver:
        assert serve(tmp_path, "exit", url(receiver)).returncode == 0  # while nothing was released
        assert len(spooled(tmp_path)) == 1
        released.set()
    with collector() as receiver:
        result = run(
            ["-c", START + UNTIL_SENT, "exit"],
            tmp_path,
            BURNISH_OUTPUT=url(receiver),
            BURNISH_SERVICE="shop",
            BURNISH_WINDOW_SECONDS="0.2",
        )
        assert (result.returncode, result.stderr) == (0, "")
    assert calls(receiver)["app:end"] == 2


#: Until what another process left is sent: 20 s at most.
UNTIL_SENT = """
import glob, time
left = glob.glob(".burnish/spool/shop/*/*.gz")
assert left
limit = time.monotonic() + 20
while time.monotonic() < limit and any(glob.glob(".burnish/spool/shop/*/" + path.split("/")[-1]) for path in left):
    app.work()
    time.sleep(0.02)
"""


def test_lost_windows_are_counted_in_the_next_one(tmp_path: Path) -> None:
    code = """
import time
def more(): pass
for _ in range(100):
    app.work()
    time.sleep(0.02)
"""
    with collector(400, 404) as receiver:
        write(tmp_path, app=APP)
        result = run(["-c", START + code, "exit"], tmp_path, BURNISH_OUTPUT=url(receiver), BURNISH_WINDOW_SECONDS="0.2")
        assert result.stderr.count("refused") == 1
    windows = [window for post in receiver.posts for window in post.windows]
    assert sum(window["sensor"]["dropped"]["windows"] for window in windows) == 2
    assert [window["sequence"] for window in windows] == list(range(2, len(windows) + 2))


def test_a_unix_socket(tmp_path: Path) -> None:
    with unix_receiver(tmp_path / "s") as lines:
        result = serve(tmp_path, "fork", "unix:s")
        assert (result.returncode, result.stderr) == (0, "")
    assert len(lines) == 2


def test_processes_share_a_file(tmp_path: Path) -> None:
    result = serve(tmp_path, "fork", "all.jsonl")
    assert (result.returncode, result.stderr) == (0, "")
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2


def test_no_spool_and_no_collector_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = serve(tmp_path, "exit", "http://127.0.0.1:9", BURNISH_SPOOL="file/spool")
    assert result.returncode == 0
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert "BURNISH_SPOOL" in lines[0]
    assert "http://127.0.0.1:9/v1/windows" in lines[1]


def test_importing_the_sensor_imports_no_network(tmp_path: Path) -> None:
    code = START + "\nimport sys\nprint(sorted({'http.client', 'ssl', 'socket', 'gzip', 'email'} & set(sys.modules)))"
    write(tmp_path, app="")
    for output in ("http://127.0.0.1:9", "unix:s", "w"):
        assert run(code, tmp_path, BURNISH_OUTPUT=output).stdout == "[]\n"


GEVENT = """
import {first}
import {second}
import gevent, sys, time
sys.path.insert(0, "")
import app
beats = []
def beat():
    while True:
        beats.append(1)
        gevent.sleep(0.005)
gevent.spawn(beat)
limit = time.monotonic() + 20
while time.monotonic() < limit and len(beats) < 200:
    app.work()
    gevent.sleep(0.01)
print(len(beats) >= 200)
"""
PATCHED, STARTED = "gevent.monkey; gevent.monkey.patch_all()", "burnish_sensor; burnish_sensor.start()"


@pytest.mark.parametrize(("first", "second"), [(PATCHED, STARTED), (STARTED, PATCHED)])
def test_greenlets_go_on_while_the_collector_hangs(first: str, second: str, tmp_path: Path) -> None:
    pytest.importorskip("gevent")
    released = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        released.wait(60)

    write(tmp_path, app="def work(): pass")
    with collector(hang) as receiver:
        code = GEVENT.format(first=first, second=second)
        result = run(code, tmp_path, BURNISH_OUTPUT=url(receiver), BURNISH_WINDOW_SECONDS="0.2")
        released.set()
    assert (result.returncode, result.stdout) == (0, "True\n"), result.stderr
    assert len(spooled(tmp_path)) >= 3

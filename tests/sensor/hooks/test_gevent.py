"""gevent in processes of its own: interleaved greenlets, patched before and after the start of the sensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.entry_support import entries, entry_of
from tests.sensor.support import bare, run, short, windows, write

pytest.importorskip("gevent")

APP = """
    import sqlite3
    import time
    import gevent
    from gevent.pool import Pool
    import burnish_sensor

    NAP = 0.05

    def fetch(number):
        first(number)
        return second(number)

    def first(number):
        gevent.sleep(NAP)

    def second(number):
        wait()
        return number

    def wait():
        time.sleep(NAP)  # of gevent where it is patched

    def ask(number):
        wait()
        sqlite3.connect(":memory:").execute("SELECT ?", (number,)).fetchall()

    def busy():
        end = time.perf_counter() + NAP
        while time.perf_counter() < end:
            pass

    def background():
        with burnish_sensor.entry("job:%d" % 1):
            gevent.sleep(NAP)
            ask(1)

    def main():
        pool = Pool(10)
        assert pool.map(fetch, range(20)) == list(range(20))
        jobs = [gevent.spawn(background), gevent.spawn(ask, 2), gevent.spawn(busy)]
        gevent.joinall(jobs, raise_error=True)
        killed = gevent.spawn(first, 0)
        gevent.sleep(0.01)
        killed.kill()
"""
PATCH = "from gevent import monkey; monkey.patch_all()"
START = "import burnish_sensor; burnish_sensor.start()"
BEFORE = f"{PATCH}\n{START}\nimport app; app.main()"
AFTER = f"{START}\n{PATCH}\nimport app; app.main()"


def observe(folder: Path, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The window, and its call rows outside of entries by bare name."""
    write(folder, app=APP)
    result = run(code, folder)
    assert (result.returncode, result.stderr) == (0, "")
    (window,) = windows(folder)
    return window, {bare(row["function"]): short(row) for row in window["calls"] if not row["entry"]}


@pytest.mark.parametrize("code", [BEFORE, AFTER], ids=["patched before", "patched after"])
def test_interleaved_greenlets(tmp_path: Path, code: str) -> None:
    window, calls = observe(tmp_path, code)
    nap = 50_000_000
    assert calls["fetch"]["callers"] == {"": 20}
    assert calls["first"]["callers"] == {"fetch": 20, "": 1}
    assert calls["second"]["callers"] == {"fetch": 20}
    assert calls["wait"]["callers"] == {"second": 20, "ask": 1}
    assert calls["busy"]["callers"] == calls["main"]["callers"] == {"": 1}
    assert calls["first"]["wall"] >= 20 * nap
    assert calls["fetch"]["wall"] >= 40 * nap
    assert calls["fetch"]["own"] + calls["second"]["own"] + calls["first"]["own"] < 10 * nap
    assert calls["busy"]["own"] >= nap
    assert calls["main"]["wall"] >= 5 * nap
    assert calls["main"]["own"] < 2 * nap
    assert entries(window) == {"job:1": (1, {}, {})}
    assert entry_of(window, "app:ask") == {"": 1, "job:1": 1}
    assert entry_of(window, "app:wait") == {"": 21, "job:1": 1}
    assert {(row["function"], row["entry"], row["executions"]) for row in window["queries"]} == {
        ("app:ask", "", 1),
        ("app:ask", "job:1", 1),
    }
    assert calls["first"]["errors"] == {"GreenletExit": 1}


THREAD = """
    from gevent import monkey
    monkey.patch_all()
    import os, time
    import burnish_sensor
    burnish_sensor.start()
    import app
    app.busy()
    folder = ".burnish/windows"
    end = time.perf_counter() + 20
    while not os.path.isdir(folder) and time.perf_counter() < end:
        pass  # no greenlet would ever run
    assert os.listdir(folder)
"""


def test_windows_are_written_while_the_only_thread_computes(tmp_path: Path) -> None:
    write(tmp_path, app=APP)
    result = run(THREAD, tmp_path, BURNISH_WINDOW_SECONDS="0.2")
    assert (result.returncode, result.stderr) == (0, "")


CHAINED = """
    import burnish_sensor
    burnish_sensor.start()
    import greenlet
    seen = []
    greenlet.settrace(lambda event, greenlets: seen.append(event))
    import gevent
    gevent.sleep(0)
    gevent.spawn(len, "").join()
    assert len(seen) > 3, seen
    burnish_sensor.stop()
    before = len(seen)
    gevent.sleep(0)
    assert len(seen) > before
    assert greenlet.gettrace().__module__ == "__main__"
"""


def test_a_trace_function_that_was_there_is_still_called(tmp_path: Path) -> None:
    result = run(CHAINED, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")

"""More of everything than a service has: memory, time and threads stay bounded."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.sensor.faults.support import calls, finish, same, start
from tests.sensor.support import run, windows, write

_LONG_S = 300
MEMORY = """
    def resident():
        with open("/proc/self/status") as stream:
            return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS")) / 1024
"""


def test_two_hundred_threads_at_once(tmp_path: Path) -> None:
    app = """
        import threading
        barrier = threading.Barrier(200)
        def work(n): return n
        def body(n):
            barrier.wait()
            for _ in range(50): work(n)
        def main():
            threads = [threading.Thread(target=body, args=(n,)) for n in range(200)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(threading.active_count())
    """
    write(tmp_path, app=app, main="import app\napp.main()\n")
    code, out, _ = finish(start(["main.py"], tmp_path))
    assert code == 0
    assert int(out) <= 2  # main, and the sensor's own
    assert calls(tmp_path)["app:work"] == 200 * 50


def test_threads_that_come_and_go_leave_nothing(tmp_path: Path) -> None:
    app = """
        import threading
        def work(n): return n
        def main(count):
            for n in range(count):
                thread = threading.Thread(target=work, args=(n,))
                thread.start()
                thread.join()
    """
    code = """
        import burnish_sensor; burnish_sensor.start()
        import app
        from burnish_sensor import runtime
        app.main(3000)
        runtime.active.flusher.fold()
        assert len(runtime.active.recorder.open) < 50, len(runtime.active.recorder.open)
    """
    write(tmp_path, app=app)
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert calls(tmp_path)["app:work"] == 3000


@pytest.mark.slow
def test_a_hundred_thousand_functions(tmp_path: Path) -> None:
    """Half of them are beyond the cap: they run as they are, and the windows say how many."""
    for module in range(200):
        lines = [f"def f{n}(): return {n}" for n in range(500)]
        write(tmp_path, **{f"many/m{module}": "\n".join(lines) + "\n"})
    code = """
        import importlib
        import burnish_sensor; burnish_sensor.start()
        total = 0
        for module in range(200):
            names = vars(importlib.import_module("many.m%d" % module))
            total += sum(names["f%d" % n]() for n in range(500))
        print(total)
        burnish_sensor.stop()
    """
    roomy = {"BURNISH_WINDOW_SECONDS": "5", "BURNISH_MEMORY_MB": "256"}  # not the bound of memory, but the cap
    started = start(["-c", textwrap.dedent(code)], tmp_path, observed=False, **roomy)
    assert finish(started, timeout=_LONG_S) == (0, f"{200 * sum(range(500))}\n", "")
    dropped = sum(window["sensor"]["dropped"]["functions"] for window in windows(tmp_path))
    assert dropped > 10_000
    assert 10_000 < len(calls(tmp_path)) <= 50_000


@pytest.mark.slow
def test_a_million_distinct_statements(tmp_path: Path) -> None:
    """Statements that differ by more than a literal, as a careless query builder makes them."""
    app = """
        import sqlite3
        def ask(cursor, n): cursor.execute("SELECT 1 AS a%d" % n)
        def main(count):
            cursor = sqlite3.connect(":memory:").cursor()
            for n in range(count): ask(cursor, n)
    """
    code = """
        import memory, burnish_sensor; burnish_sensor.start()
        import app
        app.main(20_000)
        before = memory.resident()
        app.main(1_000_000)
        grown = memory.resident() - before
        assert grown < 16, grown
    """
    write(tmp_path, app=app, memory=MEMORY)
    started = start(["-c", textwrap.dedent(code)], tmp_path, observed=False, BURNISH_WINDOW_SECONDS="5")
    assert finish(started, timeout=_LONG_S) == (0, "", "")
    executions = sum(row["executions"] for window in windows(tmp_path) for row in window["queries"])
    assert executions == 1_020_000
    assert max(len(window["statements"]) for window in windows(tmp_path)) <= 2_001


def test_closures_made_without_end(tmp_path: Path) -> None:
    app = """
        def make(n):
            def inner(): return n
            class Local:
                def method(self): return n
            return inner() + Local().method()
        def main(): print(sum(make(n) for n in range(5_000)))
    """
    write(tmp_path, app=app, main="import app\napp.main()\n")
    same(["main.py"], tmp_path)
    assert calls(tmp_path)["app:make.<locals>.inner"] == 5_000


def test_names_without_end(tmp_path: Path) -> None:
    """Entries by a name that holds an identifier: beyond the cap they are one."""
    code = """
        import burnish_sensor; burnish_sensor.start()
        for n in range(3_000):
            with burnish_sensor.entry("job:report-%d" % n): pass
    """
    assert run(code, tmp_path).returncode == 0
    (window,) = windows(tmp_path)
    assert len(window["entries"]) <= 501
    assert window["sensor"]["dropped"]["entries"] > 0

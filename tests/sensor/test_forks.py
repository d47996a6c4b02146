"""Forks are told to the sensor that runs, once, and to none that was stopped."""

from __future__ import annotations

from pathlib import Path

from tests.sensor.support import run, windows, write

APP = """
    def work(): pass
"""
RESTARTED = """
    import os
    import burnish_sensor
    for _ in range(3):
        burnish_sensor.start()
        burnish_sensor.stop()
    burnish_sensor.start()
    import app
    app.work()
    child = os.fork()
    app.work()
    if child == 0:
        burnish_sensor.stop()
        os._exit(0)
    os.waitpid(child, 0)
"""
STOPPED = """
    import os
    import burnish_sensor
    burnish_sensor.start()
    import app
    app.work()
    burnish_sensor.stop()
    child = os.fork()
    app.work()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
"""
TOLD = """
    import os
    from burnish_sensor import forks

    class Told(list):
        def before_fork(self): self.append("before")
        def after_fork_in_parent(self): self.append("parent")
        def after_fork_in_child(self): self.append("child")

    first, second = Told(), Told()
    forks.watch(first)
    forks.watch(second)
    child = os.fork()
    if child == 0:
        os._exit(0 if (first, second) == ([], ["before", "child"]) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (first, second) == ([], ["before", "parent"])
    forks.forget(first)
    forks.forget(second)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert second == ["before", "parent"]
"""


def calls(folder: Path) -> list[int]:
    """The calls of ``work`` by process."""
    return sorted(row["calls"] for window in windows(folder) for row in window["calls"])


def test_a_fork_is_told_once_and_to_the_last_who_asked(tmp_path: Path) -> None:
    result = run(TOLD, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_after_restarts_both_processes_report_their_own_calls(tmp_path: Path) -> None:
    write(tmp_path, app=APP)
    result = run(RESTARTED, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(tmp_path) == [1, 2]


def test_a_stopped_sensor_is_told_nothing(tmp_path: Path) -> None:
    write(tmp_path, app=APP)
    result = run(STOPPED, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(tmp_path) == [1]


SUBINTERPRETER = """
    import burnish_sensor
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    assert burnish_sensor.start()
    import app
    app.work()
    inner = interpreters.create()
    start = "import sys; sys.path.insert(0, ''); import burnish_sensor; assert not burnish_sensor.start()"
    assert not interpreters.run_string(inner, start + "; import app; app.work()")
    interpreters.destroy(inner)
    app.work()
"""


def test_a_sub_interpreter_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, app=APP)
    result = run(SUBINTERPRETER, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(tmp_path) == [2]

"""Processes that end in every way there is."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.sensor.faults.support import calls, finish, same, start
from tests.sensor.support import windows, write

APP = """
    import os, signal, sys, time
    def work(): pass
    def wait(): time.sleep(0.05)
    def leave(how):
        if how == "_exit":
            os._exit(7)
        if how == "exit":
            sys.exit("bye")
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "term":
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        if how == "int":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        if how == "abort":
            os.abort()
        if how == "raise":
            raise LookupError("gone")
"""
MAIN = """
    import sys, app
    for _ in range(10):
        app.work()
    for _ in range(int(sys.argv[2])):
        app.wait()
    print("working", flush=True)
    app.leave(sys.argv[1])
"""
ENDS = ["_exit", "exit", "kill", "term", "int", "abort", "raise", "end"]


@pytest.mark.parametrize("how", ENDS)
def test_a_process_ends_as_it_would(how: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN)
    same(["main.py", how, "0"], tmp_path)


@pytest.mark.parametrize("how", [how for how in ENDS if how not in ("_exit", "kill", "abort")])
def test_everything_finished_is_written(how: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN)
    finish(start(["main.py", how, "0"], tmp_path))
    found = calls(tmp_path)
    assert found["app:work"] == 10
    if how != "term":  # the handler ends the process within that call
        assert found["app:leave"] == 1


@pytest.mark.parametrize("how", ["_exit", "kill", "abort"])
def test_a_process_that_is_killed_loses_the_last_window_at_most(how: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN)
    finish(start(["main.py", how, "12"], tmp_path, BURNISH_WINDOW_SECONDS="0.2"))
    found = calls(tmp_path)
    assert found["app:work"] == 10
    assert found["app:wait"] >= 4  # of 12, each of 50 ms: two windows of 0.2 s have passed
    assert all(window["end_unix_ns"] >= window["start_unix_ns"] for window in windows(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_a_call_runs(number: int, tmp_path: Path) -> None:
    write(
        tmp_path, app=APP, main="import app\nwhile True:\n    app.work()\n    app.wait()\n    print('on', flush=True)\n"
    )
    seen = []
    for observed in (False, True):
        process = start(["main.py"], tmp_path, observed)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        code, _, err = finish(process)
        seen.append((code, [line for line in err.splitlines() if not line.startswith(" ")][-1:]))
    assert seen[0] == seen[1]
    if number != signal.SIGHUP:
        assert calls(tmp_path)["app:work"] >= 1


def test_a_process_with_its_own_handler_keeps_it(tmp_path: Path) -> None:
    main = """
        import os, signal, sys, app
        def stop(number, frame):
            print("stopping", number)
            sys.exit(3)
        signal.signal(signal.SIGTERM, stop)
        app.work()
        os.kill(os.getpid(), signal.SIGTERM)
        app.wait()
    """
    write(tmp_path, app=APP, main=main)
    assert same(["main.py"], tmp_path)[0] == 3
    assert calls(tmp_path)["main:stop"] == 1


def test_a_process_that_ignores_sigterm_still_ignores_it(tmp_path: Path) -> None:
    main = """
        import os, signal, app
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGTERM)
        app.work()
        print("alive")
    """
    write(tmp_path, app=APP, main=main)
    assert same(["main.py"], tmp_path)[:2] == (0, "alive\n")


def test_a_torn_line_is_all_that_a_kill_can_leave(tmp_path: Path) -> None:
    write(tmp_path, app=APP, main="import app\nwhile True: app.work()\n")
    process = start(["main.py"], tmp_path, BURNISH_WINDOW_SECONDS="0.1")
    deadline = time.monotonic() + 20
    folder = tmp_path / ".burnish" / "windows"
    while time.monotonic() < deadline and not any(file.stat().st_size for file in folder.glob("*.jsonl")):
        time.sleep(0.05)
    process.kill()
    finish(process)
    (file,) = folder.glob("*.jsonl")
    complete = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert complete
    assert calls(tmp_path)["app:work"] > 0

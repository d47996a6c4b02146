from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.settings import Settings
from burnish_sensor.windows.flush import Flusher
from tests.sensor.support import Bench, run, windows, write


def flusher(bench: Bench, folder: Path) -> Flusher:
    settings = Settings("", str(folder), "shop", "test", "r1", 10.0, True)
    return Flusher(bench.recorder, bench.registry, bench.statements, settings, {"version": "0", "mechanism": "m"})


def work(bench: Bench) -> None:
    bench.load("def f(): tick(1)\n")["f"]()


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]


def test_each_call_is_in_one_window(tmp_path: Path) -> None:
    bench = Bench()
    subject = flusher(bench, tmp_path)
    work(bench)
    subject.flush()
    work(bench)
    work(bench)
    subject.fold()
    subject.flush()
    found = read(tmp_path)
    assert [window["sequence"] for window in found] == [0, 1]
    assert [window["calls"][0]["calls"] for window in found] == [1, 2]
    assert found[0]["end_unix_ns"] == found[1]["start_unix_ns"]


def test_a_window_in_which_nothing_happened_is_not_written(tmp_path: Path) -> None:
    flusher(Bench(), tmp_path).flush()
    assert read(tmp_path) == []


def test_calls_of_a_running_request_wait_for_its_name(tmp_path: Path) -> None:
    bench = Bench()
    subject = flusher(bench, tmp_path)
    entry = bench.entries.begin("http")
    work(bench)
    subject.flush()
    assert read(tmp_path) == []
    work(bench)
    bench.entries.end(entry, "GET x")
    subject.flush()
    (window,) = read(tmp_path)
    assert (window["calls"][0]["entry"], window["calls"][0]["calls"]) == ("GET x", 2)


def test_calls_of_a_long_job_are_written_while_it_runs(tmp_path: Path) -> None:
    bench = Bench()
    subject = flusher(bench, tmp_path)
    entry = bench.entries.begin("job", "job:long")
    work(bench)
    subject.flush()
    assert [row["entry"] for row in read(tmp_path)[0]["calls"]] == ["job:long"]
    bench.entries.end(entry)
    subject.flush()
    assert read(tmp_path)[1]["entries"][0]["entry"] == "job:long"


def test_a_directory_that_cannot_be_written_is_one_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    bench = Bench()
    subject = flusher(bench, blocked / "windows")
    for _ in range(2):
        work(bench)
        subject.flush()
    warning = capsys.readouterr().err
    assert warning.count("cannot write windows") == 1
    assert "BURNISH_OUTPUT" in warning
    blocked.unlink()
    work(bench)
    subject.flush()
    (window,) = read(blocked / "windows")
    assert (window["sequence"], window["sensor"]["dropped"]["windows"]) == (0, 2)


def test_a_forked_child_reports_only_its_own_calls(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os
        def before(): pass
        def parent(): pass
        def child(): pass
        def work():
            before()
            pid = os.fork()
            if pid == 0:
                child()
                raise SystemExit(0)
            os.waitpid(pid, 0)
            parent()
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app; app.work()", tmp_path)
    assert result.returncode == 0, result.stderr
    found = {window["instance"]: sorted(row["function"] for row in window["calls"]) for window in windows(tmp_path)}
    assert sorted(found.values()) == [["app:before", "app:parent", "app:work"], ["app:child", "app:work"]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_with_the_flush_thread_running_raises_no_warning(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os
        def work():
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
    """,
    )
    code = "import burnish_sensor; burnish_sensor.start()\nimport app; app.work(); app.work()"
    result = run(code, tmp_path, PYTHONWARNINGS="always")
    assert result.stderr == ""


def test_the_parent_goes_on_writing_windows_after_a_fork(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os, time
        def step(): time.sleep(0.01)
        def work():
            step()
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
            for _ in range(60):
                step()
            os._exit(0)
        work()
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app", tmp_path, BURNISH_WINDOW_SECONDS="0.2")
    assert result.returncode == 0, result.stderr
    assert sum(row["calls"] for window in windows(tmp_path) for row in window["calls"]) > 20


def test_sigterm_ends_the_process_after_the_last_window(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os, signal
        def work(): pass
        work()
        os.kill(os.getpid(), signal.SIGTERM)
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app", tmp_path)
    assert result.returncode == -15
    assert [row["function"] for row in windows(tmp_path)[0]["calls"]] == ["app:work"]


def test_windows_are_aligned_to_the_wall_clock(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import time
        def work(): pass
        end = time.time() + 1.2
        while time.time() < end:
            work()
            time.sleep(0.02)
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app", tmp_path, BURNISH_WINDOW_SECONDS="0.5")
    assert result.returncode == 0, result.stderr
    found = windows(tmp_path)
    assert len(found) >= 2
    assert all(window["end_unix_ns"] % 500_000_000 == 0 for window in found[:-1])
    assert [window["sequence"] for window in found] == list(range(len(found)))


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_windows_go_on_when_the_clock_is_set(jump: int, tmp_path: Path) -> None:
    bench = Bench()
    shift = [0]
    settings = Settings("", str(tmp_path), "shop", "test", "r1", 0.2, True)
    about = {"version": "0", "mechanism": "m"}
    subject = Flusher(
        bench.recorder, bench.registry, bench.statements, settings, about, lambda: time.time_ns() + shift[0]
    )
    subject.wake()
    functions = bench.load("def f(): tick(1)\n")

    def work_until_written(count: int) -> None:
        deadline = time.monotonic() + 20
        while len(read(tmp_path)) < count:
            functions["f"]()
            time.sleep(0.01)
            assert time.monotonic() < deadline

    work_until_written(2)
    shift[0] = jump * 1_000_000_000
    work_until_written(5)
    subject.stop()
    found = read(tmp_path)
    assert [window["sequence"] for window in found] == list(range(len(found)))
    assert all(window["start_unix_ns"] <= window["end_unix_ns"] for window in found)
    moved = found[-1]["start_unix_ns"] - found[0]["start_unix_ns"]
    assert abs(moved - shift[0]) < 60_000_000_000

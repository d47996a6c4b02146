"""Other tools in the same process: coverage.py, debuggers, profilers, holders of the monitoring ids."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.faults.support import calls, finish, same, start
from tests.sensor.support import run, windows, write

APP = """
    def work(n):
        total = 0
        for i in range(n):
            if i % 2:
                total += twice(i)
        return total
    def twice(n):
        if n > 1000:
            return "never"
        return n * 2
    def generate(n):
        for i in range(n):
            yield twice(i)
    def fails(n):
        try:
            return 1 / n
        except ZeroDivisionError:
            return None
    class Thing:
        @property
        def size(self): return work(3)
"""
MAIN = "import app\nprint(app.work(10), list(app.generate(3)), app.fails(0), app.Thing().size)\n"


def coverage_data(folder: Path, arguments: list[str]) -> dict[str, Any]:
    (folder / ".coverage").unlink(missing_ok=True)
    done = finish(start(["-m", "coverage", "run", "--branch", "--include=app.py", "main.py"], folder, bool(arguments)))
    assert done[0] == 0, done[2]
    report = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    printed = subprocess.run(report, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout
    found: dict[str, Any] = json.loads(printed)["files"]
    return {name: (data["executed_lines"], data["missing_lines"]) for name, data in found.items()}


def test_coverage_measures_the_same_lines(tmp_path: Path) -> None:
    pytest.importorskip("coverage")
    write(tmp_path, app=APP, main=MAIN)
    plain = coverage_data(tmp_path, [])
    assert plain["app.py"][0]
    assert coverage_data(tmp_path, ["observed"]) == plain
    assert calls(tmp_path)["app:twice"] == 9


PROFILED = """
    import cProfile, pstats, io, app
    profile = cProfile.Profile()
    print(profile.runcall(app.work, 10))
    stats = pstats.Stats(profile, stream=io.StringIO()).stats
    print(sorted((name, found[0]) for (file, _, name), found in stats.items() if file.endswith("app.py")))
"""
DEBUGGED = """
    import bdb, app
    class Debugger(bdb.Bdb):
        lines = []
        def user_line(self, frame):
            if frame.f_code.co_name == "twice":
                self.lines.append(frame.f_lineno)
            self.set_continue() if len(self.lines) > 3 else self.set_step()
    debugger = Debugger()
    debugger.set_break(app.__file__, 9)
    print(debugger.runcall(app.work, 10), sorted(set(Debugger.lines)) != [])
"""


@pytest.mark.parametrize("main", [PROFILED, DEBUGGED], ids=["cProfile", "bdb"])
def test_profilers_and_debuggers_see_the_application(main: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=main)
    same(["main.py"], tmp_path)
    assert calls(tmp_path)["app:twice"] == 5


def test_pdb_stops_where_it_is_told(tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN)
    commands = ["-c", "break app.py:9", "-c", "continue", "-c", "p n", "-c", "where", "-c", "quit"]
    outputs = []
    for observed in (False, True):
        code, out, _ = finish(start(["-m", "pdb", *commands, "main.py"], tmp_path, observed))
        outputs.append((code, [line for line in out.splitlines() if "app.py" in line or line.isdigit()]))
    assert outputs[0] == outputs[1]


needs_monitoring = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")
TAKE = """
    import sys
    def take(ids):
        taken = []
        for number in ids:
            try:
                sys.monitoring.use_tool_id(number, "other%d" % number)
            except ValueError:
                continue
            taken.append(number)
        return taken
"""


@needs_monitoring
def test_all_monitoring_ids_taken_before(tmp_path: Path) -> None:
    """The sensor goes another way, or says in one line that it does not observe; the host goes on."""
    write(tmp_path, app=APP, take=TAKE)
    code = """
        import take
        print(len(take.take(range(6))) == 6)
        import burnish_sensor; burnish_sensor.start()
        import app; print(app.work(10))
    """
    done = run(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "True\n50\n"), done.stderr
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) <= 1, lines
    assert all(line.startswith("burnish_sensor: ") for line in lines)
    assert lines or calls(tmp_path)["app:twice"] == 5


@needs_monitoring
def test_all_monitoring_ids_taken_midway(tmp_path: Path) -> None:
    """Ids that are free are another tool's; one that is the sensor's may be torn away. Nothing is raised."""
    write(tmp_path, app=APP, take=TAKE)
    code = """
        import burnish_sensor; burnish_sensor.start()
        import sys, app, take
        print(app.work(10))
        taken = take.take(range(6))
        print(app.work(10))
        for number in set(range(6)) - set(taken):
            sys.monitoring.set_events(number, 0)
            sys.monitoring.free_tool_id(number)
            sys.monitoring.use_tool_id(number, "thief")
        print(app.work(10), list(app.generate(3)))
        burnish_sensor.stop()
        print(app.work(10))
    """
    done = run(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "50\n50\n50 [0, 2, 4]\n50\n"), done.stderr
    assert len([line for line in done.stderr.splitlines() if line]) <= 1, done.stderr
    assert calls(tmp_path)["app:work"] >= 2


@needs_monitoring
def test_another_tools_events_arrive(tmp_path: Path) -> None:
    app = """
        import sys
        seen = []
        def work(n): return n
        def main():
            tool = next(n for n in (1, 3, 4, 0) if sys.monitoring.get_tool(n) is None)
            sys.monitoring.use_tool_id(tool, "mine")
            event = sys.monitoring.events.PY_START
            sys.monitoring.register_callback(tool, event, lambda code, offset: seen.append(code.co_name))
            sys.monitoring.set_local_events(tool, work.__code__, event)
            print([work(n) for n in range(3)], seen)
            sys.monitoring.set_local_events(tool, work.__code__, 0)
            work(1)
            sys.monitoring.free_tool_id(tool)
            print(seen)
    """
    write(tmp_path, app=app, main="import app\napp.main()\n")
    same(["main.py"], tmp_path)
    assert calls(tmp_path)["app:work"] == 4
    assert all(not window["sensor"]["dropped"]["windows"] for window in windows(tmp_path))

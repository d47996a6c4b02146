from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.sensor.format_shape import check_window
from tests.sensor.support import ROOT, run, windows, write


def test_importing_has_no_effect_and_loads_only_the_standard_library() -> None:
    code = """
import sys
before = (list(sys.meta_path), list(sys.path))
sys.path.append({sensor!r})
names = set(sys.modules)
import burnish_sensor
assert burnish_sensor.__version__
loaded = {{name.partition(".")[0] for name in set(sys.modules) - names}} - {{"burnish_sensor"}}
foreign = loaded - set(getattr(sys, "stdlib_module_names", loaded))
assert not foreign, foreign
assert sys.meta_path == before[0]
assert "threading" not in sys.modules and "json" not in sys.modules, "too much for an import"
import builtins, threading
assert not [name for name in vars(builtins) if "burnish" in name]
assert threading.active_count() == 1
import burnish_sensor.runtime
""".format(sensor=str(ROOT / "sensor"))
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_start_is_once_and_stop_ends_the_observation(tmp_path: Path) -> None:
    write(tmp_path, app="def f(): return 1\ndef g():\n    yield 1\n")
    result = run(
        """
        import burnish_sensor
        assert burnish_sensor.start() and not burnish_sensor.start()
        import app
        app.f()
        burnish_sensor.stop()
        burnish_sensor.stop()
        assert app.f() == 1 and list(app.g()) == [1]
        """,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert [(row["function"], row["calls"]) for row in windows(tmp_path)[0]["calls"]] == [("app:f", 1)]


def test_off_means_off(tmp_path: Path) -> None:
    write(tmp_path, app="def f(): pass\nf()\n")
    code = "import burnish_sensor; assert not burnish_sensor.start()\nimport app, builtins\n"
    result = run(code + "assert '__burnish_enter__' not in vars(builtins)", tmp_path, BURNISH_SENSOR="off")
    assert result.returncode == 0, result.stderr
    assert windows(tmp_path) == []


def test_an_entry_is_a_context_manager_and_a_decorator(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import burnish_sensor
        def step(): pass
        @burnish_sensor.entry("task:mail")
        def mail():
            step()
        def report():
            with burnish_sensor.entry("job:report"):
                step()
        def main():
            mail()
            mail()
            report()
            try:
                with burnish_sensor.entry("job:bad"):
                    raise KeyError
            except KeyError:
                pass
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app; app.main()", tmp_path)
    assert result.returncode == 0, result.stderr
    (window,) = windows(tmp_path)
    assert [(row["entry"], row["kind"], row["calls"], row["errors"]) for row in window["entries"]] == [
        ("job:bad", "job", 1, {"KeyError": 1}),
        ("job:report", "job", 1, {}),
        ("task:mail", "task", 2, {}),
    ]
    steps = {row["entry"]: row["calls"] for row in window["calls"] if row["function"] == "app:step"}
    assert steps == {"task:mail": 2, "job:report": 1}


def test_entries_do_nothing_without_the_sensor(tmp_path: Path) -> None:
    assert run("import burnish_sensor\nwith burnish_sensor.entry('job:x'): pass", tmp_path).returncode == 0


def test_the_cost_of_the_sensor_is_reported(tmp_path: Path) -> None:
    write(tmp_path, app="def f(): pass\nfor _ in range(1000): f()\n")
    run("import burnish_sensor; burnish_sensor.start()\nimport app", tmp_path)
    costs = windows(tmp_path)[0]["sensor"]
    assert 0 < costs["overhead_ns"] < costs["process_cpu_ns"]


def test_a_hot_process_is_sampled_through_fork_and_stop(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os, time
        def hot(x): return x
        def work(seconds):
            end = time.process_time() + seconds
            while time.process_time() < end:
                for _ in range(1000): hot(1)
        def main():
            work(0.5)
            pid = os.fork()
            if pid == 0:
                work(0.3)
                raise SystemExit(0)
            assert os.waitpid(pid, 0)[1] == 0
            work(0.3)
    """,
    )
    code = """
        import burnish_sensor; burnish_sensor.start()
        import app
        timed = app.hot.__code__
        app.main()
        burnish_sensor.stop()
        assert app.hot.__code__ is timed and app.hot(2) == 2
    """
    result = run(code, tmp_path, BURNISH_BUDGET="0.01")
    assert (result.returncode, result.stderr) == (0, "")
    found = windows(tmp_path)
    assert len({window["instance"] for window in found}) == 2
    for window in found:
        check_window(window)
        hot = next(row for row in window["calls"] if row["function"] == "app:hot")
        assert hot["calls"] > 1_000
    assert any("rate" in row for window in found for row in window["calls"])

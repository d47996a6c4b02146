from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.sensor.support import run, windows, write

SCRIPT = """
    import sys, pickle
    class Thing:
        def __init__(self, n): self.n = n
    def main():
        thing = pickle.loads(pickle.dumps(Thing(3)))
        print(__name__, sys.argv, thing.n)
        if len(sys.argv) > 2:
            fail()
        sys.exit(4)
    def fail():
        raise ValueError("no")
    if __name__ == "__main__":
        main()
"""


def functions(folder: Path) -> list[str]:
    return sorted({row["function"] for window in windows(folder) for row in window["calls"]})


@pytest.mark.parametrize("interpreter", [[], [sys.executable], [sys.executable, "-X", "dev"]])
def test_a_script_runs_as_it_would_and_is_observed(interpreter: list[str], tmp_path: Path) -> None:
    write(tmp_path, **{"jobs/nightly": SCRIPT})
    result = run(["-m", "burnish_sensor", "--", *interpreter, "jobs/nightly.py", "x"], tmp_path)
    assert (result.returncode, result.stdout) == (4, "__main__ ['jobs/nightly.py', 'x'] 3\n"), result.stderr
    assert functions(tmp_path) == ["jobs.nightly:Thing.__init__", "jobs.nightly:main"]


def test_the_traceback_of_a_script_is_the_interpreters(tmp_path: Path) -> None:
    write(tmp_path, script=SCRIPT)
    plain = run(["script.py", "x", "y"], tmp_path)
    observed = run(["-m", "burnish_sensor", "--", "script.py", "x", "y"], tmp_path)
    assert (observed.returncode, observed.stdout) == (plain.returncode, plain.stdout)
    assert without_folder(observed.stderr, tmp_path) == without_folder(plain.stderr, tmp_path)


def without_folder(text: str, folder: Path) -> str:
    return text.replace(str(folder) + os.sep, "")


def test_a_module_runs_as_it_would_and_is_observed(tmp_path: Path) -> None:
    write(tmp_path, **{"pkg/__init__": "", "pkg/__main__": SCRIPT})
    result = run(["-m", "burnish_sensor", "--", "-m", "pkg", "x"], tmp_path)
    assert result.returncode == 4, result.stderr
    assert functions(tmp_path) == ["pkg.__main__:Thing.__init__", "pkg.__main__:main"]


def test_child_processes_are_observed(tmp_path: Path) -> None:
    parent = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import app; app.f()'])\n"
    write(tmp_path, app="def f(): pass\n", parent=parent)
    result = run(["-m", "burnish_sensor", "--", "parent.py"], tmp_path)
    assert result.returncode == 0, result.stderr
    assert functions(tmp_path) == ["app:f"]


def test_a_sitecustomize_of_the_host_still_runs(tmp_path: Path) -> None:
    write(tmp_path, app="def f(): pass\n", **{"site/sitecustomize": "print('host')\n"})
    path = os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[2] / "sensor")])
    result = run(["-m", "burnish_sensor", "--", sys.executable, "-c", "import app; app.f()"], tmp_path, PYTHONPATH=path)
    assert result.stdout.splitlines() == ["host", "host"], result.stderr  # of the launcher, and of the command
    assert functions(tmp_path) == ["app:f"]


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run(["-m", "burnish_sensor", "--", "no-such-command"], tmp_path)
    assert result.returncode == 127
    assert "no-such-command" in result.stderr


def test_the_doctor_tells_what_would_be_observed(tmp_path: Path) -> None:
    write(tmp_path, app="", **{"env/x": ""})
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    result = run(["-m", "burnish_sensor", "doctor"], tmp_path, BURNISH_RELEASE="abc")
    assert result.returncode == 0, result.stderr
    assert "1 files to observe, 1 folders left out" in result.stdout
    assert "abc" in result.stdout


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2), (["--"], 2)])
def test_help(arguments: list[str], code: int, tmp_path: Path) -> None:
    result = run(["-m", "burnish_sensor", *arguments], tmp_path)
    assert result.returncode == code
    assert "BURNISH_OUTPUT" in result.stdout


CRON = """
    import sys
    def work():
        if len(sys.argv) > 1:
            sys.exit(sys.argv[1] if sys.argv[1] == "text" else int(sys.argv[1]))
    work()
"""


@pytest.mark.parametrize(
    ("arguments", "status", "errors"),
    [([], "0", {}), (["0"], "0", {}), (["3"], "3", {"SystemExit": 1}), (["text"], "1", {"SystemExit": 1})],
)
def test_a_script_is_an_entry_with_its_exit_code(
    tmp_path: Path, arguments: list[str], status: str, errors: dict[str, int]
) -> None:
    write(tmp_path, **{"jobs/nightly": CRON})
    result = run(["-m", "burnish_sensor", "--", "jobs/nightly.py", *arguments], tmp_path)
    assert result.returncode == int(status), result.stderr
    (window,) = windows(tmp_path)
    (entry,) = window["entries"]
    assert (entry["entry"], entry["kind"], entry["calls"]) == ("script:nightly", "script", 1)
    assert (entry["status"], entry["errors"]) == ({status: 1}, errors)
    assert [(row["function"], row["entry"]) for row in window["calls"]] == [("jobs.nightly:work", "script:nightly")]


def test_what_a_script_serves_has_entries_of_its_own(tmp_path: Path) -> None:
    script = """
        from burnish_sensor.wsgi import Middleware
        def answer(environ, start_response):
            start_response("200 OK", [])
            return [b""]
        application = Middleware(answer, route=lambda environ: "/orders")
        for _ in range(2):
            application({"REQUEST_METHOD": "GET"}, lambda status, headers: None)
    """
    write(tmp_path, serve=script)
    result = run(["-m", "burnish_sensor", "--", "serve.py"], tmp_path)
    assert result.returncode == 0, result.stderr
    (window,) = windows(tmp_path)
    assert {row["entry"]: row["calls"] for row in window["entries"]} == {"GET /orders": 2, "script:serve": 1}
    rows = [row for row in window["calls"] if "lambda" not in row["function"]]  # seen where nothing is rewritten
    assert [(row["function"], row["entry"]) for row in rows] == [("serve:answer", "GET /orders")]

"""Everything that is not a server: scripts, modules, cron, pytest, variables only, Celery."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sensor.support import windows, write
from tests.sensor.ways.serving import LAUNCHER, environment

APP = "def work(): print('works')\n"
MAIN = "import app\napp.work()\n"


def python(arguments: list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def functions(folder: Path) -> set[str]:
    return {row["function"] for window in windows(folder) for row in window["calls"]}


WAYS = {
    "a script": [*LAUNCHER[:3], "main.py"],
    "a script of an interpreter": [*LAUNCHER, "main.py"],
    "a module": [*LAUNCHER[:3], "-m", "main"],
    "a module of an interpreter": [*LAUNCHER, "-m", "main"],
    "code": [*LAUNCHER, "-c", MAIN],
    "another program": [*LAUNCHER[:3], "sh", "-c", f"{sys.executable} main.py"],
    "started by the application": ["-c", "import burnish_sensor; burnish_sensor.start()\n" + MAIN],
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_observes(way: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN)
    done = python(WAYS[way], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")
    assert functions(tmp_path) == {"app:work"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["off", "0"])
def test_switched_off_no_way_leaves_a_trace(way: str, word: str, tmp_path: Path) -> None:
    write(tmp_path, app=APP, main=MAIN + "import sys\nassert 'burnish_sensor.runtime' not in sys.modules\n")
    done = python(WAYS[way], tmp_path, BURNISH_SENSOR=word)
    assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")
    assert sorted(os.listdir(tmp_path)) == ["app.py", "main.py"]


def test_variables_are_enough(tmp_path: Path) -> None:
    """What ``env`` prints, evaluated by a shell whose folder has a name that must be quoted."""
    folder = tmp_path / "it's an app"
    write(folder, app=APP, main=MAIN)
    script = f'eval "$({sys.executable} -m burnish_sensor env)" && exec {sys.executable} -c "import main"'
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "works\n", "")
    assert functions(folder) == {"app:work"}


def test_a_cron_job_names_itself(tmp_path: Path) -> None:
    job = 'import burnish_sensor, app\nwith burnish_sensor.entry("job:nightly"):\n    app.work()\n'
    write(tmp_path, app=APP, nightly=job)
    done = python([*LAUNCHER, "nightly.py"], tmp_path, BURNISH_SERVICE="reports")
    assert done.returncode == 0, done.stderr
    (window,) = windows(tmp_path)
    assert window["service"] == "reports"
    assert {(row["function"], row["entry"]) for row in window["calls"]} == {("app:work", "job:nightly")}


def test_pytest_runs_under_it(tmp_path: Path) -> None:
    tests = "import app\ndef test_work(capsys):\n    app.work()\n    assert capsys.readouterr().out == 'works\\n'\n"
    write(tmp_path, app=APP, test_app=tests + "def test_bad():\n    assert app.work() == 1\n")
    done = python([*LAUNCHER, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."], tmp_path)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "app:work" in functions(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "mode", "status", "words"),
    [
        ("no-such-command", None, 0, 127, "no such command on PATH"),
        ("./not-there", None, 0, 127, "No such file"),
        ("./not-executable", "#!/bin/sh\n", 0o644, 126, "Permission denied"),
        ("./not-a-program", "\x00\x01", 0o755, 126, "Exec format error"),
        ("./no-interpreter", "#!/no/such/python\n", 0o755, 127, "the interpreter that its first line names is not"),
        ("in-this-folder", "#!/bin/sh\n", 0o755, 127, "the file of the working directory is ./in-this-folder"),
    ],
)
def test_a_command_that_cannot_be_run(
    name: str, text: str | None, mode: int, status: int, words: str, tmp_path: Path
) -> None:
    """The exit statuses are those of env(1)."""
    if text is not None:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    done = python([*LAUNCHER[:3], name], tmp_path)
    assert done.returncode == status
    assert words in done.stderr
    assert name in done.stderr


def test_a_celery_worker(tmp_path: Path) -> None:
    pytest.importorskip("celery")
    app = """
        import celery
        app = celery.Celery("app", broker="filesystem://", backend="file://results")
        app.conf.broker_transport_options = {
            "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
        }
        def work(n): return n * 2
        @app.task
        def double(n): return work(n)
    """
    write(tmp_path, app=app)
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    asking = """if True:
        import subprocess, sys, app
        results = [app.double.delay(n) for n in range(5)]
        worker = subprocess.Popen([sys.executable, "-m", "burnish_sensor", "--", sys.executable, "-m", "celery",
                                   "-A", "app", "worker", "-c", "2", "-l", "error"])
        try:
            print(sum(result.get(timeout=30) for result in results))
        finally:
            worker.terminate()
            worker.wait(30)
    """
    done = python(["-c", asking], tmp_path)
    assert done.stdout.splitlines()[-1:] == ["20"], done.stderr
    rows = [row for window in windows(tmp_path) for row in window["calls"] if row["function"] == "app:work"]
    assert {row["entry"] for row in rows} == {"task:app.double"}
    assert sum(row["calls"] for row in rows) == 5


@pytest.mark.parametrize("arguments", [["-c", "import sys; print(sys.path)"], ["main.py"]], ids=["code", "script"])
def test_the_path_is_as_it_would_be(arguments: list[str], tmp_path: Path) -> None:
    """What was put on it for the start is gone: nothing of ours can hide or lend a module."""
    write(tmp_path, main="import sys\nprint(sys.path)\n")
    plain, observed = python(arguments, tmp_path), python([*LAUNCHER, *arguments], tmp_path)
    assert observed.stdout == plain.stdout


def test_a_hidden_sitecustomize_is_the_one_that_is_imported(tmp_path: Path) -> None:
    write(tmp_path, **{"site/sitecustomize": "known = 'host'\n"})
    path_of_both = os.pathsep.join([str(tmp_path / "site"), environment()["PYTHONPATH"]])
    code = "import sitecustomize; print(sitecustomize.known, sitecustomize.__file__)"
    plain = python(["-c", code], tmp_path, PYTHONPATH=path_of_both)
    observed = python([*LAUNCHER, "-c", code], tmp_path, PYTHONPATH=path_of_both)
    assert plain.stdout.startswith("host ")
    assert observed.stdout == plain.stdout


def runs(candidate: str) -> bool:
    """Whether there is such an interpreter; a shim of pyenv may have none behind it."""
    found = shutil.which(candidate)
    return found is not None and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0


_FOLDERS = [
    "",
    os.path.expanduser("~/.pyenv/versions/2.7.*/bin/"),
    os.path.expanduser("~/.pyenv/versions/3.[678].*/bin/"),
]
_NAMES = ["python2.7", "python3.6", "python3.7", "python3.8"]
OLD = [
    path
    for folder in _FOLDERS
    for name in _NAMES
    for path in (glob.glob(folder + name) if folder else [name])
    if runs(path)
]


@pytest.mark.skipif(not OLD, reason="no Python here that is too old")
@pytest.mark.parametrize("old", OLD[:4], ids=os.path.basename)
@pytest.mark.parametrize("arguments", [["main.py", "x"], ["-c", "print('ran')"]], ids=["script", "code"])
def test_a_python_that_is_too_old_runs_and_says_so(old: str, arguments: list[str], tmp_path: Path) -> None:
    write(tmp_path, main="import sys\nassert __name__ == '__main__' and sys.argv[1:] == ['x']\nprint('ran')\n")
    done = python([*LAUNCHER[:3], old, *arguments], tmp_path)
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("burnish_sensor: not started: Python 3.9 or newer is needed")

"""Files and folders that are not as usual: names, sources, roots, working directories, interpreters within one."""

from __future__ import annotations

import os
import py_compile
import sys
import zipfile
from pathlib import Path

import pytest

from tests.sensor.faults.support import calls, finish, monitored, same, start
from tests.sensor.support import run, windows, write

WORK = "def work(): return 1\n"


def test_a_zip_a_module_without_source_and_a_namespace_package(tmp_path: Path) -> None:
    """Where code is rewritten, what the ordinary loader of source files does not load runs unobserved."""
    write(tmp_path, compiled=WORK, **{"space/inner/mod": WORK})
    py_compile.compile(str(tmp_path / "compiled.py"), cfile=str(tmp_path / "compiled.pyc"))
    (tmp_path / "compiled.py").unlink()
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("zipped.py", WORK)
    main = """
        import sys
        sys.path.append("packed.zip")
        import compiled, zipped, space.inner.mod as mod, space
        print(compiled.work(), zipped.work(), mod.work())
        print(type(zipped.__loader__).__name__, type(compiled.__loader__).__name__)
        print(list(space.__path__) != [], mod.__spec__.name, mod.__file__[-6:])
    """
    write(tmp_path, main=main)
    same(["main.py"], tmp_path)
    found = {"space.inner.mod:work": 1}
    if monitored(tmp_path):
        found.update({"compiled:work": 1, "zipped:work": 1})
    assert calls(tmp_path) == found


def test_a_module_that_is_loaded_again(tmp_path: Path) -> None:
    main = """
        import importlib, sys, time, app
        old = app.work
        print(app.work())
        with open("app.py", "w") as stream: stream.write("def work(): return 2\\ndef more(): return 3\\n")
        import os; os.utime("app.py", (1, 1))
        importlib.reload(app)
        print(app.work(), app.more(), old())
        del sys.modules["app"]
        import app
        print(app.work())
        with open("app.py", "w") as stream: stream.write("def work(): return 1\\n")
    """
    write(tmp_path, app=WORK, main=main)
    same(["main.py"], tmp_path)
    assert calls(tmp_path) == {"app:work": 4, "app:more": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_names_that_are_not_text(tmp_path: Path) -> None:
    folder = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    os.mkdir(folder)
    for name, text in ((b"app.py", WORK), (b"main.py", "import app\nprint(app.work(), app.missing)\n")):
        with open(os.path.join(folder, name), "w") as stream:
            stream.write(text)
    seen = [finish(start(["main.py"], Path(os.fsdecode(folder)), observed)) for observed in (False, True)]
    assert seen[0][:2] == seen[1][:2] == (1, "")
    assert "AttributeError" in seen[1][2]
    assert seen[0][2] == seen[1][2]


def test_sources_of_other_encodings(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\ndef work(): return '\xe9'\n")
    (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbfdef work(): return '\xc3\xa9'\r\n")
    (tmp_path / "broken.py").write_bytes(b"def work(): return '\xff'\n")
    (tmp_path / "wrong.py").write_text("def work(:\n")
    (tmp_path / "null.py").write_bytes(b"x = 1\x00\n")
    main = """
        import latin, marked, traceback
        print(ascii(latin.work()), ascii(marked.work()))
        for name in ("broken", "wrong", "null"):
            try:
                __import__(name)
            except Exception as error:
                print(type(error).__name__, str(error).replace("\\\\x00", ""), getattr(error, "lineno", None))
    """
    write(tmp_path, main=main)
    same(["main.py"], tmp_path)
    assert calls(tmp_path) == {"latin:work": 1, "marked:work": 1}


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    main = """
        import os, sys
        os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
        import subprocess
        done = subprocess.run([sys.executable, "-c", "print('alive')"], capture_output=True, text=True)
        print(done.returncode, done.stdout, done.stderr)
    """
    write(tmp_path, main=main)
    code, out, _ = same(["main.py"], tmp_path)
    assert code == 0
    assert "alive" in out


def test_started_where_there_is_no_directory(tmp_path: Path) -> None:
    """``start()`` gives up in one line; the host goes on."""
    code = """
        import os
        os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
        import burnish_sensor
        print(burnish_sensor.start())
    """
    done = run(code, tmp_path)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_working_directory_that_is_read_only(tmp_path: Path) -> None:
    write(tmp_path, app=WORK)
    tmp_path.chmod(0o555)
    try:
        done = run("import burnish_sensor; burnish_sensor.start()\nimport app; print(app.work())", tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert done.stderr.count("\n") == 1
    assert "BURNISH_OUTPUT" in done.stderr


def test_the_root_of_everything(tmp_path: Path) -> None:
    """BURNISH_ROOT=/: libraries stay outside, the application is observed under its full path."""
    write(tmp_path, app=WORK)
    code = "import burnish_sensor; burnish_sensor.start()\nimport app, json, decimal; print(app.work(), json.dumps({}))"
    done = run(code, tmp_path, BURNISH_ROOT="/", BURNISH_OUTPUT=str(tmp_path / ".burnish" / "windows"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 {}\n", "")
    assert {row["function"] for window in windows(tmp_path) for row in window["calls"]} == {"app:work"}


def test_a_project_of_nothing(tmp_path: Path) -> None:
    done = run("import burnish_sensor; print(burnish_sensor.start()); burnish_sensor.stop()", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert windows(tmp_path) == []


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, app=WORK)
    code = "import burnish_sensor; burnish_sensor.start()\nimport app; print(app.work())"
    done = run(code, tmp_path, BURNISH_ROOT=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


INTERPRETERS = """
    import app, sys
    print(app.work())
    try:
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None
    if interpreters is not None:
        made = interpreters.create()
        code = "import sys; sys.path.insert(0, %r); import app; assert app.work() == 1" % sys.path[0]
        run = getattr(interpreters, "run_string", None) or interpreters.exec
        failed = run(made, code)
        print("inside", failed)
        interpreters.destroy(made)
    print(app.work())
"""


def test_an_interpreter_within_the_interpreter(tmp_path: Path) -> None:
    """It runs as it would; what it calls is not counted against the main interpreter."""
    write(tmp_path, app=WORK, main=INTERPRETERS)
    same(["main.py"], tmp_path)
    assert calls(tmp_path)["app:work"] >= 2

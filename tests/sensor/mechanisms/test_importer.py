from __future__ import annotations

from pathlib import Path

from burnish_sensor.mechanisms.importer import Territory
from tests.sensor.support import run, windows, write

START = "import burnish_sensor; burnish_sensor.start()\n"


def test_libraries_and_environments_under_the_root_are_foreign(tmp_path: Path) -> None:
    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    territory = Territory(str(tmp_path))
    assert territory.relative(str(tmp_path / "shop" / "views.py")) == "shop/views.py"
    for foreign in ("env/lib/x.py", "vendor/site-packages/x.py", "../other.py"):
        assert territory.relative(str(tmp_path / foreign)) is None


def test_modules_keep_what_they_are(tmp_path: Path) -> None:
    write(tmp_path, **{"pkg/__init__": "def f(): pass\n", "pkg/sub": "from . import f\n"})
    (tmp_path / "pkg" / "data.txt").write_text("data")
    result = run(
        START + "import pkg.sub, inspect, importlib, pkgutil\n"
        "assert pkg.sub.f is pkg.f and pkg.__path__ and pkg.f.__module__ == 'pkg'\n"
        "assert inspect.getsource(pkg.f) == 'def f(): pass\\n'\n"
        "assert pkgutil.get_data('pkg', 'data.txt') == b'data'\n"
        "assert '__burnish_enter__' not in vars(pkg)\n"
        "old = pkg.f; importlib.reload(pkg); assert pkg.f is not old; pkg.f()\n",
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert list(windows(tmp_path)[0]["functions"]) == ["pkg:f"]


def test_the_cache_of_the_interpreter_is_not_written_with_our_code(tmp_path: Path) -> None:
    write(tmp_path, app="def f(): return 1\n")
    run("import app", tmp_path, PYTHONDONTWRITEBYTECODE="")
    cache = {path: path.read_bytes() for path in (tmp_path / "__pycache__").iterdir()}
    assert cache
    run(START + "import app; app.f()", tmp_path, PYTHONDONTWRITEBYTECODE="")
    assert {path: path.read_bytes() for path in (tmp_path / "__pycache__").iterdir()} == cache
    assert windows(tmp_path)[0]["calls"][0]["calls"] == 1


def test_a_module_that_cannot_be_rewritten_is_loaded_plainly(tmp_path: Path) -> None:
    deep = "\n".join(" " * (n + 1) + f"for i{n} in (1,):" for n in range(20)) + "\n" + " " * 21 + "return 1\n"
    write(tmp_path, app="def f(): return 2\n")
    (tmp_path / "nested.py").write_text("def f():\n" + deep)
    result = run(
        START + "import app, nested\nassert (nested.f(), app.f()) == (1, 2)\n"
        "from burnish_sensor import runtime\nassert runtime.active.registry.fallbacks == ['nested']\n",
        tmp_path,
        BURNISH_NATIVE="off",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert list(windows(tmp_path)[0]["functions"]) == ["app:f"]


def test_a_syntax_error_is_the_interpreters_own(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n")
    plain, observed = (run(start + "import bad", tmp_path).stderr for start in ("\n", START))
    assert plain.splitlines()[-3:] == observed.splitlines()[-3:]
    assert "SyntaxError" in observed


def test_files_outside_the_root_are_not_observed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    write(inside, app="import lib\ndef f(): return lib.g()\n")
    write(outside, lib="def g(): pass\n")
    result = run(f"import sys; sys.path.append({str(outside)!r})\n" + START + "import app; app.f()", inside)
    assert result.returncode == 0, result.stderr
    assert list(windows(inside)[0]["functions"]) == ["app:f"]

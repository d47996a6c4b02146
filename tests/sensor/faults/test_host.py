"""Programs that look at themselves: each prints what it sees, and must see the same with the sensor and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.faults.programs import PROGRAMS
from tests.sensor.faults.support import STINGY, calls, finish, same, start
from tests.sensor.support import write


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("settings", [{}, STINGY], ids=["all recorded", "sampled"])
def test_a_program_sees_no_difference(name: str, settings: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, app=PROGRAMS[name], main="import app\napp.main()\n")
    same(["main.py"], tmp_path, **settings)
    assert calls(tmp_path)["app:main"] == 1


@pytest.mark.parametrize("option", ["-O", "-OO", "-B", "-bb", "-Werror", "-Xdev", "-Xutf8", "-S", "-s"])
def test_the_options_of_the_interpreter(option: str, tmp_path: Path) -> None:
    app = """
        import sys
        def doc(): "documented"; assert not __debug__, "asserts are on"
        def main():
            print(doc.__doc__, __debug__, sys.flags.optimize, sys.dont_write_bytecode)
            try:
                doc()
            except AssertionError as error:
                print(error)
    """
    write(tmp_path, app=app, main="import app\napp.main()\n")
    same([option, "main.py"], tmp_path)
    assert calls(tmp_path)["app:main"] == 1


@pytest.mark.parametrize("option", ["-I", "-E"])
def test_an_interpreter_that_ignores_the_environment(option: str, tmp_path: Path) -> None:
    """A script is observed all the same; ``-m`` and ``-c`` are not, and it is said."""
    write(tmp_path, main="def work(): print('works')\nwork()\n")
    same([option, "main.py"], tmp_path)
    assert calls(tmp_path)["main:work"] == 1
    code, out, err = finish(start([option, "-c", "print(1)"], tmp_path))
    assert (code, out) == (0, "1\n")
    assert f"not observed: {option} " in err


def test_import_time_is_printed_as_ever(tmp_path: Path) -> None:
    write(tmp_path, app="def main(): print('x')\n", main="import app\napp.main()\n")
    code, out, err = finish(start(["-X", "importtime", "main.py"], tmp_path))
    assert (code, out) == (0, "x\n")
    assert any(line.rstrip().endswith("app") for line in err.splitlines())

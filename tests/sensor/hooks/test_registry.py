"""How hooks are found, installed, and taken out again where a library does not fit."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from burnish_sensor.hooks import LibraryHooks
from burnish_sensor.hooks._library import Library
from tests.sensor.support import Bench, run, write


def test_each_hook_file_names_modules_of_its_library_and_functions_that_it_has() -> None:
    hooks = LibraryHooks(Bench().probe)
    assert {"sqlalchemy", "flask.app", "django.core.handlers.base"} <= set(hooks)
    for name in hooks:
        assert name in hooks
        assert callable(hooks[name])
    assert hooks.disabled == {}


def test_other_modules_have_no_hook() -> None:
    hooks = LibraryHooks(Bench().probe)
    assert "flask" not in hooks
    assert "json" not in hooks
    assert "_library" not in hooks


def test_a_version_that_does_not_fit_disables_one_hook_and_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = LibraryHooks(Bench().probe)
    hooks["flask.app"](ModuleType("flask.app"))
    hooks["flask.app"](ModuleType("flask.app"))
    assert list(hooks.disabled) == ["flask"]
    assert "Flask" in hooks.disabled["flask"]
    assert capsys.readouterr().err.count("flask is not observed") == 1


def test_a_half_installed_hook_is_taken_out_again() -> None:
    class Base:
        def first(self) -> str:
            return "base"

    class Cursor(Base):
        def second(self) -> str:
            return "own"

    library = Library(ModuleType("driver"), Bench().probe)
    before = dict(vars(Cursor))
    library.wrap(Cursor, "first", lambda original, probe: lambda self: "wrapped")
    library.wrap(Cursor, "second", lambda original, probe: lambda self: "wrapped")
    assert (Cursor().first(), Cursor().second()) == ("wrapped", "wrapped")
    with pytest.raises(AttributeError):
        library.wrap(Cursor, "third", lambda original, probe: original)
    library.undo()
    assert (Cursor().first(), Cursor().second()) == ("base", "own")
    assert dict(vars(Cursor)) == before


def test_a_function_is_wrapped_once() -> None:
    class Cursor:
        def execute(self) -> int:
            return 1

    library = Library(ModuleType("driver"), Bench().probe)
    for _ in range(2):
        library.wrap(Cursor, "execute", lambda original, probe: lambda self: original(self) + 1)
    assert Cursor().execute() == 2


def test_starting_imports_no_library(tmp_path: Path) -> None:
    write(tmp_path, app="")
    code = "import burnish_sensor, sys; burnish_sensor.start(); print(*sys.modules)"
    loaded = set(run(code, tmp_path).stdout.split())
    hooks = LibraryHooks(Bench().probe)
    assert loaded.isdisjoint({name for name in hooks if name.partition(".")[0] not in ("asyncio", "sqlite3")})
    assert "burnish_sensor.hooks.django" not in loaded

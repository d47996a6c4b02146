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


#: everything that a hook may have changed: attributes of library modules and of their classes
STOPPED = """
    import importlib, sys
    NAMES = NAMES_HERE

    def state():
        found = {}
        for name in NAMES:
            module = sys.modules.get(name)
            for key, value in list(vars(module).items()) if module else ():
                found[name, key] = id(value)
                if issubclass(type(value), type) and value.__module__.partition(".")[0] == name.partition(".")[0]:
                    found.update({(name, key, attribute): id(held) for attribute, held in vars(value).items()})
        return found

    def load():
        for name in NAMES:
            try:
                importlib.import_module(name)
            except Exception:  # not installed, or not without settings
                pass

    load()
    load()
    import burnish_sensor
    before = state()
    for _ in range(2):
        assert burnish_sensor.start()
        from burnish_sensor import runtime
        hooked = {key for key, value in state().items() if before.get(key) != value}
        assert not runtime.active.library_hooks.disabled, runtime.active.library_hooks.disabled
        burnish_sensor.stop()
        left = {key for key, value in state().items() if before.get(key) != value} | (before.keys() - state().keys())
        left = {key for key in left if key[-1] != "_has_events"}  # SQLAlchemy notes that somebody ever listened
        assert not left, left
        print(len(hooked))
"""
EVENTS = """
    import burnish_sensor
    import sqlalchemy

    def listeners():
        engine = sqlalchemy.create_engine("sqlite://")
        failures = getattr(engine.dialect.dispatch, "handle_error", None)
        failures = engine.dispatch.handle_error if failures is None else failures
        return [len(list(events)) for events in (engine.dispatch.before_cursor_execute, failures)]

    before = listeners()
    burnish_sensor.start()
    assert listeners() == [count + 1 for count in before]
    burnish_sensor.stop()
    assert listeners() == before
"""


def test_stopping_takes_every_hook_out_again(tmp_path: Path) -> None:
    names = sorted(LibraryHooks(Bench().probe))
    result = run(STOPPED.replace("NAMES_HERE", repr(names)), tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    first, second = map(int, result.stdout.split())
    assert first == second > 10


def test_stopping_ends_listening_to_events(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    result = run(EVENTS, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_what_another_tool_wrapped_meanwhile_is_left_to_it() -> None:
    class Cursor:
        def execute(self) -> str:
            return "own"

    library = Library(ModuleType("driver"), Bench().probe)
    library.wrap(Cursor, "execute", lambda original, probe: lambda self: original(self) + " observed")
    observed = Cursor.execute
    Cursor.execute = lambda self: observed(self) + " traced"  # type: ignore[method-assign]
    library.undo()
    assert Cursor().execute() == "own observed traced"

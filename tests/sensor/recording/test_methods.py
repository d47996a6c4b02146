from __future__ import annotations

import inspect
from typing import Any

import pytest

from burnish_sensor.hooks._dbapi import statement_methods
from burnish_sensor.hooks._library import Library
from burnish_sensor.recording.native import load
from tests.sensor.support import Bench

pytestmark = pytest.mark.skipif(load() is None, reason="burnish_sensor.recording._core is not built for this Python")

APP = """
    def ask(cursor, *arguments, **options):
        cursor.execute(*arguments, **options)
        return cursor.fetchall()
"""


class NativeBench(Bench):
    native = True


class Slotted:
    """A cursor of a driver. Its rows are the parameters."""

    __slots__ = ("__weakref__", "rows")
    _burnish: Any = None

    def execute(self, query: Any, params: Any = (), *, prepare: bool = False) -> Slotted:
        """Run it."""
        if query == "broken":
            raise KeyError("hunter2")
        self.rows = list(params)
        return self

    def fetchone(self) -> Any:
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[Any]:
        return list(iter(self.fetchone, None))


def observed(bench: Bench, *, slots: bool = False) -> type[Slotted]:
    """A class of cursors with hooks."""
    base = type("Cursor", (Slotted,), {"__slots__": ()} if slots else {})
    for name in ("execute", "fetchone", "fetchall"):
        setattr(base, name, getattr(Slotted, name))
    library = Library(bench, bench.probe)  # type: ignore[arg-type]
    library.wrap_own(base, statement_methods("postgresql"))
    return base


def rows_of(bench: Bench) -> list[tuple[int, Any, dict[str, int]]]:
    return [(row["executions"], row["rows"], row["errors"]) for row in bench.tables()["queries"]]


@pytest.mark.parametrize("make", [Bench, NativeBench])
@pytest.mark.parametrize("slots", [False, True])
def test_each_way_to_call_is_recorded_once(make: type[Bench], slots: bool) -> None:
    bench = make()
    ask, kind = bench.load(APP)["ask"], observed(bench, slots=slots)
    assert ask(kind(), "SELECT 1", [1, 2, 3]) == [1, 2, 3]
    assert ask(kind(), "SELECT 1") == []
    assert ask(kind(), "SELECT 1", params=[7]) == [7]
    assert ask(kind(), "SELECT 1", [8], prepare=True) == [8]
    assert ask(kind(), b"SELECT 1", [9]) == [9]
    assert rows_of(bench) == [(5, 6, {})]


@pytest.mark.parametrize("make", [Bench, NativeBench])
def test_what_it_raises_is_counted_and_raised(make: type[Bench]) -> None:
    bench = make()
    ask, kind = bench.load(APP)["ask"], observed(bench)
    with pytest.raises(KeyError, match="hunter2") as raised:
        ask(kind(), "broken")
    assert raised.value.__context__ is None
    with pytest.raises(TypeError):
        ask(kind())
    with pytest.raises(TypeError):
        kind.execute()  # type: ignore[call-arg]
    assert rows_of(bench) == [(1, None, {"KeyError": 1})]


def test_rows_of_a_statement_that_failed_are_not_those_of_the_one_before() -> None:
    bench = NativeBench()
    namespace, cursor = bench.load(APP), observed(bench)()
    namespace["ask"](cursor, "SELECT 1", [1])
    with pytest.raises(KeyError):
        namespace["ask"](cursor, "broken")
    cursor.rows = [1, 2]
    assert cursor.fetchall() == [1, 2]
    assert sorted(rows_of(bench), key=str) == [(1, 1, {}), (1, 2, {"KeyError": 1})]


def test_it_looks_like_the_method_that_it_replaces() -> None:
    kind = observed(NativeBench())
    execute: Any = kind.execute
    assert (execute.__name__, execute.__doc__) == ("execute", "Run it.")
    assert execute.__wrapped__ is Slotted.execute
    assert inspect.signature(execute) == inspect.signature(Slotted.execute)
    assert inspect.isroutine(execute)
    assert kind().execute.__self__.__class__ is kind


def test_once_the_sensor_was_stopped_it_only_calls() -> None:
    bench = NativeBench()
    ask, kind = bench.load(APP)["ask"], observed(bench)
    bench.probe.active = False
    assert ask(kind(), "SELECT 1", [1]) == [1]
    assert rows_of(bench) == []

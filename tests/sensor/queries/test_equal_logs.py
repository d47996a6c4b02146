"""The query log in Python and the one in C: the same programs, the same rows."""

from __future__ import annotations

import contextvars
import random
import threading
from typing import Any

import pytest

from burnish_sensor.probe import UNKNOWN
from burnish_sensor.recording.native import load
from tests.sensor.support import Bench

pytestmark = pytest.mark.skipif(load() is None, reason="burnish_sensor.recording._core is not built for this Python")

APP = """
    def one(steps): return perform(steps)
    def two(steps):
        return perform(steps)
    def perform(steps):
        for step in steps:
            kind, *rest = step
            if kind == "call":
                (one if rest[0] else two)(rest[1])
            elif kind == "ask":
                ask(*rest)
            elif kind == "late":
                late(*rest)
            elif kind == "entry":
                enter(*rest)
            elif kind == "flush":
                bench.flush()
            else:
                bench.clock.advance(rest[0])
    def ask(text, parameters, system, rows, failure):
        execution = begin_and_end(text, parameters, system, failure)
        for count in rows:
            bench.probe.fetched(execution, count, 3)
        kept.append(execution)
    def begin_and_end(text, parameters, system, failure):
        guard = bench.probe.statement()
        assert bench.probe.statement() is None
        bench.clock.advance(7)
        return bench.probe.executed(guard, text, parameters, system, failure)
    def late(which, rows):
        start = bench.clock()
        bench.clock.advance(2)
        if kept:
            bench.probe.fetched_since(kept[which % len(kept)], rows, start)
    def enter(name, late_name, steps):
        entry = bench.entries.begin("http", "" if late_name else name)
        try:
            one(steps)
        finally:
            bench.entries.end(entry, name, 200)
"""
PARAMETERS: list[Any] = [
    (),
    None,
    (1,),
    (True,),
    (1.0,),
    [1],
    {"a": 1},
    {"a": [1]},
    ([1],),
    [[1]],
    ("1",),
    "1",
    1,
    UNKNOWN,
    (b"x", None, 2.5),
]
ERRORS = [None, None, None, ValueError("no"), KeyError(1), type("Deadlock", (Exception,), {})()]


class FlushingBench(Bench):
    """Takes what was recorded now and then, as the flush thread does while a window goes on."""

    def __init__(self) -> None:
        from burnish_sensor.windows.window import Window

        super().__init__()
        self.window = Window(100)

    def flush(self) -> None:
        self.recorder.take(self.window)

    def rows(self) -> dict[str, Any]:
        self.flush()
        found = self.window.to_dict(self.registry, self.statements)
        return {name: found[name] for name in ("entries", "queries", "per_call", "statements")}


class NativeFlushingBench(FlushingBench):
    native = True


def _steps(draw: random.Random, depth: int) -> list[Any]:
    steps: list[Any] = []
    for _ in range(draw.randint(1, 5)):
        kind = draw.choice(("call", "ask", "ask", "ask", "late", "late", "entry", "flush", "tick"))
        if kind == "call" and depth:
            steps.append((kind, draw.random() < 0.5, _steps(draw, depth - 1)))
        elif kind == "entry" and depth:
            steps.append((kind, draw.choice(("GET a", "GET b")), draw.random() < 0.5, _steps(draw, depth - 1)))
        elif kind == "ask":
            text = draw.choice(("SELECT 1", "SELECT 2", "select 1", "SELECT x FROM y WHERE z = ?"))
            rows = [draw.randint(0, 4) for _ in range(draw.randint(0, 3))]
            steps.append(
                (kind, text, draw.choice(PARAMETERS), draw.choice(("sqlite", "mysql")), rows, draw.choice(ERRORS))
            )
        elif kind == "late":
            steps.append((kind, draw.randint(0, 100), draw.randint(0, 3)))
        elif kind == "flush":
            steps.append((kind,))
        else:
            steps.append(("tick", draw.randint(0, 1000)))
    return steps


def _run(kind: type[FlushingBench], program: list[Any]) -> dict[str, Any]:
    bench = kind()
    app = bench.load(APP)
    app["kept"] = []
    app["one"](program)
    return bench.rows()


@pytest.mark.parametrize("seed", range(40))
def test_any_program_has_the_same_rows(seed: int) -> None:
    draw = random.Random(seed)
    program = [step for _ in range(6) for step in _steps(draw, 3)]
    python = _run(FlushingBench, program)
    assert _run(NativeFlushingBench, program) == python
    assert python["queries"] or not any(step[0] == "ask" for step in program)


def test_threads_and_contexts_have_the_same_rows() -> None:
    """Each thread has its steps, one after the other, and half of them run in a copy of the context."""
    found = []
    for kind in (FlushingBench, NativeFlushingBench):
        draw, bench = random.Random(5), kind()
        app = bench.load(APP)
        app["kept"] = []
        for turn in range(20):
            steps = [step for _ in range(3) for step in _steps(draw, 2)]
            run = contextvars.copy_context().run if turn % 2 else lambda function, steps: function(steps)
            thread = threading.Thread(target=run, args=(app["two"], steps))
            thread.start()
            thread.join(30)
        found.append(bench.rows())
    assert found[0] == found[1]
    assert len(found[0]["queries"]) > 3


@pytest.mark.parametrize("kind", [FlushingBench, NativeFlushingBench])
def test_many_threads_at_once_lose_nothing(kind: type[FlushingBench]) -> None:
    bench = kind()
    app = bench.load("""
        def work(count):
            for n in range(count):
                execution = bench.probe.executed(bench.probe.statement(), "SELECT %d" % (n % 3), (n,), "sqlite")
                bench.probe.fetched(execution, 2, 1)
    """)
    threads = [threading.Thread(target=app["work"], args=(5_000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        bench.flush()
    for thread in threads:
        thread.join(60)
    (row,) = bench.rows()["queries"]
    assert (row["executions"], row["rows"], row["errors"]) == (20_000, 40_000, {})


@pytest.mark.parametrize("kind", [FlushingBench, NativeFlushingBench])
def test_rows_that_come_after_the_execution_was_folded_are_counted_once(kind: type[FlushingBench]) -> None:
    bench = kind()
    app = bench.load(APP)
    app["kept"] = []
    app["ask"]("SELECT 1", (), "sqlite", [2], None)
    bench.flush()
    app["late"](0, 3)
    app["late"](0, 4)
    bench.flush()
    app["late"](0, 0)
    (row,) = bench.rows()["queries"]
    assert (row["executions"], row["rows"], row["wall"]["sum"]) == (1, 9, 10)


@pytest.mark.parametrize("kind", [FlushingBench, NativeFlushingBench])
def test_a_forked_child_reports_nothing_that_the_parent_ran(kind: type[FlushingBench]) -> None:
    bench = kind()
    app = bench.load(APP)
    app["kept"] = []
    app["ask"]("SELECT 1", (), "sqlite", [2], None)
    bench.recorder.forget()
    app["late"](0, 3)
    assert bench.rows()["queries"] == []
    app["ask"]("SELECT 1", (), "sqlite", [2], None)
    (row,) = bench.rows()["queries"]
    assert (row["executions"], row["rows"]) == (1, 2)


@pytest.mark.parametrize("kind", [FlushingBench, NativeFlushingBench])
def test_parameters_may_run_statements_when_they_are_hashed(kind: type[FlushingBench]) -> None:
    """The application's objects can do anything, also end the program."""
    bench = kind()
    app = bench.load("""
        class Asking:
            def __hash__(self):
                bench.probe.executed(bench.probe.statement(), "SELECT inner", (), "sqlite")
                bench.flush()
                return 1
        class Ending:
            def __hash__(self):
                raise KeyboardInterrupt
        def run(parameter):
            return bench.probe.executed(bench.probe.statement(), "SELECT outer", (parameter,), "sqlite")
        def asking(): run(Asking())
        def ending(): run(Ending())
    """)
    app["asking"]()
    with pytest.raises(KeyboardInterrupt):
        app["ending"]()
    assert [row["executions"] for row in bench.rows()["queries"]] == [1, 1]


@pytest.mark.parametrize("kind", [FlushingBench, NativeFlushingBench])
def test_nothing_is_recorded_once_the_sensor_was_stopped(kind: type[FlushingBench]) -> None:
    bench = kind()
    app = bench.load("""
        def run():
            guard = bench.probe.statement()
            bench.probe.active = False
            assert bench.probe.executed(guard, "SELECT 1", (), "sqlite") is None
            assert bench.probe.statement() is None
            assert bench.probe.leave() is None
    """)
    app["run"]()
    assert bench.rows()["queries"] == []


def test_an_execution_of_one_log_is_nothing_to_what_is_given_wrong_things() -> None:
    log = NativeFlushingBench().probe
    assert log.executed(None, "SELECT 1", (), "sqlite") is None
    assert log.executed(object(), "SELECT 1", (), "sqlite") is None
    assert log.fetched(object(), 1, 1) is None
    guard: Any = log.statement()
    assert log.executed(guard, object(), (), "sqlite") is None
    assert log.fetched(guard, "many", 1) is None

from __future__ import annotations

import threading

import pytest

from burnish_sensor.windows.window import Window
from tests.sensor.support import Bench, bare

pytestmark = pytest.mark.usefixtures("each_recorder")


def test_own_time_is_wall_time_without_the_functions_called() -> None:
    bench = Bench()
    app = bench.load("""
        def outer():
            tick(5)
            inner()
            inner()
        def inner():
            tick(10)
    """)
    app["outer"]()
    assert bench.calls() == {
        "outer": {"calls": 1, "wall": 25, "own": 5, "callers": {"": 1}, "errors": {}},
        "inner": {"calls": 2, "wall": 20, "own": 20, "callers": {"outer": 2}, "errors": {}},
    }


def test_wall_time_is_kept_by_caller() -> None:
    bench = Bench()
    app = bench.load("""
        def first(n):
            work(n)
        def second(n):
            work(n)
            work(n)
        def work(n):
            tick(n)
            if n > 50:
                work(n - 50)
    """)
    app["first"](3)
    app["second"](100)
    window = Window(10)
    bench.recorder.take(window)
    numbers = {bare(function.name): number for number, function in enumerate(bench.registry.functions)}
    walls = window.totals[""].calls[numbers["work"]].caller_walls
    assert +walls == {numbers["first"]: 3, numbers["second"]: 300}


def test_recursion_counts_wall_time_once() -> None:
    bench = Bench()
    app = bench.load("""
        def down(n):
            tick(1)
            if n:
                down(n - 1)
    """)
    app["down"](3)
    app["down"](3)
    row = bench.tables()["calls"][0]
    assert (row["calls"], row["wall"]["count"]) == (8, 2)
    assert (row["wall"]["sum"], row["own"]["sum"]) == (8, 8)


def test_mutual_recursion_that_shows_late_counts_wall_time_once() -> None:
    bench = Bench()
    app = bench.load("""
        def a(n):
            tick(1)
            if n: b(n - 1)
        def b(n):
            tick(10)
            if n: a(n - 1)
    """)
    app["b"](0)
    app["a"](1)
    app["a"](4)
    calls = bench.calls()
    assert calls["a"]["calls"] == 4
    assert calls["a"]["wall"] == 11 + 23
    assert calls["b"]["wall"] == 10 + 10 + 22
    assert calls["a"]["own"] + calls["b"]["own"] == 10 + 11 + 23


def test_errors_count_in_each_function_that_they_leave() -> None:
    bench = Bench()
    app = bench.load("""
        def handles():
            try:
                raises()
            except KeyError:
                tick(1)
        def raises():
            tick(2)
            raise KeyError("x")
    """)
    app["handles"]()
    calls = bench.calls()
    assert calls["raises"]["errors"] == {"KeyError": 1}
    assert calls["handles"]["errors"] == {}
    assert calls["raises"]["wall"] == 2


def test_the_end_of_an_iteration_is_not_an_error() -> None:
    bench = Bench()
    app = bench.load("""
        class Count:
            def __iter__(self): return self
            def __next__(self): raise StopIteration
    """)
    assert list(app["Count"]()) == []
    assert bench.calls()["Count.__next__"]["errors"] == {}


def test_a_function_that_reads_its_locals_is_timed_without_a_local_of_ours() -> None:
    bench = Bench()
    app = bench.load("""
        def names(a):
            tick(4)
            return sorted(locals())
    """)
    assert app["names"](1) == ["a"]
    assert bench.calls()["names"]["own"] == 4


def test_threads_have_stacks_of_their_own() -> None:
    bench = Bench()
    app = bench.load("""
        def first(inside, leave):
            inside.set()
            leave.wait(5)
        def second():
            tick(7)
    """)
    inside, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=app["first"], args=(inside, leave))
    thread.start()
    assert inside.wait(5)
    app["second"]()
    leave.set()
    thread.join(5)
    calls = bench.calls()
    assert calls["second"]["callers"] == {"": 1}
    assert calls["first"]["own"] == calls["first"]["wall"] == 7


def test_work_in_an_entry_has_the_name_given_at_its_end() -> None:
    bench = Bench()
    app = bench.load("""
        def view():
            tick(3)
            bench.query("SELECT 1", rows=1)
        def start_up():
            tick(1)
    """)
    app["start_up"]()
    entry = bench.entries.begin("http")
    app["view"]()
    bench.entries.end(entry, "GET things/", status=200)
    tables = bench.tables()
    found = [(row["function"], row["entry"]) for row in tables["calls"]]
    assert found == [("app:start_up", ""), ("app:view", "GET things/")]
    (row,) = tables["entries"]
    assert (row["entry"], row["kind"], row["calls"], row["status"]) == ("GET things/", "http", 1, {"200": 1})
    assert (row["wall"]["sum"], row["queries"]["sum"]) == (13, 1)


def test_an_entry_inside_a_function_is_transparent_for_own_time() -> None:
    bench = Bench()
    app = bench.load("""
        def script():
            tick(1)
            entry = bench.entries.begin("job", "job:x")
            tick(2)
            work()
            bench.entries.end(entry)
        def work():
            tick(10)
    """)
    app["script"]()
    calls = bench.calls()
    assert calls["script"]["own"] == 3
    assert calls["work"]["callers"] == {"script": 1}


def test_an_error_of_an_entry_is_counted() -> None:
    bench = Bench()
    bench.entries.end(bench.entries.begin("job", "job:x"), error=ValueError())
    assert bench.tables()["entries"][0]["errors"] == {"ValueError": 1}


def test_functions_are_described() -> None:
    bench = Bench()
    app = bench.load("""
        class Order:
            @property
            def total(self):
                "Sum."
                def price(line):
                    return line
                return sum(price(line) for line in (1, 2))
            @total.setter
            def total(self, value):
                pass
    """)
    order = app["Order"]()
    order.total = order.total
    functions = bench.tables()["functions"]
    assert sorted(map(bare, functions)) == ["Order.total", "Order.total.<locals>.price", "Order.total:10"]
    total = functions["app:Order.total"]
    assert (total["file"], total["line"], total["end_line"], total["kind"]) == ("app.py", 4, 8, "function")
    assert len(total["body"]) == 16

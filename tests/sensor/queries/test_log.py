from __future__ import annotations

import random
from typing import Any

import pytest

from burnish_sensor.probe import UNKNOWN
from burnish_sensor.queries.statements import statement_id
from tests.sensor.support import Bench, bare

pytestmark = pytest.mark.usefixtures("each_recorder")

LIST = statement_id("SELECT * FROM orders")
ONE = statement_id("SELECT * FROM customer WHERE id = ?")
OTHER = statement_id("SELECT now")

APP = """
    def page(n):
        bench.query("SELECT now", rows=1)
        bench.query("SELECT * FROM orders", rows=n)
        for i in range(n):
            name(i)
    def name(i):
        bench.query("SELECT * FROM customer WHERE id = ?", (i % 3,), rows=1)
"""


def per_call(bench: Bench) -> dict[tuple[str, str], dict[str, Any]]:
    return {(bare(row["function"]), row["statement"]): row for row in bench.tables()["per_call"]}


def test_each_function_on_the_stack_knows_what_one_call_of_it_ran() -> None:
    bench = Bench()
    app = bench.load(APP)
    app["page"](5)
    rows = per_call(bench)
    page, name = rows["page", ONE], rows["name", ONE]
    assert (page["calls"], page["executions"]["sum"], page["executions"]["max"]) == (1, 5, 5)
    assert (name["calls"], name["executions"]["sum"], name["executions"]["max"]) == (5, 5, 1)
    assert page["site"] == {"function": "app:name", "file": "app.py", "line": 8}
    assert (page["time_ns"], name["time_ns"]) == (50, 50)


def test_identical_parameters_are_those_used_before_in_the_same_call() -> None:
    bench = Bench()
    app = bench.load(APP)
    app["page"](5)
    rows = per_call(bench)
    assert (rows["page", ONE]["identical"], rows["name", ONE]["identical"]) == (2, 0)


def test_the_driver_is_the_last_other_statement_with_more_than_one_row() -> None:
    bench = Bench()
    app = bench.load(APP)
    for n in (2, 4, 7):
        app["page"](n)
    driver = per_call(bench)["page", ONE]["driver"]
    assert (driver["statement"], driver["site"]["line"]) == (LIST, 4)
    sums = [driver[key] for key in ("n", "sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")]
    assert sums == [3, 13, 13, 69, 69, 69]


def test_a_single_execution_has_no_driver() -> None:
    bench = Bench()
    app = bench.load(APP)
    app["page"](1)
    assert per_call(bench)["page", ONE]["driver"] is None


def test_queries_are_counted_by_call_site_with_their_rows() -> None:
    bench = Bench()
    app = bench.load(APP)
    app["page"](5)
    rows = {row["statement"]: row for row in bench.tables()["queries"]}
    one = rows[ONE]
    assert (one["function"], one["file"], one["line"]) == ("app:name", "app.py", 8)
    assert (one["executions"], one["rows"]) == (5, 5)
    assert rows[LIST]["rows"] == 5


def test_a_driver_that_tells_no_rows_has_none() -> None:
    bench = Bench()
    app = bench.load("""
        def write():
            bench.probe.executed(bench.probe.statement(), "UPDATE t SET a = 1", None, "sqlite")
    """)
    app["write"]()
    assert bench.tables()["queries"][0]["rows"] is None


def test_a_query_in_a_generator_belongs_to_the_call_that_consumes_it() -> None:
    bench = Bench()
    app = bench.load("""
        def lines():
            for i in range(3):
                bench.query("SELECT * FROM customer WHERE id = ?", (i,), rows=1)
                yield i
        def first():
            it = lines()
            return next(it), next(it)
    """)
    app["first"]()
    rows = per_call(bench)
    assert rows["first", ONE]["executions"]["sum"] == 2
    assert rows["lines", ONE]["executions"]["sum"] == 2


def test_a_query_outside_the_application_counts_only_on_the_entry() -> None:
    bench = Bench()
    entry = bench.entries.begin("http")
    bench.query("SELECT 1")
    bench.entries.end(entry, "GET x")
    tables = bench.tables()
    assert tables["queries"] == tables["per_call"] == []
    assert tables["entries"][0]["queries"]["sum"] == 1


def test_an_error_of_a_statement_is_counted() -> None:
    bench = Bench()
    app = bench.load("""
        def write():
            bench.probe.executed(bench.probe.statement(), "INSERT INTO t VALUES (1)", None, "sqlite", ValueError())
    """)
    app["write"]()
    assert bench.tables()["queries"][0]["errors"] == {"ValueError": 1}


def test_the_line_is_that_of_a_comprehension_but_not_of_a_lambda() -> None:
    bench = Bench()
    app = bench.load("""
        def comprehension():
            return [
                bench.query("SELECT 1")
                for _ in range(1)]
        def caller():
            f = lambda: (
                bench.query("SELECT 2"))
            return f()
    """)
    app["comprehension"]()
    app["caller"]()
    sites = sorted((row["line"], bare(row["function"])) for row in bench.tables()["queries"])
    assert sites == [(4, "comprehension"), (9, "caller")]


def test_parameters_that_cannot_be_hashed_are_compared_by_their_form() -> None:
    bench = Bench()

    class Hostile:
        def __hash__(self) -> int:
            raise RuntimeError

        def __repr__(self) -> str:
            raise RuntimeError

    app = bench.load("""
        def run(*all):
            for parameters in all:
                bench.query("SELECT now", parameters)
    """)
    app["run"]([[1]], [[1]], [Hostile()], [Hostile()])
    assert per_call(bench)["run", OTHER]["identical"] == 1


def test_only_the_outermost_library_records_a_statement() -> None:
    bench = Bench()
    app = bench.load("""
        def write():
            outer = bench.probe.statement()
            assert bench.probe.statement() is None
            bench.probe.executed(outer, "UPDATE t SET a = 1", None, "sqlite")
            assert bench.probe.statement() is not None
    """)
    app["write"]()
    assert [row["executions"] for row in bench.tables()["queries"]] == [1]


def test_a_guard_that_nobody_closed_ends_with_its_owner() -> None:
    bench = Bench()
    abandoned = bench.probe.lent_statement()
    assert abandoned is not None
    assert bench.probe.statement() is None
    del abandoned
    assert bench.probe.statement() is not None


def test_sets_of_parameters_are_never_identical() -> None:
    bench = Bench()
    app = bench.load("""
        def write():
            for _ in range(3):
                bench.query("INSERT INTO t VALUES (?)", UNKNOWN)
    """)
    app["UNKNOWN"] = UNKNOWN
    app["write"]()
    (row,) = bench.tables()["per_call"]
    assert (row["executions"]["sum"], row["identical"]) == (3, 0)


def test_any_tree_of_calls_adds_up() -> None:
    """Random trees of calls, against sums made from the list of all executions below each call."""
    bench, rng = Bench(), random.Random(7)
    app = bench.load("""
        def a(tree): walk(tree)
        def b(tree): walk(tree)
        def c(tree): walk(tree)
        def walk(tree):
            for step in tree:
                if step[0] == "call":
                    globals()[step[1]](step[2])
                else:
                    bench.query("SELECT %s" % step[1], (step[2],), rows=step[3])
    """)
    expected: dict[tuple[str, str], list[int]] = {}
    for _ in range(60):
        tree = [("call", rng.choice("abc"), _tree(rng, 3))]
        _expect(tree, expected)
        app["walk"](tree)
    found = {key: row for key, row in per_call(bench).items() if key[0] != "walk"}
    for (function, statement), (calls, executions, identical) in expected.items():
        row = found.pop((function, statement_id(f"SELECT {statement}")))
        assert (row["calls"], row["executions"]["sum"], row["identical"]) == (calls, executions, identical)
    assert not found


def _tree(rng: random.Random, depth: int) -> list[Any]:
    steps: list[Any] = []
    for _ in range(rng.randint(0, 4)):
        if depth and rng.random() < 0.5:
            steps.append(("call", rng.choice("abc"), _tree(rng, depth - 1)))
        else:
            steps.append(("ask", rng.choice("xyz"), rng.randint(0, 2), rng.randint(0, 3)))
    return steps


def _expect(tree: list[Any], expected: dict[tuple[str, str], list[int]]) -> list[tuple[str, int]]:
    """The executions below, with sums by (function, statement): calls, executions, identical ones."""
    ran: list[tuple[str, int]] = []
    for step in tree:
        if step[0] == "ask":
            ran.append((step[1], step[2]))
            continue
        below = _expect(step[2], expected)
        ran += below
        for statement in {name for name, _ in below}:
            asked = [parameter for name, parameter in below if name == statement]
            sums = expected.setdefault((step[1], statement), [0, 0, 0])
            sums[0] += 1
            sums[1] += len(asked)
            sums[2] += len(asked) - len(set(asked))
    return ran

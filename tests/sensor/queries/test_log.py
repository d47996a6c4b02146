from __future__ import annotations

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

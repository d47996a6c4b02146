"""N+1 queries: what grows with the rows is found, what only repeats is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.testing import windows as w
from burnish.why import Why
from tests.tools.detectors.shapes import detect, reasons

LIST, ITEM, REPORT = "shop.views:orders", "shop.models:Order.customer_name", "shop.views:report"
SQL, DRIVER = "SELECT * FROM customer WHERE id = ?", "SELECT * FROM orders LIMIT ?"
SITE = f"{ITEM}:31"
PAGES = [10, 20, 40, 20]
CONTENT = dict[str, Any]


def shop(
    executions: list[int], rows: list[int] | None, *, sql: str = SQL, identical: int = 0, each: int = 1
) -> CONTENT:
    """One window of: orders() → customer_name() for each order, which runs `sql`.

    `executions` and `rows` are by call of orders(); `each` is executions by call of customer_name().
    """
    n, total = len(executions), sum(executions)
    driver = w.driver(DRIVER, at=f"{LIST}:12", rows=rows) if rows else None
    return {
        "calls": [
            w.calls(LIST, n, wall_ms=50, own_ms=5, entry="GET orders/"),
            w.calls(ITEM, total // each, wall_ms=2, caller=LIST, entry="GET orders/"),
        ],
        "queries": [w.query(sql, at=SITE, times=total, ms=2, rows=total)],
        "per_call": [
            w.per_call(LIST, sql, at=SITE, executions=executions, identical=identical, driver=driver),
            w.per_call(ITEM, sql, at=SITE, executions=[each] * (total // each)),
        ],
    }


def test_a_query_for_each_row_is_found_with_its_loop_its_slope_and_what_it_costs(tmp_path: Path) -> None:
    """
    orders()           rows 10 20 40 20
      customer_name()  runs 10 20 40 20   each 2 ms
    """
    findings, passed = detect("n_plus_one", tmp_path, **shop(PAGES, PAGES))
    (found,) = findings
    assert passed == []
    assert (found.kind, found.function, found.file) == ("n_plus_one", LIST, "shop/views.py")
    assert found.evidence.path == (LIST, ITEM)
    assert found.evidence.site is not None
    assert (found.evidence.site.function, found.evidence.site.line) == (ITEM, 31)
    assert found.evidence.driver == DRIVER
    assert found.evidence.slope is not None
    assert found.evidence.slope.value == pytest.approx(1)
    assert found.evidence.slope.low > 0.9
    assert found.evidence.executions_per_call == 22.5
    assert found.removable_queries == 21.5
    assert found.removable_ns == pytest.approx(21.5 * 2e6, rel=0.01)
    assert found.calls_per_minute.value == 4
    assert found.wall_ns.value == pytest.approx(50e6)
    assert [(e.entry, e.calls_per_minute) for e in found.entries] == [("GET orders/", 4)]


def test_a_loop_in_the_function_that_holds_the_query_is_its_own_site(tmp_path: Path) -> None:
    content = {
        "calls": {LIST: 4},
        "per_call": [
            w.per_call(
                LIST, SQL, at=f"{LIST}:14", executions=PAGES, driver=w.driver(DRIVER, at=f"{LIST}:12", rows=PAGES)
            )
        ],
        "queries": [w.query(SQL, at=f"{LIST}:14", times=90)],
    }
    findings, _ = detect("n_plus_one", tmp_path, **content)
    assert [(f.function, f.evidence.path) for f in findings] == [(LIST, (LIST,))]


def test_functions_above_the_loop_are_told_that_it_is_below_them(tmp_path: Path) -> None:
    """
    report()         runs 180
      orders() × 2   runs 90    ◀── the loop
        customer_name()
    """
    content = shop(PAGES, PAGES)
    content["calls"] = [
        w.calls(REPORT, 2, wall_ms=100),
        w.calls(LIST, 4, wall_ms=50, caller=REPORT),
        w.calls(ITEM, 90, wall_ms=2, caller=LIST),
    ]
    driver = w.driver(DRIVER, at=f"{LIST}:12", rows=[30, 60])
    content["per_call"].append(w.per_call(REPORT, SQL, at=SITE, executions=[30, 60], driver=driver))
    findings, passed = detect("n_plus_one", tmp_path, **content)
    assert [f.function for f in findings] == [LIST]
    assert reasons(passed) == {REPORT: Why.DUPLICATE}
    assert LIST in passed[0].detail


def test_a_caller_that_uses_the_same_helper_once_is_not_blamed(tmp_path: Path) -> None:
    detail = "shop.views:order_detail"
    content = shop(PAGES, PAGES)
    content["calls"] = [
        w.calls(LIST, 4, wall_ms=50),
        w.calls(detail, 50, wall_ms=5),
        {**w.calls(ITEM, 140, wall_ms=2), "callers": {LIST: 90, detail: 50}},
    ]
    content["per_call"].append(w.per_call(detail, SQL, at=SITE, executions=[1] * 50))
    findings, passed = detect("n_plus_one", tmp_path, **content)
    assert [f.function for f in findings] == [LIST]
    assert passed == []


def test_where_every_page_is_full_the_executions_have_to_be_as_many_as_the_rows(tmp_path: Path) -> None:
    findings, _ = detect("n_plus_one", tmp_path, **shop([20] * 4, [20] * 4))
    (found,) = findings
    assert found.evidence.slope is None
    assert any("20 rows in every call" in note for note in found.evidence.notes)


def test_the_same_statement_at_two_lines_is_reported_once(tmp_path: Path) -> None:
    content = shop(PAGES, PAGES)
    other = w.driver(DRIVER, at=f"{LIST}:12", rows=PAGES)
    content["per_call"].append(w.per_call(LIST, SQL, at=f"{LIST}:18", executions=PAGES, driver=other))
    content["queries"].append(w.query(SQL, at=f"{LIST}:18", times=90, ms=0.5))
    findings, passed = detect("n_plus_one", tmp_path, **content)
    assert [f.evidence.site.line for f in findings if f.evidence.site] == [31]
    assert reasons(passed) == {LIST: Why.DUPLICATE}
    assert passed[0].fingerprint == findings[0].fingerprint


def test_some_shared_parents_are_still_an_n_plus_one(tmp_path: Path) -> None:
    """60 % of the rows have the parent of an earlier row; 9 different parents are asked for on average"""
    findings, _ = detect("n_plus_one", tmp_path, **shop(PAGES, PAGES, identical=54))
    assert [f.function for f in findings] == [LIST]
    assert findings[0].evidence.identical_per_call == 13.5


def test_rows_without_a_parent_need_no_query(tmp_path: Path) -> None:
    """
    rows    50 50 50 50
    runs    40 41 38 40     a nullable foreign key on pages that are always full
    """
    findings, _ = detect("n_plus_one", tmp_path, **shop([40, 41, 38, 40], [50] * 4))
    assert [f.function for f in findings] == [LIST]


MUST_NOT = {
    # rows    10 20 40 20
    # runs     5  5  5  5     one for each of five fixed states
    "a fixed repetition": (shop([5] * 4, PAGES), Why.DOES_NOT_GROW),
    # rows    20 20 20 20
    # runs     5  5  5  5
    "a fixed repetition where rows never vary": (shop([5] * 4, [20] * 4), Why.DOES_NOT_GROW),
    # rows    40 40 40 41 …
    # runs     3 12  1  8     ends at the first that fits
    "a loop that ends early": (shop([3, 12, 1, 8], [40, 41, 44, 38]), Why.DOES_NOT_GROW),
    # rows    20 22 21 19     hardly vary
    # runs     3 30 12  3     vary with something else
    "a slope far steeper than the ratio": (shop([3, 30, 12, 3], [20, 22, 21, 19]), Why.DOES_NOT_GROW),
    "no query before it": (shop(PAGES, None), Why.NO_DRIVER),
    # rows    10 20 40 20
    # runs    10 20 40 20     always with the same parameters
    "mostly identical": (shop(PAGES, PAGES, identical=80), Why.DUPLICATE),
}


@pytest.mark.parametrize("content, why", MUST_NOT.values(), ids=MUST_NOT)
def test_repetitions_that_are_no_n_plus_one(tmp_path: Path, content: CONTENT, why: Why) -> None:
    findings, passed = detect("n_plus_one", tmp_path, **content)
    assert findings == []
    assert reasons(passed) == {LIST: why}


def test_too_few_calls_say_nothing(tmp_path: Path) -> None:
    findings, passed = detect("n_plus_one", tmp_path, minutes=7, **shop(PAGES, PAGES))
    assert findings == []
    assert reasons(passed) == {LIST: Why.NOT_ENOUGH_CALLS}
    assert "28 calls; 30 are needed" in passed[0].detail


@pytest.mark.parametrize(
    "content",
    [
        shop([2] * 4, [2, 3, 2, 1]),
        shop(PAGES, PAGES, sql="INSERT INTO log (a) VALUES (?)"),
        shop(PAGES, PAGES, sql="UPDATE orders SET a = ? WHERE id = ?"),
        shop(PAGES, PAGES, sql="SELECT /* not normalised */"),
    ],
    ids=["twice", "inserts", "updates", "unreadable"],
)
def test_what_is_not_looked_at(tmp_path: Path, content: CONTENT) -> None:
    assert detect("n_plus_one", tmp_path, **content) == ([], [])


def test_a_slope_that_could_be_anything_is_not_enough(tmp_path: Path) -> None:
    """
    rows    10 20 40 20
    runs    36 10 50  4      0.8 for each further row, give or take 0.5
    """
    findings, passed = detect("n_plus_one", tmp_path, **shop([36, 10, 50, 4], PAGES))
    assert findings == []
    assert reasons(passed) == {LIST: Why.NOT_ENOUGH_CALLS}


def test_the_same_data_give_the_same_answer(tmp_path: Path) -> None:
    one = detect("n_plus_one", tmp_path / "one", **shop(PAGES, PAGES))
    two = detect("n_plus_one", tmp_path / "two", **shop(PAGES, PAGES))
    assert one == two

"""Repeated statements under stock OpenTelemetry: what can be said without rows and parameters, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.testing import windows as w
from burnish.why import Why
from burnish_tools.detectors.repeated_statement import RepeatedStatement
from burnish_tools.runtime import SqliteRuntime
from tests.tools.detectors.shapes import detect, reasons

PRODUCTS = "<otel>:GET products/"
CATEGORY = "SELECT id, name FROM category WHERE id = ?"
LISTED = "SELECT id, category_id FROM product LIMIT ?"


def seen(
    tmp_path: Path,
    executions: Sequence[int],
    *,
    span: str = PRODUCTS,
    statement: str = CATEGORY,
    ms: float = 0.4,
    identical: int = 0,
    driver: w.Json | None = None,
    also: Sequence[str] = (),
    minutes: int = 10,
    detector: str = "repeated_statement",
    **settings: Any,
) -> tuple[list[Finding], list[Passed]]:
    """A request that runs one statement so often in each call, in each of ten minutes; `also` other statements once."""
    n, entry = len(executions), span.removeprefix("<otel>:")
    row = w.per_call(
        span, statement, at=f"{span}:0", executions=executions, ms=ms, identical=identical, driver=driver, entry=entry
    )
    once = [w.per_call(span, text, at=f"{span}:0", executions=[1] * n, entry=entry) for text in also]
    return detect(
        detector,
        tmp_path,
        minutes=minutes,
        settings=settings,
        calls=[w.calls(span, n, wall_ms=70, entry=entry)],
        queries=[w.query(statement, at=f"{span}:0", times=sum(executions), ms=ms, entry=entry)],
        per_call=[row, *once],
    )


def test_a_page_of_sixty_rows_is_found_with_its_cost(tmp_path: Path) -> None:
    """The shop's product list: 60 categories in each call, 0.4 ms each."""
    (found,), _ = seen(tmp_path, [60] * 10)
    assert (found.function, found.evidence.executions_per_call, found.informs) == (PRODUCTS, 60, True)
    assert found.removable_queries == 59
    assert found.removable_ns == pytest.approx(59 * 0.4e6, rel=0.05)
    assert found.queries_per_minute == pytest.approx(590)
    assert "OpenTelemetry cannot tell which; the sensor would" in found.evidence.notes[0]
    assert "about equally often in every call" in found.evidence.notes[1]


def test_a_number_that_varies_is_told_as_such(tmp_path: Path) -> None:
    """An order history: as many statements as the customer has orders."""
    (found,), _ = seen(tmp_path, [5, 12, 20, 38, 60, 75, 11, 8, 90, 42])
    assert "varies with the call (5 to 90, coefficient of variation 0.78" in found.evidence.notes[1]


def test_the_innermost_span_owns_it_and_the_request_above_does_not(tmp_path: Path) -> None:
    """
    GET products/     10 calls
    └─ render list    10 calls   60 × in each     ◀── owns it
    """
    inner = "<otel>:render list"
    rows = [w.per_call(name, CATEGORY, at=f"{inner}:0", executions=[60] * 10) for name in (PRODUCTS, inner)]
    findings, passed = detect(
        "repeated_statement",
        tmp_path,
        calls=[w.calls(PRODUCTS, 10, wall_ms=70, own_ms=10), w.calls(inner, 10, wall_ms=60, caller=PRODUCTS)],
        queries=[w.query(CATEGORY, at=f"{inner}:0", times=600, ms=0.4)],
        per_call=rows,
    )
    assert [found.function for found in findings] == [inner]
    assert reasons(passed) == {PRODUCTS: Why.DUPLICATE}


def test_two_statements_are_two_causes(tmp_path: Path) -> None:
    other = "SELECT value FROM settings WHERE name = ?"
    rows = [w.per_call(PRODUCTS, text, at=f"{PRODUCTS}:0", executions=[60] * 10) for text in (CATEGORY, other)]
    queries = [w.query(text, at=f"{PRODUCTS}:0", times=600, ms=0.4) for text in (CATEGORY, other)]
    findings, _ = detect(
        "repeated_statement", tmp_path, calls=[w.calls(PRODUCTS, 10, wall_ms=70)], queries=queries, per_call=rows
    )
    assert len({found.fingerprint for found in findings}) == 2


def test_two_or_three_look_ups_are_no_repetition(tmp_path: Path) -> None:
    assert seen(tmp_path, [3, 2, 3, 3, 2, 3, 1, 4, 3, 3]) == ([], [])


def test_a_report_that_is_asked_for_rarely_costs_too_little(tmp_path: Path) -> None:
    """280 statements of 0.1 ms at once, but one request in ten minutes: 2.8 ms of the database a minute."""
    report, text = "<otel>:GET reports/turnover/", "SELECT sum(total) FROM line WHERE category_id = ?"
    asked = {
        "calls": [w.calls(report, 1, wall_ms=900), w.calls(PRODUCTS, 10)],
        "queries": [w.query(text, at=f"{report}:0", times=280, ms=0.1)],
        "per_call": [w.per_call(report, text, at=f"{report}:0", executions=[280], ms=0.1)],
    }
    findings, passed = detect("repeated_statement", tmp_path / "few", minutes=1, **asked)
    assert (findings, reasons(passed)) == ([], {report: Why.NOT_ENOUGH_CALLS})
    lines = [w.window(sequence=i, **(asked if i % 10 == 0 else {"calls": {PRODUCTS: 10}})) for i in range(600)]
    runtime = SqliteRuntime(tmp_path / "runtime.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    (passed_over,) = RepeatedStatement(RepeatedStatement.Settings()).detect(profile, runtime, None)
    assert isinstance(passed_over, Passed)
    assert passed_over.why is Why.NOT_WORTH_IT
    assert "280.0 × per call, 0.10 calls a minute" in passed_over.detail


def test_too_few_calls_decide_nothing(tmp_path: Path) -> None:
    findings, passed = seen(tmp_path, [60, 60])
    assert (findings, reasons(passed)) == ([], {PRODUCTS: Why.NOT_ENOUGH_CALLS})


def test_a_row_lock_is_needed_each_time(tmp_path: Path) -> None:
    findings, passed = seen(tmp_path, [8] * 10, statement=f"{CATEGORY} FOR UPDATE")
    assert (findings, reasons(passed)) == ([], {PRODUCTS: Why.LOAD_BEARING})


def test_a_write_to_the_table_in_the_same_call_may_need_each_of_them(tmp_path: Path) -> None:
    findings, passed = seen(tmp_path / "own", [8] * 10, also=["UPDATE category SET name = ? WHERE id = ?"])
    assert (findings, reasons(passed)) == ([], {PRODUCTS: Why.LOAD_BEARING})
    findings, _ = seen(tmp_path / "other", [8] * 10, also=["INSERT INTO visit (page) VALUES (?)"])
    assert [found.function for found in findings] == [PRODUCTS]


def test_where_the_rows_are_known_another_detector_judges(tmp_path: Path) -> None:
    rows = w.driver(LISTED, at=f"{PRODUCTS}:0", rows=[10 + i for i in range(10)])
    executions = [10 + i for i in range(10)]
    findings, passed = seen(tmp_path / "this", executions, driver=rows)
    assert (findings, reasons(passed)) == ([], {PRODUCTS: Why.DUPLICATE})
    (found,), _ = seen(tmp_path / "that", executions, driver=rows, detector="n_plus_one")
    assert found.function == PRODUCTS


def test_where_the_parameters_are_known_another_detector_judges(tmp_path: Path) -> None:
    findings, passed = seen(tmp_path / "this", [10] * 10, identical=90)
    assert (findings, reasons(passed)) == ([], {PRODUCTS: Why.DUPLICATE})
    (found,), _ = seen(tmp_path / "that", [10] * 10, identical=90, detector="repeated_query")
    assert found.function == PRODUCTS


def test_functions_with_code_are_not_its_business(tmp_path: Path) -> None:
    assert seen(tmp_path, [60] * 10, span="shop.views:products") == ([], [])

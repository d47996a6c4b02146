"""Over-fetching: hundreds of rows come in, a value or a handful of items goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.testing import windows as w
from burnish.why import Why
from burnish_tools.detectors._sql import width
from tests.tools.detectors.shapes import detect, reasons

OPEN = "shop.orders:open_orders"
ORDERS = "SELECT o.id, o.number, o.total FROM orders o WHERE o.state = ?"


def seen(
    tmp_path: Path,
    result: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    rows: int | None = 640,
    calls: int = 40,
    executions: int = 40,
    statement: str = ORDERS,
    also: str = "",
    **content: Any,
) -> tuple[list[Finding], list[Passed]]:
    """`calls` a minute, of which four a minute were looked at: `result` in turn; `rows` in each execution."""
    results = [result] if isinstance(result, Mapping) else result
    exemplars = [
        w.exemplar(OPEN, wall_ms=20, facts={f"result.{key}": value for key, value in one.items()})
        for one in (results[i % len(results)] for i in range(4))
    ]
    extra = content.pop("calls_below", [])
    return detect(
        "over_fetching",
        tmp_path,
        calls=[w.calls(OPEN, calls, wall_ms=20), *extra],
        queries=[
            w.query(statement, at=f"{OPEN}:14", times=executions, ms=12, rows=rows and rows * executions),
        ],
        per_call=[w.per_call(OPEN, also, at=f"{OPEN}:20", executions=[1] * calls)] if also else [],
        exemplars=exemplars,
        conditions=[w.condition(OPEN, calls)],
        **content,
    )


def test_a_length_of_all_rows_is_found(tmp_path: Path) -> None:
    """`return len(Order.objects.filter(state=OPEN))`"""
    (found,), _ = seen(tmp_path, {"type": "int"})
    assert (found.function, found.informs) == (OPEN, True)
    assert found.removable_ns == pytest.approx(0.3 * 12e6, rel=0.06)
    assert "640 rows an execution, 25,600 a minute; one int leaves the function" in found.evidence.notes[0]
    assert "count()" in found.evidence.notes[1]
    assert "SUM" in found.evidence.notes[1]
    assert "3 columns" in found.evidence.notes[2]
    assert "cannot be told" in found.evidence.notes[2]


def test_a_test_for_presence_is_found(tmp_path: Path) -> None:
    """`return bool(list(orders))`"""
    (found,), _ = seen(tmp_path, {"type": "bool", "is": True})
    assert "exists()" in found.evidence.notes[1]


def test_a_sum_in_python_is_found(tmp_path: Path) -> None:
    (found,), _ = seen(tmp_path, {"type": "decimal.Decimal"}, executions=80)
    assert found.evidence.executions_per_call == 2
    assert "aggregate" in found.evidence.notes[1]


def test_a_filter_in_python_is_found(tmp_path: Path) -> None:
    """`[o for o in orders if o.total > 1000]`: 640 rows, up to 15 remain"""
    (found,), _ = seen(tmp_path, [{"type": "list", "size": 4}, {"type": "list", "size": 8}])
    assert "a list of at most 15 items leaves" in found.evidence.notes[0]


@pytest.mark.parametrize(
    "result",
    [
        {"type": "list", "size": 512},
        {"type": "list", "size": 64},
        {"type": "dict", "size": 2},
        {"type": "NoneType"},
        {"type": "django.http.response.HttpResponse"},
        {"type": "str", "size": 1},
        [{"type": "int"}, {"type": "int"}, {"type": "int"}, {"type": "list", "size": 512}],
    ],
    ids=["all rows", "a fifth of them", "a context", "nothing", "a page", "a text", "now and then all"],
)
def test_rows_that_may_leave_or_be_needed_are_left_alone(tmp_path: Path, result: Any) -> None:
    findings, passed = seen(tmp_path, result)
    assert (findings, reasons(passed)) == ([], {OPEN: Why.NO_PATTERN})


def test_a_cache_that_is_filled_now_and_then_is_left_alone(tmp_path: Path) -> None:
    """All rates are read once in twenty calls, and one is returned."""
    findings, passed = seen(tmp_path, {"type": "decimal.Decimal"}, executions=4, calls=80)
    assert (findings, reasons(passed)) == ([], {OPEN: Why.ALREADY_DONE})


def test_rows_that_are_written_locked_or_handed_on_are_left_alone(tmp_path: Path) -> None:
    """A job that works through all rows returns how many there were."""
    _, passed = seen(tmp_path / "write", {"type": "int"}, also="UPDATE orders SET state = ? WHERE id = ?")
    assert reasons(passed) == {OPEN: Why.LOAD_BEARING}
    _, passed = seen(tmp_path / "lock", {"type": "int"}, statement=f"{ORDERS} FOR UPDATE")
    assert reasons(passed) == {OPEN: Why.LOAD_BEARING}
    one_by_one = [w.calls("shop.orders:price", 40 * 640, wall_ms=0.01, caller=OPEN)]
    findings, passed = seen(tmp_path / "each", {"type": "int"}, calls_below=one_by_one)
    assert (findings, reasons(passed)) == ([], {OPEN: Why.LOAD_BEARING})
    mails = [w.dependency("mail:25", at=f"{OPEN}:16", n=40)]
    findings, passed = seen(tmp_path / "mail", {"type": "int"}, dependencies=mails)
    assert (findings, reasons(passed)) == ([], {OPEN: Why.LOAD_BEARING})


def test_what_is_not_known_is_not_claimed(tmp_path: Path) -> None:
    assert seen(tmp_path / "rows", {"type": "int"}, rows=None) == ([], [])
    findings, passed = seen(tmp_path / "result", {})
    assert (findings, reasons(passed)) == ([], {OPEN: Why.NOT_ENOUGH_CALLS})


def test_a_few_rows_are_no_matter(tmp_path: Path) -> None:
    assert seen(tmp_path, {"type": "int"}, rows=20) == ([], [])


def test_columns_are_counted_where_they_are_named() -> None:
    assert width("SELECT a.x, count(a.y), ? FROM a", "sqlite") == 2 + 1
    assert [width(text, "sqlite") for text in ("SELECT * FROM a", "SELECT a.* FROM a", "SELECT ??? (", "UPDATE a")] == [
        0
    ] * 4

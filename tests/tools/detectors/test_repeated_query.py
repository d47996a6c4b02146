"""Repeated queries: the same question again is found, unless it may have another answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from burnish.testing import windows as w
from burnish.why import Why
from tests.tools.detectors.shapes import detect, reasons

STATEMENT, RATE = "shop.views:statement", "shop.services:rate"
SQL = "SELECT * FROM settings WHERE key = ?"
SITE = f"{RATE}:8"


def shop(
    times: int = 10, *, identical: int | None = None, sql: str = SQL, writes: str = "", at: str = STATEMENT
) -> dict[str, Any]:
    """Four calls of statement(), each of which calls rate() `times` times; `writes` is a statement that runs too."""
    same = (times - 1) * 4 if identical is None else identical
    per_call = [
        w.per_call(STATEMENT, sql, at=SITE, executions=[times] * 4, identical=same),
        w.per_call(RATE, sql, at=SITE, executions=[1] * times * 4),
    ]
    if writes:
        per_call.append(w.per_call(at, writes, at=f"{at}:40", executions=[1] * 4))
    return {
        "calls": [w.calls(STATEMENT, 4, wall_ms=30), w.calls(RATE, times * 4, wall_ms=2, caller=STATEMENT)],
        "queries": [w.query(sql, at=SITE, times=times * 4, ms=1.5)],
        "per_call": per_call,
    }


def test_the_same_question_in_every_round_of_a_loop(tmp_path: Path) -> None:
    """
    statement()
      rate() × 10    SELECT … WHERE key = 'vat'     9 of 10 identical, 1.5 ms each
    """
    findings, passed = detect("repeated_query", tmp_path, **shop())
    (found,) = findings
    assert passed == []
    assert (found.function, found.evidence.path) == (STATEMENT, (STATEMENT, RATE))
    assert found.evidence.identical_per_call == 9
    assert found.removable_queries == 9
    assert found.removable_ns == pytest.approx(9 * 1.5e6, rel=0.01)
    assert found.evidence.statement == SQL


def test_calls_that_did_not_run_it_count_for_what_a_call_saves_on_average(tmp_path: Path) -> None:
    content = shop()
    content["calls"][0] = w.calls(STATEMENT, 8, wall_ms=30)
    findings, _ = detect("repeated_query", tmp_path, **content)
    assert findings[0].removable_queries == 4.5


def test_a_write_to_another_table_does_not_matter(tmp_path: Path) -> None:
    findings, _ = detect("repeated_query", tmp_path, **shop(writes="INSERT INTO audit (a) VALUES (?)"))
    assert [f.function for f in findings] == [STATEMENT]


def test_a_write_in_a_function_that_was_not_called_here_does_not_matter(tmp_path: Path) -> None:
    update = "UPDATE settings SET value = ? WHERE key = ?"
    findings, _ = detect("repeated_query", tmp_path, **shop(writes=update, at="shop.admin:save"))
    assert [f.function for f in findings] == [STATEMENT]


@pytest.mark.parametrize(
    "content",
    [
        shop(writes="UPDATE settings SET value = ? WHERE key = ?"),
        shop(writes='INSERT INTO "settings" ("key") VALUES (?)'),
        shop(writes="DELETE FROM settings WHERE key = ?"),
        shop(writes="CALL refresh_settings()"),
        shop(sql="SELECT * FROM settings WHERE key = ? FOR UPDATE"),
        shop(sql="SELECT * FROM a INNER JOIN b ON a.id = b.a WHERE a.x = ?", writes="UPDATE b SET x = ?"),
    ],
    ids=["update", "insert", "delete", "call", "lock", "joined"],
)
def test_a_question_that_may_have_another_answer_is_load_bearing(tmp_path: Path, content: dict[str, Any]) -> None:
    findings, passed = detect("repeated_query", tmp_path, **content)
    assert findings == []
    assert reasons(passed) == {STATEMENT: Why.LOAD_BEARING}


def test_too_few_calls_say_nothing(tmp_path: Path) -> None:
    findings, passed = detect("repeated_query", tmp_path, minutes=3, **shop())
    assert findings == []
    assert reasons(passed) == {STATEMENT: Why.NOT_ENOUGH_CALLS}


@pytest.mark.parametrize(
    "content",
    [
        shop(2),
        shop(identical=28),
        shop(identical=0),
        shop(sql="UPDATE settings SET value = ?"),
        shop(sql="SELECT /* not normalised */"),
    ],
    ids=["a second look", "mostly different", "never the same", "writes", "unreadable"],
)
def test_what_is_not_looked_at(tmp_path: Path, content: dict[str, Any]) -> None:
    assert detect("repeated_query", tmp_path, **content) == ([], [])


def test_a_caller_of_the_loop_is_told_that_it_is_below(tmp_path: Path) -> None:
    content = shop()
    content["calls"][0] = w.calls(STATEMENT, 4, wall_ms=30, caller="shop.views:page")
    content["calls"].append(w.calls("shop.views:page", 4, wall_ms=40))
    content["per_call"].append(w.per_call("shop.views:page", SQL, at=SITE, executions=[10] * 4, identical=36))
    findings, passed = detect("repeated_query", tmp_path, **content)
    assert [f.function for f in findings] == [STATEMENT]
    assert reasons(passed) == {"shop.views:page": Why.DUPLICATE}

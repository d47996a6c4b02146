from __future__ import annotations

import json
from typing import Any

import pytest

from burnish.testing import windows as w
from burnish_tools.collector.answers import Rejected
from burnish_tools.collector.intake import MOST_LINES, Batch, batch
from burnish_tools.runtime import limits
from tests.tools.collector.support import line


def changed(path: str, value: Any) -> str:
    """A window with one value exchanged."""
    site = "shop.models:Order.total:31"
    found = json.loads(
        line(
            calls=[w.calls("shop.views:orders", 5)],
            queries=[w.query("SELECT ?", at=site, times=4, rows=4)],
            per_call=[
                w.per_call(
                    "shop.views:orders",
                    "SELECT ?",
                    at=site,
                    executions=[2, 3],
                    driver=w.driver("SELECT", at=site, rows=[2, 3]),
                )
            ],
        )
    )
    *way, last = path.split(".")
    place = found
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return json.dumps(found)


def read(*lines: str) -> Batch:
    return batch("\n".join(lines).encode())


def test_a_bad_line_does_not_lose_the_others() -> None:
    found = read(line(0), "", "{", line(1).rstrip(), '{"format": 1}', "7", line(2))
    assert [number for number, _, _ in found.windows] == [1, 5, 8]
    assert [refusal.line for refusal in found.refused] == [4, 6, 7]
    assert "service" in found.refused[1].error


def test_a_newer_format_is_refused_with_its_message_and_to_be_kept() -> None:
    found = read(line(0), line(1, format=9))
    assert "has format 9" in found.refused[0].error
    assert [json.loads(kept)["sequence"] for kept in found.newer] == [1]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("service", "x" * (limits.NAME + 1), "service"),
        ("service", " ", "service"),
        ("instance", "", "instance"),
        ("sequence", 2**63, "sequence"),
        ("sequence", -1, "sequence"),
        ("start_unix_ns", 0, "longer than a day"),
        ("end_unix_ns", 5, "before start"),
        ("calls.0.calls", "many", "calls.0.calls"),
        ("calls", [{}] * (limits.ROWS + 1), "calls"),
    ],
)
def test_a_window_that_no_process_can_have_is_refused_by_its_name(path: str, value: Any, says: str) -> None:
    found = read(changed(path, value), line(9))
    assert says in found.refused[0].error
    assert len(found.refused[0].error) <= 500
    assert len(found.windows) == 1


@pytest.mark.parametrize(
    ("path", "value", "counted"),
    [
        ("calls.0.calls", limits.COUNT + 1, "functions"),
        ("calls.0.calls", -3, "functions"),
        ("calls.0.errors", {"ValueError": -1}, "functions"),
        ("calls.0.errors", {"E" * (limits.NAME + 1): 1}, "functions"),
        ("calls.0.callers", {str(i): 1 for i in range(limits.ROWS + 1)}, "functions"),
        ("calls.0.function", "f" * 10_000_000, "functions"),
        ("calls.0.wall.sum", float("nan"), "functions"),
        ("calls.0.wall.sum", float("inf"), "functions"),
        ("calls.0.wall.max", 1e300, "functions"),
        ("calls.0.own.offset", 2**40, "functions"),
        ("calls.0.own.scale", 30, "functions"),
        ("calls.0.own.scale", -(2**40), "functions"),
        ("calls.0.own.counts", [-1], "functions"),
        ("calls.0.own.counts", [1] * (limits.BUCKETS + 1), "functions"),
        ("calls.0.own.count", 2**62, "functions"),
        ("queries.0.rows", 10**13, "statements"),
        ("queries.0.line", 2**64, "statements"),
        ("per_call.0.time_ns", float("-inf"), "statements"),
        ("per_call.0.driver.sum_xy", float("nan"), "statements"),
        ("statements", {"a": {"text": "x" * (limits.TEXT + 1)}}, "statements"),
        ("exemplars", [{"function": "f", "sample": "uniform", "slow": False, "wall_ns": 10**30}], "exemplars"),
        ("conditions", [{"function": "f", "calls": 10**15}], "exemplars"),
    ],
)
def test_a_row_that_no_process_can_have_is_left_out_and_counted(path: str, value: Any, counted: str) -> None:
    found = read(changed(path, value))
    assert not found.refused
    (window,) = (window for _, _, window in found.windows)
    assert window.sensor.dropped[counted] == 1
    assert sum(window.sensor.dropped.values()) == 1


def test_too_many_lines_are_413_so_that_the_sender_halves_them() -> None:
    assert len(batch(b"{}\n" * MOST_LINES).refused) == MOST_LINES
    with pytest.raises(Rejected) as refused:
        batch(b"{}\n" * (MOST_LINES + 1))
    assert refused.value.status == 413


def test_the_answer_names_a_hundred_lines_and_counts_the_rest() -> None:
    answer = batch(b"{}\n" * 150).answer()
    told = json.loads(answer.body)
    assert (answer.status, len(told["refused"]), told["refused_in_all"]) == (400, 100, 150)

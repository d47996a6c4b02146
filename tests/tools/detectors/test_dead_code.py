"""Dead code: what was called, and is not, though it is still there."""

from __future__ import annotations

from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.profile import FunctionStats, Stretch
from burnish.testing import MemoryRuntime
from burnish.why import Why
from tests.tools.detectors.recorded import a_profile, function, run

DAY = 86_400 * 10**9
END = 60
LIST, OLD, TOTAL = "shop.p:list_price", "shop.p:old_discount", "shop.p:total"


def code(name: str, line: int, **more: Any) -> FunctionStats:
    return function(name, 1000, line=line, end_line=line + 10, **more)


def day(name: str, number: int, calls: int = 100) -> Stretch:
    return Stretch(
        function=name,
        entry="GET /",
        release="a",
        start_unix_ns=number * DAY,
        calls=calls,
        wall_ns=1,
        own_ns=1,
        queries=0,
        errors=0,
    )


def judged(
    before: list[FunctionStats],
    now: list[FunctionStats],
    last_called: range,
    quiet: range = range(0),
) -> tuple[list[Finding], list[Passed]]:
    """Release a ran until day 40, b since then and until day 60; `old_discount` was called on the given days."""
    a = a_profile(before, release="a", seconds=40 * 86_400)
    b = a_profile(now, release="b", start=40 * DAY, seconds=20 * 86_400)
    days = [day("", n) for n in range(END) if n not in quiet] + [day(OLD, n) for n in last_called]
    return run("dead_code", b, MemoryRuntime([a, b], history={"day": days}))


BEFORE = [code(LIST, 10), code(OLD, 22), code(TOTAL, 42)]


def test_what_is_no_longer_called_and_still_there_is_told() -> None:
    (found,), _ = judged(BEFORE, [code(LIST, 10), code(TOTAL, 42)], range(0, 18))
    assert (found.kind, found.function, found.line, found.informs) == ("dead_code", OLD, 22, True)
    assert found.seconds_per_week == 0
    assert found.evidence.since_unix_ns == 18 * DAY
    assert "last called 43 days ago, on 18 days" in found.evidence.notes[0].lower()


def test_it_may_have_moved_with_its_neighbours() -> None:
    (found,), _ = judged(BEFORE, [code(LIST, 15), code(TOTAL, 47)], range(0, 18))
    assert found.function == OLD


def test_in_the_release_that_called_it_it_is_there_for_certain() -> None:
    whole = a_profile(BEFORE, release="a", seconds=60 * 86_400)
    recent = a_profile([code(TOTAL, 42)], release="a", start=30 * DAY, seconds=30 * 86_400)

    class Dataset(MemoryRuntime):
        def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Any:
            return recent if since_unix_ns else whole

    days = [day("", n) for n in range(END)] + [day(OLD, n) for n in range(20)] + [day(LIST, n) for n in range(40)]
    findings, _ = run("dead_code", whole, Dataset([whole], history={"day": days}))
    assert [found.function for found in findings] == [OLD]


def test_what_lost_its_caller_with_a_release_that_is_old_by_now_is_told() -> None:
    a = a_profile(BEFORE, release="a", seconds=20 * 86_400)
    b = a_profile([code(LIST, 10), code(TOTAL, 42)], release="b", start=20 * DAY, seconds=40 * 86_400)
    days = [day("", n) for n in range(END)] + [day(OLD, n) for n in range(20)]
    findings, _ = run("dead_code", b, MemoryRuntime([a, b], history={"day": days}))
    assert [found.function for found in findings] == [OLD]


@pytest.mark.parametrize(
    "now, days, why",
    [
        ([code(LIST, 10), code(TOTAL, 23)], range(0, 18), Why.NOT_ENOUGH_HISTORY),
        ([code(LIST, 10)], range(0, 18), Why.NOT_ENOUGH_HISTORY),
        ([code(LIST, 10), code(TOTAL, 42)], range(17, 18), Why.RARE),
    ],
    ids=["removed: the gap is closed", "the last of its file", "ran once"],
)
def test_what_is_passed_over(now: list[FunctionStats], days: range, why: Why) -> None:
    findings, passed = judged(BEFORE, now, days)
    assert findings == []
    assert [(p.function, p.why) for p in passed] == [(OLD, why)]


@pytest.mark.parametrize(
    "now, days, quiet",
    [
        ([code(LIST, 10), code("shop.p:discount", 22, body=OLD), code(TOTAL, 42)], range(0, 18), range(0)),
        ([code("other:f", 10)], range(0, 18), range(0)),
        ([code(LIST, 10), code(TOTAL, 42)], range(0, 40), range(0)),
        ([code(LIST, 10), code(TOTAL, 42)], range(0, 18), range(45, 48)),
        ([code(LIST, 10), code(TOTAL, 42)], range(0, 18), range(0, 30)),
    ],
    ids=["renamed", "nothing of its file is called", "called on day 39", "three days without traffic", "young data"],
)
def test_what_gets_no_answer(now: list[FunctionStats], days: range, quiet: range) -> None:
    assert judged(BEFORE, now, days, quiet) == ([], [])

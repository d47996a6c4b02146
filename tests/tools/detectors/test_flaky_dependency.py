"""Flaky dependencies: failures, timeouts and retries of what a function asks of others."""

from __future__ import annotations

import random

import pytest

from burnish.why import Why
from tests.tools.detectors.recorded import a_profile, dependency, function, run, told
from tests.tools.detectors.shapes import reasons

PAY, AT = "shop.pay:charge", "shop.pay:charge:12"


def test_timeouts_cost_at_least_the_slowest_calls() -> None:
    """2,000 calls of 20 ms; 50 of them end after 5 s"""
    row = dependency(AT, 2000, [20.0] * 39 + [5000.0], errors={"ReadTimeout": 50}, timeouts=50)
    profile = a_profile([function(PAY, 2000, 150)], dependencies=[row])
    (found,), passed = run("flaky_dependency", profile, told(profile))
    assert passed == []
    assert (found.function, found.evidence.peer, found.informs) == (PAY, "stock:80", True)
    share = found.evidence.failure_share
    assert share is not None
    assert share.value == 0.025
    assert 0.01 < share.low < 0.025 < share.high < 0.04
    lost = 50 * 5e9 / 2000
    assert 0.5 * lost < found.removable_ns <= lost
    assert "50 of 2000 calls fail, 50 by timeout" in found.evidence.notes[0]


def test_quick_failures_cost_no_more_than_the_fastest_calls() -> None:
    row = dependency(AT, 1000, [1.0] * 9 + [100.0], errors={"HTTP 503": 100})
    profile = a_profile([function(PAY, 1000, 10)], dependencies=[row])
    (found,), _ = run("flaky_dependency", profile, told(profile))
    assert found.removable_ns <= 100 * 1e6 / 1000


def test_retries_count_though_nothing_fails_and_no_pause_between_them_is_told() -> None:
    row = dependency(AT, 1000, [20.0], retries=300)
    profile = a_profile([function(PAY, 1000, 25)], dependencies=[row])
    (found,), _ = run("flaky_dependency", profile, told(profile))
    text = " ".join(found.evidence.notes)
    assert "1.30 attempts per call" in text
    assert "some are tried again at once" in text


def test_a_pause_that_cannot_be_told_is_not_claimed() -> None:
    row = dependency(AT, 1000, [20.0, 400.0], retries=300)
    profile = a_profile([function(PAY, 1000, 300)], dependencies=[row])
    (found,), _ = run("flaky_dependency", profile, told(profile))
    assert "cannot be told" in " ".join(found.evidence.notes)


def test_lines_and_entries_of_one_caller_and_peer_are_one_cause() -> None:
    rows = [
        dependency(f"{PAY}:{line}", 500, errors={"HTTP 502": 20}, entries={entry: 500}, operation=operation)
        for line, entry, operation in ((3, "GET a", "GET"), (9, "GET b", "GET"), (9, "GET b", "POST"))
    ]
    profile = a_profile([function(PAY, 1500, 30)], dependencies=rows)
    (found,), _ = run("flaky_dependency", profile, told(profile))
    assert {share.entry: share.calls_per_minute for share in found.entries} == {"GET b": 100, "GET a": 50}


@pytest.mark.parametrize(
    "calls, errors, why",
    [(5000, {"HTTP 500": 20}, Why.WITHIN_NOISE), (40, {"HTTP 500": 9}, Why.NOT_ENOUGH_CALLS)],
    ids=["four in a thousand", "a few calls"],
)
def test_what_is_passed_over(calls: int, errors: dict[str, int], why: Why) -> None:
    profile = a_profile([function(PAY, calls)], dependencies=[dependency(AT, calls, errors=errors)])
    findings, passed = run("flaky_dependency", profile, told(profile))
    assert findings == []
    assert reasons(passed) == {PAY: why}


def test_a_dependency_that_works_gets_no_answer() -> None:
    profile = a_profile([function(PAY, 5000)], dependencies=[dependency(AT, 5000)])
    assert run("flaky_dependency", profile, told(profile)) == ([], [])


def test_a_caller_that_never_ended_is_passed_over() -> None:
    profile = a_profile([], dependencies=[dependency(AT, 1000, errors={"HTTP 500": 100})])
    findings, passed = run("flaky_dependency", profile, told(profile))
    assert (findings, reasons(passed)) == ([], {PAY: Why.NOT_ENOUGH_CALLS})


def test_a_dependency_that_fails_less_than_the_bound_is_rarely_reported() -> None:
    """True share 0.5 %: the interval may lie above 1 % in at most 2.5 % of runs"""
    rng, found = random.Random(3), 0
    for _ in range(200):
        errors = sum(rng.random() < 0.005 for _ in range(1500))
        profile = a_profile([], dependencies=[dependency(AT, 1500, errors={"HTTP 500": errors} if errors else None)])
        found += any(p.why is not Why.WITHIN_NOISE for p in run("flaky_dependency", profile, told(profile))[1])
    assert found <= 2

"""Repeated calls of other services and caches: who repeats them, and what they take."""

from __future__ import annotations

import random

import pytest

from burnish.why import Why
from tests.tools.detectors.recorded import a_profile, dependency, function, run, told
from tests.tools.detectors.shapes import reasons

VIEW, PRICE = "shop.views:orders", "shop.prices:price"


def test_a_loop_in_the_function_itself_is_found() -> None:
    row = dependency(f"{VIEW}:12", 1000, [4.0], kind="redis", peer="cache:6379", operation="GET")
    profile = a_profile([function(VIEW, 40, 120)], dependencies=[row])
    (found,), _ = run("n_plus_one_calls", profile, told(profile))
    assert (found.function, found.evidence.peer, found.evidence.executions_per_call) == (VIEW, "cache:6379", 25)
    assert found.removable_ns == pytest.approx(24 * 4e6, rel=0.06)
    assert found.informs
    assert "not that their number grows" in found.evidence.notes[1]


def test_the_loop_is_looked_for_outwards() -> None:
    """
    orders()   40 calls     ◀── 25 calls in each
      price()  1,000 calls      1 in each
    """
    functions = [function(VIEW, 40, 120), function(PRICE, 1000, 4, callers={VIEW: 1000})]
    profile = a_profile(functions, dependencies=[dependency(f"{PRICE}:3", 1000, [4.0])])
    (found,), _ = run("n_plus_one_calls", profile, told(profile))
    assert (found.function, found.evidence.path) == (VIEW, (VIEW, PRICE))
    assert found.evidence.site is not None
    assert found.evidence.site.function == PRICE


def test_calls_by_other_callers_do_not_count() -> None:
    """900 of 1,000 calls come from a job: orders() makes 2.5 in each, the job 45"""
    functions = [
        function(VIEW, 40, 120),
        function("shop.jobs:nightly", 20, 900),
        function(PRICE, 1000, 4, callers={VIEW: 100, "shop.jobs:nightly": 900}),
    ]
    profile = a_profile(functions, dependencies=[dependency(f"{PRICE}:3", 1000, [4.0])])
    (found,), _ = run("n_plus_one_calls", profile, told(profile), min_calls=20)
    assert found.function == "shop.jobs:nightly"
    assert found.evidence.executions_per_call == pytest.approx(45)


def test_calls_that_run_at_the_same_time_are_left_alone() -> None:
    profile = a_profile([function(VIEW, 40, 10)], dependencies=[dependency(f"{VIEW}:12", 1000, [4.0])])
    findings, passed = run("n_plus_one_calls", profile, told(profile))
    assert (findings, reasons(passed)) == ([], {VIEW: Why.ALREADY_DONE})


def test_a_few_calls_are_not_enough() -> None:
    profile = a_profile([function(VIEW, 3, 900)], dependencies=[dependency(f"{VIEW}:12", 600, [4.0])])
    findings, passed = run("n_plus_one_calls", profile, told(profile))
    assert (findings, reasons(passed)) == ([], {VIEW: Why.NOT_ENOUGH_CALLS})


def test_different_operations_are_different_questions() -> None:
    rows = [dependency(f"{VIEW}:{i}", 100, [4.0], operation=name) for i, name in enumerate(("GET", "PUT", "POST"))]
    profile = a_profile([function(VIEW, 100, 30)], dependencies=rows)
    assert run("n_plus_one_calls", profile, told(profile)) == ([], [])


def test_one_or_two_calls_in_each_are_no_repetition() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        calls = sum(rng.choice((0, 1, 1, 2)) for _ in range(300))
        functions = [function(VIEW, 300, 30, callers={"": 300})]
        profile = a_profile(functions, dependencies=[dependency(f"{VIEW}:1", calls, [4.0])])
        assert run("n_plus_one_calls", profile, told(profile)) == ([], [])

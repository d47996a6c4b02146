"""Calls of services one after the other: which cannot have overlapped, and what doing them at once would save."""

from __future__ import annotations

import random
from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.profile import DependencyStats, FunctionStats
from burnish.why import Why
from tests.tools.detectors.recorded import a_profile, dependency, function, run, told
from tests.tools.detectors.shapes import reasons

QUOTE, PRICE, STOCK = "shop.views:quote", "shop.clients:price", "shop.clients:stock"


def seen(
    functions: list[FunctionStats], rows: list[DependencyStats], **settings: Any
) -> tuple[list[Finding], list[Passed]]:
    profile = a_profile(functions, dependencies=rows)
    return run("sequential_calls", profile, told(profile), **settings)


def coroutine(name: str, calls: int, ms: float, *, own_ms: float = 1.0) -> FunctionStats:
    return function(name, calls, ms, own_ms=own_ms).model_copy(update={"kind": "coroutine"})


PRICES = dependency(f"{QUOTE}:12", 100, [24.0], peer="prices:80")
STOCKS = dependency(f"{QUOTE}:15", 100, [16.0], peer="stock:80")
RATES = dependency(f"{QUOTE}:18", 100, [4.0], kind="redis", peer="cache:6379", operation="HGETALL")


def test_three_services_one_after_the_other_are_found() -> None:
    (found,), _ = seen([function(QUOTE, 100, 46)], [PRICES, STOCKS, RATES])
    assert (found.function, found.informs) == (QUOTE, True)
    assert found.removable_ns == pytest.approx(20e6, rel=0.1)
    assert found.removable_ns <= 20e6
    assert found.evidence.site is not None
    assert found.evidence.site.line == 12
    assert "http GET prices:80 (line 12) 1.0 × 24 ms" in found.evidence.notes[0]
    assert "cannot be seen" in found.evidence.notes[2]


def test_awaits_one_after_the_other_are_found() -> None:
    """100 ms of waiting in a coroutine of 103 ms: had they overlapped, 40 ms would be unexplained."""
    rows = [dependency(f"{QUOTE}:12", 100, [60.0]), dependency(f"{QUOTE}:15", 100, [40.0], peer="other:80")]
    (found,), _ = seen([coroutine(QUOTE, 100, 103)], rows)
    assert found.removable_ns == pytest.approx(40e6, rel=0.1)


def test_functions_below_that_only_this_one_calls_are_its_steps() -> None:
    functions = [
        function(QUOTE, 100, 42, own_ms=1),
        function(PRICE, 100, 25, callers={QUOTE: 100}),
        function(STOCK, 100, 17, callers={QUOTE: 100}),
    ]
    rows = [dependency(f"{PRICE}:3", 100, [24.0]), dependency(f"{STOCK}:9", 100, [16.0], peer="stock:80")]
    (found,), _ = seen(functions, rows)
    assert found.function == QUOTE
    assert found.removable_ns == pytest.approx(16e6, rel=0.1)
    assert "shop.clients:price 1.0 × 24 ms" in found.evidence.notes[0]


def test_answers_that_vary_save_less_than_the_difference_of_means() -> None:
    """The slowest of two that vary takes longer than either does on average: the promise lies below the truth."""
    rng = random.Random(4)
    each = [[rng.gammavariate(4, 5) for _ in range(2000)] for _ in range(2)]
    rows = [dependency(f"{QUOTE}:{i}", 2000, ms, peer=f"s{i}:80") for i, ms in enumerate(each, 1)]
    both = [a + b for a, b in zip(*each, strict=True)]
    truth = (sum(both) - sum(map(max, *each))) / 2000
    (found,), _ = seen([function(QUOTE, 2000, both)], rows)
    assert 0.5 * truth < found.removable_ns / 1e6 < truth < 19


def test_calls_at_one_place_that_are_slow_together_save_no_more_than_the_truth() -> None:
    """Two calls at each of two places; both of a place take the same time: sums vary by more than single calls."""
    rng = random.Random(5)
    each = [[rng.gammavariate(9, 4) for _ in range(3000)] for _ in range(2)]
    rows = [dependency(f"{QUOTE}:{i}", 6000, 2 * ms, peer=f"s{i}:80") for i, ms in enumerate(each, 1)]
    both = [2 * a + 2 * b for a, b in zip(*each, strict=True)]
    truth = (sum(both) - sum(2 * max(a, b) for a, b in zip(*each, strict=True))) / 3000
    (found,), _ = seen([function(QUOTE, 3000, both)], rows)
    assert 0.5 * truth < found.removable_ns / 1e6 < truth


def test_calls_that_overlap_are_left_alone() -> None:
    """A gather: 40 ms of waiting in 25 ms."""
    findings, passed = seen([coroutine(QUOTE, 100, 25)], [PRICES, STOCKS])
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.ALREADY_DONE})


def test_calls_that_may_overlap_beside_other_waiting_are_left_alone() -> None:
    """A gather of 24 and 16 ms, then a sleep of 40 ms: the sum of the calls says nothing."""
    findings, passed = seen([coroutine(QUOTE, 100, 64)], [PRICES, STOCKS])
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.WAITING_UNKNOWN})


def test_alternatives_are_never_both_made() -> None:
    rows = [dependency(f"{QUOTE}:12", 50, [24.0]), dependency(f"{QUOTE}:15", 50, [24.0], peer="other:80")]
    findings, passed = seen([function(QUOTE, 100, 25)], rows)
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.NO_PATTERN})


def test_the_order_of_writes_is_meant() -> None:
    rows = [PRICES, dependency(f"{QUOTE}:15", 100, [16.0], peer="orders:80", operation="POST")]
    findings, passed = seen([function(QUOTE, 100, 42)], rows)
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.NO_PATTERN})


def test_a_loop_at_one_place_is_told_by_another_detector() -> None:
    loop = dependency(f"{QUOTE}:15", 1000, [4.0], peer="stock:80")
    findings, passed = seen([function(QUOTE, 100, 70)], [PRICES, loop])
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.DUPLICATE})


def test_a_client_that_everybody_shares_is_not_attributed() -> None:
    """Half of its calls come from elsewhere: whose were slow is not known."""
    functions = [function(QUOTE, 100, 60), function(PRICE, 400, 20, callers={QUOTE: 200, "shop.jobs:sync": 200})]
    assert seen(functions, [dependency(f"{PRICE}:3", 400, [20.0])]) == ([], [])


def test_small_calls_and_few_calls_are_left_alone() -> None:
    small = [dependency(f"{QUOTE}:{i}", 100, [0.4], kind="redis", peer="cache:6379") for i in (1, 2, 3)]
    findings, passed = seen([function(QUOTE, 100, 30)], small)
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.NOT_WORTH_IT})
    rows = [dependency(f"{QUOTE}:{i}", 5, [40.0], peer=f"s{i}:80") for i in (1, 2)]
    findings, passed = seen([function(QUOTE, 5, 90)], rows)
    assert (findings, reasons(passed)) == ([], {QUOTE: Why.NOT_ENOUGH_CALLS})


def test_functions_that_call_each_other_end() -> None:
    functions = [
        function(PRICE, 100, 60, callers={STOCK: 100}),
        function(STOCK, 100, 60, callers={PRICE: 100}),
    ]
    findings, _ = seen(functions, [dependency(f"{PRICE}:3", 100, [20.0])])
    assert findings == []

"""The comparison of windows with the truth, on windows and truths whose answer is known."""

from __future__ import annotations

from typing import Any

import pytest

from burnish.histogram import Histogram
from evals.bench.sensor.accuracy import bucket, compared, row, summed
from evals.bench.sensor.cases import CASES
from evals.bench.sensor.probes.accuracy import Function, generate, quantiles, times

NAME = "observed:busy_0"


def window(calls: int, each_ns: int, **more: Any) -> dict[str, Any]:
    """A window with one call row, and a query row of two executions."""
    wall = Histogram.of([each_ns] * calls).model_dump()
    call = {"function": NAME, "calls": calls, "errors": {"ValueError": 1}, "wall": wall, "own": wall, **more}
    return {"calls": [call], "queries": [{"function": NAME, "executions": 2}]}


def truth(calls: int, each_ns: int, errors: int = 1, queries: int = 2) -> dict[str, Any]:
    return {
        "function": NAME,
        "calls": calls,
        "outermost": calls,
        "wall_ns": calls * each_ns,
        "own_ns": None,
        "quantiles": [each_ns] * 3,
        "errors": errors,
        "queries": queries,
    }


def test_windows_add_up_and_are_compared() -> None:
    seen = summed([window(60, 5000), window(40, 5000)])[NAME]
    found = compared(truth(100, 5000, errors=2, queries=4), seen, 10, 0.0)
    assert (found.rate, found.calls, found.time, found.buckets) == (10.0, 0.0, 0.0, (0, 0, 0))
    assert found.errors
    assert found.queries
    assert not found.sampled
    assert found.covered is None


def test_what_is_wrong_is_seen_as_wrong() -> None:
    seen = summed([window(90, 10_000, rate=3.0)])[NAME]
    found = compared(truth(100, 5000, errors=3, queries=1), seen, 10, 0.0)
    assert found.calls == pytest.approx(-0.1)
    assert found.time == pytest.approx(0.8)
    assert all(off == 8 for off in found.buckets)
    assert not found.errors
    assert not found.queries
    assert found.sampled


def test_the_frame_that_a_function_cannot_log_is_added() -> None:
    seen = summed([window(100, 5200)])[NAME]
    assert compared(truth(100, 5000), seen, 10, 200.0).time == pytest.approx(0.0)


@pytest.mark.parametrize(("stated", "covered"), [(0.06, True), (0.04, False)])
def test_a_stated_error_covers_the_truth_or_not(stated: float, covered: bool) -> None:
    seen = summed([window(110, 5000, rate=2.0, calls_error=stated)])[NAME]
    assert compared(truth(100, 5000), seen, 10, 0.0).covered is covered


def test_stated_errors_of_windows_add_as_independent_ones() -> None:
    seen = summed([window(100, 5000, calls_error=0.03), window(100, 5000, calls_error=0.04)])[NAME]
    assert seen.calls_se == pytest.approx(5.0)


def test_a_function_that_was_not_seen_is_wrong_by_all_of_it() -> None:
    found = compared(truth(100, 5000, errors=0, queries=0), None, 10, 0.0)
    assert (found.calls, found.time, found.covered) == (-1.0, -1.0, None)


def test_buckets_are_those_of_the_histogram() -> None:
    for value in (1, 2, 3, 1000, 1024, 123_456):
        assert bucket(value) == Histogram.of([value]).offset


def test_a_row_names_the_worst_by_its_size() -> None:
    seen = [compared(truth(calls, 5000), summed([window(100, 5000)])[NAME], 10, 0.0) for calls in (100, 125, 95)]
    cells = row("some", seen)
    assert cells[0] == "some"
    assert cells[4] == "1"
    assert cells[5].endswith("-20.00%")


def test_every_case_can_be_generated_and_called(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    generate(tmp_path, max(len(case.loads) for case in CASES))
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("observed")
    loads = {load.kind: load for case in CASES if not case.tasks for load in case.loads}
    for number, (kind, load) in enumerate(sorted(loads.items())):
        function = Function(module, number, vars(load), seed=1)
        for _ in range(50):
            function.call(0)
        found = function.truth()
        depth = load.size if kind == "recursive" else 1
        assert found["calls"] == 50 * depth
        assert found["wall_ns"] >= 50 * depth * load.median_ns / 10
        assert (found["queries"] == 50) is (kind == "asking")
        assert 0 < found["quantiles"][0] <= found["quantiles"][2]


def test_quantiles_are_nearest_rank() -> None:
    from array import array

    assert quantiles(array("q", range(1, 101))) == [50, 90, 99]
    assert quantiles(array("q", [7])) == [7, 7, 7]


@pytest.mark.parametrize(("pattern", "inside"), [("burst", 150_000_000), ("comb", 910_000_000), ("steady", 10**9)])
def test_calls_follow_their_pattern(pattern: str, inside: int) -> None:
    import random

    at = list(times(pattern, 2000, random.Random(3)))
    assert len(at) == 2000
    assert max(at) - min(at) <= inside
    assert all(t % 100_000_000 <= 10_000_000 for t in at) is (pattern == "comb")

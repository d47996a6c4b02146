"""Recorded calls that stand for others: their weights, the error that this brings, and whose own time they were."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..queries.log import Key
from ..recording.totals import CallTotals, PerCallTotals, Totals


class Estimate:
    """Calls of a function that was sampled. ``error`` and ``time_error`` are relative standard errors: of the number
    of calls, and of their mean time (0 where it is not known by slices)."""

    __slots__ = ("calls", "error", "time_error")

    def __init__(self, calls: int, error: float = 0.0, time_error: float = 0.0) -> None:
        self.calls, self.error, self.time_error = calls, error, time_error


def merged(estimates: list[Estimate]) -> Estimate:
    """The sum of estimates of one function; their errors are independent."""
    calls = sum(estimate.calls for estimate in estimates)
    if calls <= 0:
        return Estimate(calls)
    error = sum((e.calls * e.error) ** 2 for e in estimates) ** 0.5 / calls
    time_error = sum((e.calls * e.time_error) ** 2 for e in estimates) ** 0.5 / calls
    return Estimate(calls, error, time_error)


class Weight:
    """How many calls each of the ``recorded`` calls of a function stands for in a window, at least 1; the relative
    standard errors of the number of calls and of their mean time that follow."""

    __slots__ = ("calls", "error", "recorded", "time_error")

    def __init__(self, recorded: int, whole: Estimate) -> None:
        self.recorded, self.calls = recorded, max(whole.calls / recorded, 1.0)
        self.error, self.time_error = whole.error, whole.time_error


def weighted(totals: Totals, function: int, weight: Weight | None) -> tuple[CallTotals, dict[str, Any]]:
    """The sum of exact and weighted calls, and what a reader must know of a sample: ``rate`` and ``error``.

    They are taken out of the totals, which is why memory does not grow while a window is written.
    """
    exact, sampled = totals.calls.pop(function, None), totals.sampled.pop(function, None)
    if exact is not None and sampled is None and function not in totals.supplements:
        return exact, {}
    both, recorded = CallTotals(), 0
    for part, factor in ((exact, 1.0), (sampled, weight.calls if weight is not None else 1.0)):
        if part is not None:
            recorded += part.own.count
            both.errors.update(part.errors)
            both.merge_sampled(part, factor)
    if function in totals.supplements:
        both.merge_sampled(*totals.supplements.pop(function))
    if both.own.count == recorded:
        return both, {}
    rate = round(both.own.count / recorded, 3) if recorded else 0.0
    return both, {"rate": rate, "error": _error(both, exact, sampled, weight)}


def weighted_per_call(
    totals: Totals, row: tuple[int, Key], weight: Weight | None
) -> tuple[PerCallTotals, dict[str, Any]]:
    """The same for the statements of calls: exact and weighted calls in which one ran, ``rate`` and ``error``.

    They are taken out of the totals, too.
    """
    exact, sampled = totals.per_call.pop(row, None), totals.sampled_per_call.pop(row, None)
    if sampled is None or weight is None or weight.calls <= 1:
        both = exact or PerCallTotals()
        if sampled is not None:
            both.merge(sampled)
        return both, {}
    both, recorded = PerCallTotals(), sampled.executions.count
    both.merge_sampled(sampled, weight.calls)
    of_calls = _share_error(weight, recorded)
    of_executions = math.hypot(of_calls, sampled.executions.spread() / math.sqrt(recorded))
    error = {
        "calls": math.ceil(both.executions.count * of_calls),
        "executions": math.ceil(both.executions.sum * of_executions),
    }
    if exact is not None:
        recorded += exact.executions.count
        both.merge(exact)
    return both, {"rate": round(both.executions.count / recorded, 3), "error": error}


def _share_error(weight: Weight, here: int) -> float:
    """The relative standard error of the number of calls of which ``here`` were recorded: a binomial share of all."""
    return math.hypot(weight.error, math.sqrt(max(1 - here / weight.recorded, 0.0) / here))


def _error(
    both: CallTotals, exact: CallTotals | None, sampled: CallTotals | None, weight: Weight | None
) -> dict[str, int]:
    """Standard errors of the number of calls and of the sum of wall time (ns)."""
    calls, wall = both.own.count, both.wall.sum
    if exact is not None:
        calls, wall = calls - exact.own.count, wall - exact.wall.sum
    if weight is None or sampled is None or not sampled.own.count:
        return {"calls": calls, "wall": wall}
    here = sampled.own.count
    error = _share_error(weight, here)
    time_error = weight.time_error or sampled.wall.spread() / math.sqrt(here)
    return {"calls": math.ceil(calls * error), "wall": math.ceil(wall * math.hypot(error, time_error))}


def weight_of(weights: Mapping[int, Weight], function: int) -> float:
    """How many calls each recorded call of a sampled function stands for."""
    weight = weights.get(function)
    return weight.calls if weight is not None else 1.0


def unseen_below(totals: Totals, weights: Mapping[int, Weight]) -> Counter[int]:
    """The time in ns by which the own time of each caller of sampled functions is too long.

    A call that is not recorded is part of the own time of its caller. By the recorded ones, each of which stands for
    ``weight`` calls, it is known how long those took in all.
    """
    unseen: Counter[int] = Counter()
    for function, calls in totals.sampled.items():
        weight = weights.get(function)
        if weight is not None:
            for caller, wall in calls.caller_walls.items():
                unseen[caller] += round(wall * (weight.calls - 1))
    return unseen


def without_own(calls: CallTotals, unseen: int) -> CallTotals:
    """The same calls with less own time in all: each has its share."""
    own = calls.own.sum
    if own <= 0 or unseen <= 0:
        return calls
    result = CallTotals()
    result.merge(calls)
    result.own = calls.own.stretched(max(own - unseen, 0) / own)
    return result

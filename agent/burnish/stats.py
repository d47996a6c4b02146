"""The few statistics that decisions rest on: interval estimates by bootstrap, in plain Python, seeded.

All intervals are percentile bootstrap intervals (Efron & Tibshirani 1993, ch. 13) at 95 % unless said otherwise. The
unit that is resampled is what is independent: a window of production data, a pair of processes in a benchmark, never a
single call (calls in one window share its weather).
"""

from __future__ import annotations

import math
import random
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import mul
from statistics import median
from typing import NamedTuple, TypeVar

from burnish.finding import Interval

RESAMPLES = 2000
_Z = 1.96
T = TypeVar("T")


def bootstrap(
    samples: Sequence[T],
    statistic: Callable[[Sequence[T]], float],
    rng: random.Random,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """`statistic` of `samples` with its bootstrap interval. Fewer than two samples give an infinite interval."""
    value = statistic(samples) if samples else math.nan
    if len(samples) < 2:
        return Interval(value=value, low=-math.inf, high=math.inf, n=len(samples))
    draws = [statistic(rng.choices(samples, k=len(samples))) for _ in range(resamples)]
    return _percentiles(value, draws, len(samples), confidence)


def _percentiles(value: float, draws: Sequence[float], n: int, confidence: float = 0.95, unit: float = 1.0) -> Interval:
    ordered, tail, last = sorted(draws), (1 - confidence) / 2, len(draws) - 1
    low, high = ordered[int(tail * len(draws))], ordered[min(last, int((1 - tail) * len(draws)))]
    return Interval(value=value, low=low * unit, high=high * unit, n=n)


def bootstrap_sum(values: Sequence[float], *, resamples: int = RESAMPLES) -> Interval:
    """Σ values (≥ 0) with its 95 % bootstrap interval, far faster than `bootstrap`; infinite with fewer than two."""
    value = float(sum(values))
    if len(values) < 2:
        return Interval(value=value, low=-math.inf, high=math.inf, n=len(values))
    draws, scale = _resampled(tuple(values), resamples)
    return _percentiles(value, draws, len(values), unit=1 / scale)


def bootstrap_ratio(pairs: Sequence[tuple[float, float]], *, resamples: int = RESAMPLES) -> Interval:
    """Σ numerator ÷ Σ denominator (all ≥ 0) with its 95 % bootstrap interval, far faster than `bootstrap`.

    A draw whose denominators are all 0 says nothing: it takes the value of all. Infinite with fewer than two pairs.
    """
    value = ratio_of_sums(pairs)
    if len(pairs) < 2:
        return Interval(value=value, low=-math.inf, high=math.inf, n=len(pairs))
    (above, scale), (below, other) = (_resampled(tuple(pair[i] for pair in pairs), resamples) for i in (0, 1))
    unit = other / scale  # both are powers of two, so that it may as well be applied to the two ends only
    draws = [a / b if b else value / unit for a, b in zip(above, below, strict=True)]
    return _percentiles(value, draws, len(pairs), unit=unit)


@lru_cache(maxsize=4)
def _resampled(values: tuple[float, ...], resamples: int) -> tuple[Sequence[int], float]:
    """Sums of the values (≥ 0) in each draw, times a scale: to 31 bits of the greatest sum that a draw may have, where
    the noise of 2,000 draws is ten thousand times as much. Whole numbers are exact up to there.

    The last few are kept, as a rate and a mean are often of the same windows.
    """
    draws = _draws(len(values), resamples)
    exponent = math.frexp(min(len(values) * max(values), draws.most * math.fsum(values)))[1]
    scale = 2.0 ** (31 - exponent)  # a power of two, so that whole numbers stay exact; no sum reaches 2^32
    lanes = sum(map(mul, draws.lanes, [round(value * scale) for value in values]))
    return array("I", lanes.to_bytes(4 * resamples, sys.byteorder)), scale


class _Draws(NamedTuple):
    lanes: tuple[int, ...]
    """How often each value comes in each draw: one number a value, with a draw in each 32 of its bits."""
    most: int
    """How often any value comes in any draw, at most."""


@lru_cache(maxsize=8)
def _draws(n: int, resamples: int) -> _Draws:
    """Draws of `n` out of `n` values.

    Adding up all draws is then `n` multiplications, a hundred times as fast as drawing and adding for each. Which
    function is judged plays no part in it, so that one set of draws (up to 1 MB) serves them all.
    """
    rng = random.Random(n)
    counts = [array("I", bytes(4 * resamples)) for _ in range(n)]
    for draw in range(resamples):
        for i in rng.choices(range(n), k=n):
            counts[i][draw] += 1
    lanes = tuple(int.from_bytes(each.tobytes(), sys.byteorder) for each in counts)
    return _Draws(lanes, max(map(max, counts)))


def ratio_of_sums(pairs: Sequence[tuple[float, float]]) -> float:
    """Σ numerator ÷ Σ denominator: the mean per call from (time, calls) windows."""
    below = sum(d for _, d in pairs)
    return sum(n for n, _ in pairs) / below if below else math.nan


def median_saving(ratios: Sequence[float]) -> float:
    """The share saved, from new/old ratios of interleaved pairs: 1 − exp(median log ratio)."""
    return 1 - math.exp(median(math.log(r) for r in ratios))


def bootstrap_two(
    one: Sequence[T],
    two: Sequence[T],
    statistic: Callable[[Sequence[T], Sequence[T]], float],
    rng: random.Random,
    *,
    resamples: int = RESAMPLES,
) -> Interval:
    """A statistic of two independent samples with its 95 % bootstrap interval; `n` is the smaller sample's size."""
    n = min(len(one), len(two))
    value = statistic(one, two) if n else math.nan
    if n < 2:
        return Interval(value=value, low=-math.inf, high=math.inf, n=n)
    draws = (statistic(rng.choices(one, k=len(one)), rng.choices(two, k=len(two))) for _ in range(resamples))
    known = sorted(draw for draw in draws if not math.isnan(draw))
    return Interval(value=value, low=known[int(0.025 * len(known))], high=known[int(0.975 * (len(known) - 1))], n=n)


def wilson(part: float, n: int) -> Interval:
    """The share `part` ÷ `n` with its 95 % interval by Wilson (1927), which holds for rare events and few calls, too.

    It takes the `n` calls as independent; failures that come in bursts vary more than it says.
    """
    if n <= 0:
        return Interval(value=math.nan, low=0.0, high=1.0, n=0)
    share = min(1.0, part / n)
    square = _Z**2 / n
    middle = (share + square / 2) / (1 + square)
    reach = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return Interval(value=share, low=max(0.0, middle - reach), high=min(1.0, middle + reach), n=n)

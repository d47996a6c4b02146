"""The few statistics that decisions rest on: interval estimates by bootstrap, in plain Python, seeded.

All intervals are percentile bootstrap intervals (Efron & Tibshirani 1993, ch. 13) at 95 % unless said otherwise. The
unit that is resampled is what is independent: a window of production data, a pair of processes in a benchmark, never a
single call (calls in one window share its weather).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

from burnish.job import Interval

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
    draws = sorted(statistic(rng.choices(samples, k=len(samples))) for _ in range(resamples))
    tail = (1 - confidence) / 2
    low, high = draws[int(tail * resamples)], draws[min(resamples - 1, int((1 - tail) * resamples))]
    return Interval(value=value, low=low, high=high, n=len(samples))


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

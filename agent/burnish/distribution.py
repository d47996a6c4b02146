"""Two distributions of one function, before and after: which quantiles moved, and how far the whole of it did.

The unit is the hour. Each hour's histograms are brought to the old mix of entries (each entry weighted by its share of
the calls before), then hours are resampled: their calls share the weather of the moment.

How far a distribution moved is the Wasserstein distance of order 1, the area between the two distribution functions
(Vallender 1974): in ns per call, and equal to the change of the mean where every call became slower.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from burnish.finding import Interval
from burnish.histogram import Histogram

RESAMPLES = 200
MOST_HOURS = 48
"""Hours beyond that are put together: intervals get no better, and the work stays bounded."""
QUANTILES = (0.5, 0.9, 0.99)
Hour = Mapping[str, Histogram]
"""Wall times by entry."""
Masses = list[float]


@dataclass(frozen=True)
class Quantile:
    """One quantile before and after, in ns."""

    q: float
    before: Interval
    after: Interval

    @property
    def moved(self) -> bool:
        """Whether the intervals do not meet."""
        return self.after.low > self.before.high or self.after.high < self.before.low


@dataclass(frozen=True)
class Shift:
    """What became of a distribution."""

    quantiles: tuple[Quantile, ...]
    distance_ns: float
    by_chance_ns: float
    """The distance that 95 % of relabelled hours stay below: what hours differ by anyway."""


def shift(before: Sequence[Hour], after: Sequence[Hour], rng: random.Random) -> Shift | None:
    """None with fewer than two hours on a side, or where they share no entry."""
    one, two = ([hour for hour in side if hour] for side in (before, after))
    shares = _shares(one, two)
    if min(len(one), len(two)) < 2 or not shares:
        return None
    grid = _Grid([h for hour in (*one, *two) for e, h in hour.items() if e in shares])
    old, new = ([grid.masses(block, shares) for block in _blocks(side)] for side in (one, two))
    old, new = ([masses for masses in side if any(masses)] for side in (old, new))
    if min(len(old), len(new)) < 2:
        return None
    pairs = zip(_quantiles(grid, old, rng), _quantiles(grid, new, rng), strict=True)
    both, chance = [*old, *new], list[float]()
    for _ in range(RESAMPLES):
        rng.shuffle(both)
        chance.append(grid.distance(_sum(both[: len(old)]), _sum(both[len(old) :])))
    return Shift(
        tuple(Quantile(q, *pair) for q, pair in zip(QUANTILES, pairs, strict=True)),
        grid.distance(_sum(old), _sum(new)),
        sorted(chance)[int(0.95 * RESAMPLES)],
    )


class _Grid:
    """Buckets that all the histograms have in common; the first holds zeros."""

    def __init__(self, histograms: Sequence[Histogram]) -> None:
        self._scale = min((h.scale for h in histograms if h.count), default=3)
        brought = [h.at_scale(self._scale) for h in histograms if h.counts]
        self._first = min((h.offset for h in brought), default=0)
        self._last = max((h.offset + len(h.counts) for h in brought), default=0)
        step = 2.0**-self._scale
        self.middles: Masses = [0.0, *(2.0 ** ((i + 0.5) * step) for i in range(self._first, self._last))]

    def masses(self, hour: Hour, shares: Mapping[str, float]) -> Masses:
        """The hour at the old mix; its sum is the number of calls."""
        total = [0.0] * len(self.middles)
        there = {e: h.at_scale(self._scale) for e, h in hour.items() if e in shares and h.count}
        known, calls = sum(shares[e] for e in there), sum(h.count for h in there.values())
        for entry, h in there.items():
            weight = shares[entry] / known / h.count * calls
            total[0] += weight * h.zero
            for i, n in enumerate(h.counts, h.offset - self._first + 1):
                total[i] += weight * n
        return total

    def quantile(self, masses: Masses, q: float) -> float:
        """In ns, to the bucket's middle."""
        left = q * sum(masses)
        for middle, mass in zip(self.middles, masses, strict=True):
            left -= mass
            if left <= 0:
                return middle
        return self.middles[-1]

    def distance(self, one: Masses, two: Masses) -> float:
        """∫ |F − G| in ns."""
        n, m, apart, area = sum(one), sum(two), 0.0, 0.0
        for i in range(len(one) - 1):
            apart += one[i] / n - two[i] / m
            area += abs(apart) * (self.middles[i + 1] - self.middles[i])
        return area


def _quantiles(grid: _Grid, hours: Sequence[Masses], rng: random.Random) -> list[Interval]:
    draws = [_sum(rng.choices(hours, k=len(hours))) for _ in range(RESAMPLES)]
    whole, found = _sum(hours), []
    for q in QUANTILES:
        drawn = sorted(grid.quantile(draw, q) for draw in draws)
        low, high = drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * (RESAMPLES - 1))]
        found.append(Interval(value=grid.quantile(whole, q), low=low, high=high, n=len(hours)))
    return found


def _sum(hours: Sequence[Masses]) -> Masses:
    return [sum(column) for column in zip(*hours, strict=True)]


def _shares(before: Sequence[Hour], after: Sequence[Hour]) -> dict[str, float]:
    """Share of the calls before, over the entries that are on both sides."""
    calls: dict[str, int] = {}
    for hour in before:
        for entry, h in hour.items():
            calls[entry] = calls.get(entry, 0) + h.count
    there = {entry for hour in after for entry, h in hour.items() if h.count}
    common = {entry: n for entry, n in sorted(calls.items()) if n and entry in there}
    total = sum(common.values())
    return {entry: n / total for entry, n in common.items()}


def _blocks(hours: Sequence[Hour]) -> list[Hour]:
    """At most `MOST_HOURS` neighbours put together."""
    size = math.ceil(len(hours) / MOST_HOURS)
    blocks: list[Hour] = []
    for start in range(0, len(hours), size):
        block: dict[str, Histogram] = {}
        for hour in hours[start : start + size]:
            for entry, h in hour.items():
                block[entry] = block[entry] + h if entry in block else h
        blocks.append(block)
    return blocks

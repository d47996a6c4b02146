"""OpenTelemetry's base-2 exponential histogram at scale 3, for whole numbers (nanoseconds, counts).

Bucket ``i`` counts values in ``(base**i, base**(i+1)]`` with ``base = 2 ** (2 ** -scale)``: a width of 9 %.
For a whole number ``v > base**i`` is the same as ``v > floor(base**i)``, so that the bucket of a value is one
bisection in a table of whole numbers, exact at the boundaries.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

SCALE = 3
_STEPS = 1 << SCALE
_LARGEST_POWER = 62
_MANY = 512
#: from the upper bound of a bucket to its geometric middle
_MIDDLE = 2 ** (-0.5 / _STEPS)

#: count, sum, min, max, zero, the position in ``BOUNDS`` of the first count, counts
Counts = tuple[int, int, int, int, int, int, Sequence[int]]


def _bounds() -> list[int]:
    """``floor(base ** index)`` for each index, in whole numbers.

    The 2**SCALE-th root of a power of two is SCALE square roots; those between two powers of two are taken once, with
    as many more binary digits as the largest bound needs, and shifted: a floor of a floor is exact.
    """
    roots = []
    for step in range(_STEPS):
        root = 1 << (step + _LARGEST_POWER * _STEPS)
        for _ in range(SCALE):
            root = isqrt(root)
        roots.append(root)
    return [root >> (_LARGEST_POWER - power) for power in range(_LARGEST_POWER) for root in roots]


BOUNDS: list[int] = _bounds()


def bucket(value: int) -> int:
    """The bucket index of a value > 0 (1 is in bucket -1: ``(base**-1, base**0]``)."""
    return bisect_left(BOUNDS, value) - 1


class Histogram:
    """Counts by bucket; ``count``, ``sum``, ``min`` and ``max`` are of the values as they were.

    Values wait, counted by value, until there are many different ones or the buckets are asked for: short durations
    repeat (clocks are coarse), and counting equal values runs in C.
    """

    __slots__ = ("_buckets", "_count", "_maximum", "_minimum", "_sum", "_waiting", "_zero")

    def __init__(self) -> None:
        self._waiting: Counter[int] = Counter()
        self._buckets: Counter[int] = Counter()
        self._count = self._sum = self._minimum = self._maximum = self._zero = 0

    @property
    def count(self) -> int:
        """How many values were added."""
        return self._count + sum(self._waiting.values())

    @property
    def sum(self) -> int:
        """The sum of all values."""
        self._fold()
        return self._sum

    def spread(self) -> float:
        """The standard deviation over the mean, each value taken as the middle of its bucket; 0 for an empty one."""
        self._fold()
        if self._sum <= 0:
            return 0.0
        mean = self._sum / self._count
        squares = sum(n * (BOUNDS[index] * _MIDDLE) ** 2 for index, n in self._buckets.items())
        return math.sqrt(max(squares / self._count - mean * mean, 0.0)) / mean

    def add(self, value: int) -> None:
        """Add one value, as ``extend`` does."""
        waiting = self._waiting
        waiting[value] = waiting.get(value, 0) + 1
        if len(waiting) >= _MANY:
            self._fold()

    def extend(self, values: Sequence[int]) -> None:
        """Add values; what is negative (a clock that stepped back) counts as 0."""
        self._waiting.update(values)
        if len(self._waiting) >= _MANY:
            self._fold()

    def _fold(self) -> None:
        waiting = self._waiting
        if not waiting:
            return
        self._waiting = Counter()
        self._widen(max(min(waiting), 0), max(max(waiting), 0))
        for value, count in waiting.items():
            self._count += count
            if value > 0:
                self._sum += value * count
                self._buckets[bisect_left(BOUNDS, value)] += count
            else:
                self._zero += count

    def merge(self, other: Histogram) -> None:
        """Add another histogram's counts."""
        self._fold()
        other._fold()
        if not other._count:
            return
        self._buckets.update(other._buckets)
        self._widen(other._minimum, other._maximum)
        self._count += other._count
        self._sum += other._sum
        self._zero += other._zero

    def add_counts(self, counts: Counts) -> None:
        """Add a histogram in parts, as the native recorder gives them."""
        count, total, low, high, zero, first, buckets = counts
        if not count:
            return
        self._fold()
        self._widen(low, high)
        self._count += count
        self._sum += total
        self._zero += zero
        for index, n in enumerate(buckets, first):
            if n:
                self._buckets[index] += n

    def scaled(self, count: int) -> Histogram:
        """The same distribution of ``count`` values; each bucket has its share, by largest remainders."""
        self._fold()
        result = Histogram()
        if self._count and count:
            shares = apportion({-1: self._zero, **self._buckets}, count)
            result._zero = shares.pop(-1)
            result._buckets = Counter({index: n for index, n in shares.items() if n})
            result._count, result._sum = count, round(self._sum * count / self._count)
            result._minimum, result._maximum = self._minimum, self._maximum
        return result

    def stretched(self, factor: float) -> Histogram:
        """The same number of values, each times ``factor``: whole buckets are moved, the sum is exact."""
        self._fold()
        result = Histogram()
        result._count, result._sum = self._count, round(self._sum * factor)
        result._minimum, result._maximum = round(self._minimum * factor), round(self._maximum * factor)
        result._zero = self._zero if factor > 0 else self._count
        if factor > 0:
            shift = round(math.log2(factor) * _STEPS)
            for index, n in self._buckets.items():
                result._buckets[min(max(index + shift, 0), len(BOUNDS) - 1)] += n
        return result

    def quantile(self, share: float) -> int:
        """The upper end of the bucket that holds the value at ``share`` (0 to 1) of all; 0 without values."""
        self._fold()
        rank, below = share * self._count, self._zero
        for index in sorted(self._buckets):
            below += self._buckets[index]
            if below >= rank:
                return BOUNDS[index] if index < len(BOUNDS) else self._maximum
        return 0

    def mean_and_tail(self, least: int) -> tuple[float, float]:
        """The mean, and about which share of the sum is that of values above ``least``."""
        self._fold()
        if not self._sum:
            return 0.0, 0.0
        first = bisect_left(BOUNDS, least)
        small = sum(BOUNDS[index] * count for index, count in self._buckets.items() if index <= first)
        return self._sum / self._count, max(0.0, 1 - small / self._sum)

    def _widen(self, low: int, high: int) -> None:
        """Take an interval of values in; to be called before ``count`` grows."""
        self._minimum = min(self._minimum, low) if self._count else low
        self._maximum = max(self._maximum, high)

    def to_dict(self) -> dict[str, Any]:
        """The shape of ``docs/format.md``. The table's positions are the bucket indexes plus one."""
        self._fold()
        shape: dict[str, Any] = {"scale": SCALE, "count": self._count, "sum": self._sum}
        if self._count:
            shape.update(min=self._minimum, max=self._maximum)
        shape["zero"] = self._zero
        if not self._buckets:
            shape.update(offset=0, counts=[])
            return shape
        first, last = min(self._buckets), max(self._buckets)
        count_of = self._buckets.get  # a Counter answers for what it does not hold in Python: slow
        shape.update(offset=first - 1, counts=[count_of(index, 0) for index in range(first, last + 1)])
        return shape


def apportion(counts: Mapping[int, int], total: int) -> dict[int, int]:
    """Whole numbers in proportion to ``counts`` whose sum is ``total`` (largest remainders, ties by key)."""
    every = sum(counts.values())
    if not every:
        return dict.fromkeys(counts, 0)
    shares = {key: divmod(count * total, every) for key, count in counts.items()}
    left = total - sum(whole for whole, _ in shares.values())
    largest = sorted(shares, key=lambda key: (-shares[key][1], key))[:left]
    return {key: whole + (key in largest) for key, (whole, _) in shares.items()}

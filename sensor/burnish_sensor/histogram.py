"""OpenTelemetry's base-2 exponential histogram at scale 3, for whole numbers (nanoseconds, counts).

Bucket ``i`` counts values in ``(base**i, base**(i+1)]`` with ``base = 2 ** (2 ** -scale)``: a width of 9 %.
For a whole number ``v > base**i`` is the same as ``v > floor(base**i)``, so that the bucket of a value is one
bisection in a table of whole numbers, exact at the boundaries.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

SCALE = 3
_STEPS = 1 << SCALE
_LARGEST_POWER = 62
_MANY = 512


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
        shape.update(offset=first - 1, counts=[self._buckets[index] for index in range(first, last + 1)])
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

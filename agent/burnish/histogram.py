"""Base-2 exponential histograms (OpenTelemetry's data model): what every distribution in the runtime data is.

Bucket `i` of scale `s` counts values in `(2^(i * 2^-s), 2^((i + 1) * 2^-s)]`. Two histograms merge exactly: the finer
one is brought to the coarser scale (index `>> 1` per step) and counts are added. At scale 3 a bucket is 9 % wide, so a
quantile read from it is within 4.5 % of the true one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypedDict

from pydantic import BaseModel, ConfigDict


class Histogram(BaseModel):
    """A distribution of non-negative values; `sum`, `min` and `max` are exact, quantiles are to the bucket."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    scale: int = 3
    count: int = 0
    sum: float = 0
    min: float | None = None
    max: float | None = None
    zero: int = 0
    offset: int = 0
    counts: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """The exact mean; 0 where there is nothing."""
        return self.sum / self.count if self.count else 0.0

    def quantile(self, q: float) -> float:
        """The value below which a share `q` (0–1) of the values lies; 0 where there is nothing."""
        if not self.count:
            return 0.0
        rank, seen = q * (self.count - 1), self.zero
        if rank < seen:
            return 0.0
        for i, n in enumerate(self.counts):
            seen += n
            if rank < seen:
                return self._clamp(2.0 ** ((self.offset + i + 0.5) * 2.0**-self.scale))
        return self._clamp(self.max if self.max is not None else 0.0)

    def _clamp(self, value: float) -> float:
        low = value if self.min is None else max(value, self.min)
        return low if self.max is None else min(low, self.max)

    def at_scale(self, scale: int) -> Histogram:
        """The same histogram at a coarser scale; a finer one cannot be had."""
        if scale >= self.scale:
            return self
        shift = self.scale - scale
        buckets: dict[int, int] = {}
        for i, n in enumerate(self.counts):
            if n:
                index = (self.offset + i) >> shift
                buckets[index] = buckets.get(index, 0) + n
        return self.model_copy(update={"scale": scale, **_dense(buckets)})

    def __add__(self, other: Histogram) -> Histogram:
        if not other.count:
            return self
        if not self.count:
            return other
        scale = min(self.scale, other.scale)
        one, two = self.at_scale(scale), other.at_scale(scale)
        buckets: dict[int, int] = {}
        for part in (one, two):
            for i, n in enumerate(part.counts):
                buckets[part.offset + i] = buckets.get(part.offset + i, 0) + n
        return Histogram(
            scale=scale,
            count=one.count + two.count,
            sum=one.sum + two.sum,
            min=_extreme(min, one.min, two.min),
            max=_extreme(max, one.max, two.max),
            zero=one.zero + two.zero,
            **_dense(buckets),
        )

    @classmethod
    def of(cls, values: Iterable[float], scale: int = 3) -> Histogram:
        """The histogram of some values."""
        buckets: dict[int, int] = {}
        zero, total, n = 0, 0.0, 0
        low, high = math.inf, -math.inf
        for value in values:
            n, total, low, high = n + 1, total + value, min(low, value), max(high, value)
            if value <= 0:
                zero += 1
            else:
                index = math.ceil(math.log2(value) * 2**scale) - 1
                buckets[index] = buckets.get(index, 0) + 1
        if not n:
            return cls(scale=scale)
        return cls(scale=scale, count=n, sum=total, min=low, max=high, zero=zero, **_dense(buckets))


def merged(parts: Iterable[Histogram]) -> Histogram:
    """All parts as one."""
    total = Histogram()
    for part in parts:
        total = total + part
    return total


class _Dense(TypedDict):
    offset: int
    counts: tuple[int, ...]


def _dense(buckets: dict[int, int]) -> _Dense:
    if not buckets:
        return {"offset": 0, "counts": ()}
    low, high = min(buckets), max(buckets)
    return {"offset": low, "counts": tuple(buckets.get(i, 0) for i in range(low, high + 1))}


def _extreme(choose: Callable[[list[float]], float], one: float | None, two: float | None) -> float | None:
    known = [v for v in (one, two) if v is not None]
    return choose(known) if known else None

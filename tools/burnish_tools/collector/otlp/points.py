"""Histogram points of OTLP: what was added since the last one, and as a base-2 histogram of nanoseconds.

Exponential buckets are kept: a change of unit by `u` moves the index by `log2(u) · 2^scale`, rounded at the scale of
the point, which moves values by half a bucket at most (1.6 % for seconds at scale 3, less when finer). Then they are
brought to scale 3 or coarser, which is exact.

Explicit buckets say only how many values lie between two bounds. They are spread evenly between them, as Prometheus'
`histogram_quantile` does: a quantile may be wrong by the width of the bucket, and no more. Values beyond the last bound
are put right above it. Count and sum are exact in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from burnish.histogram import Histogram

SCALE = 3
_SCALES = range(-10, 21)
_LARGEST_VALUE = 1e12
"""Seconds or milliseconds; a duration beyond it (30 years) is a mistake."""


class BadPoint(ValueError):
    """The data point contradicts itself; the message says how."""


@dataclass(frozen=True)
class Point:
    """A data point of either kind: `bounds` None for exponential buckets, which are then by index of `scale`."""

    start: int
    time: int
    count: int
    total: float
    scale: int
    zero: int
    bounds: tuple[float, ...] | None
    buckets: dict[int, int]

    def row(self) -> list[object]:
        """As values that JSON knows."""
        buckets = list(self.buckets.items())
        return [self.start, self.time, self.count, self.total, self.scale, self.zero, self.bounds, buckets]

    @classmethod
    def of_row(cls, row: list[Any]) -> Point:
        """The inverse of `row`."""
        start, time, count, total, scale, zero, bounds, buckets = row
        known = None if bounds is None else tuple(bounds)
        return cls(start, time, count, total, scale, zero, known, dict(buckets))

    def since(self, before: Point) -> Point | None:
        """What was added since `before`, a point of the same series; None where the series began anew."""
        if self.count < before.count or self.bounds != before.bounds:
            return None
        one, two = self._at(min(self.scale, before.scale)), before._at(min(self.scale, before.scale))
        buckets = {i: n - two.buckets.get(i, 0) for i, n in one.buckets.items()}
        if min(buckets.values(), default=0) < 0 or two.buckets.keys() - one.buckets.keys() or self.zero < before.zero:
            return None
        return replace(
            one,
            start=before.time,
            count=self.count - before.count,
            total=max(0.0, self.total - before.total),
            zero=self.zero - before.zero,
            buckets={i: n for i, n in buckets.items() if n},
        )

    def _at(self, scale: int) -> Point:
        if scale == self.scale or self.bounds is not None:
            return self
        buckets: dict[int, int] = {}
        for i, n in self.buckets.items():
            index = i >> (self.scale - scale)
            buckets[index] = buckets.get(index, 0) + n
        return replace(self, scale=scale, buckets=buckets)

    def histogram(self, unit: float) -> Histogram:
        """In nanoseconds; `unit` is how many the point's unit has."""
        if self.bounds is None:
            shift = round(math.log2(unit) * 2.0**self.scale)
            moved = replace(self, buckets={i + shift: n for i, n in self.buckets.items()})._at(min(self.scale, SCALE))
            scale, buckets = moved.scale, moved.buckets
        else:
            scale, buckets = SCALE, _spread(self.bounds, self.buckets, self.total / max(self.count, 1), unit)
        low = min(buckets, default=0)
        counts = tuple(buckets.get(i, 0) for i in range(low, max(buckets) + 1)) if buckets else ()
        total = self.total * unit
        return Histogram(scale=scale, count=self.count, sum=total, zero=self.zero, offset=low, counts=counts)


def of(message: HistogramDataPoint | ExponentialHistogramDataPoint) -> Point:
    """A data point of either kind. Raises BadPoint."""
    return _explicit(message) if isinstance(message, HistogramDataPoint) else _exponential(message)


def _explicit(message: HistogramDataPoint) -> Point:
    bounds, counts = tuple(message.explicit_bounds), list(message.bucket_counts)
    if counts and len(counts) != len(bounds) + 1:
        raise BadPoint(f"{len(counts)} buckets for {len(bounds)} bounds")
    if any(not one < other for one, other in pairwise(bounds)) or any(not math.isfinite(one) for one in bounds):
        raise BadPoint("the bounds do not rise")
    if not counts:
        bounds, counts = (), [message.count]
    buckets = {i: n for i, n in enumerate(counts) if n}
    return _checked(Point(*_head(message), SCALE, 0, bounds, buckets))


def _exponential(message: ExponentialHistogramDataPoint) -> Point:
    if message.scale not in _SCALES:
        raise BadPoint(f"scale {message.scale}; {_SCALES[0]} to {_SCALES[-1]} are possible")
    positive, scale = message.positive, message.scale
    reach = 1100 * 2**scale if scale >= 0 else 1100
    if positive.bucket_counts and not -reach < positive.offset <= reach - len(positive.bucket_counts):
        raise BadPoint("buckets beyond what a number can be")
    buckets = {positive.offset + i: n for i, n in enumerate(positive.bucket_counts) if n}
    # durations below 0 do not exist: they count as 0
    zero = message.zero_count + sum(message.negative.bucket_counts)
    return _checked(Point(*_head(message), scale, zero, None, buckets))


def _head(message: HistogramDataPoint | ExponentialHistogramDataPoint) -> tuple[int, int, int, float]:
    return message.start_time_unix_nano, message.time_unix_nano, message.count, message.sum


def _checked(point: Point) -> Point:
    if point.count != point.zero + sum(point.buckets.values()):
        raise BadPoint("the count is not the sum of the buckets")
    if not math.isfinite(point.total) or point.total < 0 or point.total > _LARGEST_VALUE * max(point.count, 1):
        raise BadPoint("the sum is no sum of durations")
    if not 0 < point.time < 1 << 63 or point.start > point.time:
        raise BadPoint("the time is missing, or before the start")
    return point


def _spread(bounds: tuple[float, ...], counts: dict[int, int], mean: float, unit: float) -> dict[int, int]:
    found: dict[int, int] = {}
    for i, n in counts.items():
        low = bounds[i - 1] if i else 0.0
        if not bounds:
            parts = {_index(mean * unit): n}
        elif i == len(bounds):
            parts = {_index(low * unit) + 1: n}
        else:
            parts = _even(max(low, 0.0) * unit, bounds[i] * unit, n)
        for index, part in parts.items():
            found[index] = found.get(index, 0) + part
    return found


def _even(low: float, high: float, n: int) -> dict[int, int]:
    """n values evenly between two bounds (ns): as many to each bucket as it is wide, in whole numbers."""
    if high <= 0:
        return {_index(0.0): n}
    first, last = _index(max(low, high / 1024)), _index(high)
    found: dict[int, int] = {}
    done = 0
    for index in range(first, last + 1):
        edge = min(high, 2.0 ** ((index + 1) / 2.0**SCALE))
        upto = n if index == last else round(n * max(0.0, edge - low) / (high - low))
        if upto > done:
            found[index] = upto - done
            done = upto
    return found


def _index(value: float) -> int:
    return math.ceil(math.log2(max(value, 1.0)) * 8) - 1

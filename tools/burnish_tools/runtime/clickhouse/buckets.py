"""Histograms as columns that a database adds up: `…_count`, `…_sum`, `…_min`, `…_max`, `…_zero` and `…_buckets`.

`…_buckets` is a map from a bucket's key to its count, so that `sumMap` merges two histograms exactly. The key holds the
scale beside the index: nearly all histograms have the sensor's scale, 3; those that came coarser keep theirs, and are
brought to one scale when they are read, as `Histogram.__add__` does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from burnish.histogram import Histogram
from burnish_tools.runtime.bounded import Distribution
from burnish_tools.runtime.limits import FINEST

COLUMNS: Mapping[str, tuple[str, str]] = {
    "count": ("sum", "UInt64"),
    "sum": ("sum", "Float64"),
    "min": ("min", "Nullable(Float64)"),
    "max": ("max", "Nullable(Float64)"),
    "zero": ("sum", "UInt64"),
    "buckets": ("sumMap", "Map(Int32, UInt64)"),
}
"""What is kept of a histogram: how it is merged, and its type."""
Columns = tuple[int, float, float | None, float | None, int, dict[int, int]]

_BITS = 20
_MIDDLE = 1 << (_BITS - 1)
"""Index 0; the largest float is in bucket 8191 of scale 3."""


def columns(sent: Distribution) -> Columns:
    """A histogram as values of `COLUMNS`."""
    h = sent.at_most_scale(FINEST)
    first = (FINEST - h.scale << _BITS) + _MIDDLE + max(-_MIDDLE, min(h.offset, _MIDDLE - len(h.counts)))
    buckets = {first + i: n for i, n in enumerate(h.counts) if n}
    return h.count, h.sum, h.min, h.max, h.zero, buckets


def histogram(values: Sequence[Any]) -> Histogram:
    """What `columns` made, or sums of it."""
    count, total, low, high, zero, keys = values
    if not count:
        return Histogram()
    scale = FINEST - max((key >> _BITS for key in keys), default=0)
    offset, counts = _dense(keys, scale)
    return Histogram.model_construct(
        scale=scale, count=count, sum=total, min=low, max=high, zero=zero, offset=offset, counts=counts
    )


def _dense(keys: Mapping[int, int], scale: int) -> tuple[int, tuple[int, ...]]:
    buckets: dict[int, int] = {}
    for key, n in keys.items():
        coarser, index = divmod(key, 1 << _BITS)
        place = index - _MIDDLE >> FINEST - coarser - scale
        buckets[place] = buckets.get(place, 0) + n
    if not buckets:
        return 0, ()
    low = min(buckets)
    return low, tuple(buckets.get(i, 0) for i in range(low, max(buckets) + 1))

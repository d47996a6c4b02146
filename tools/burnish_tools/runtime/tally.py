"""Adding up very many histograms: a mutable sum, and the compact form in which the dataset keeps them.

`burnish.histogram.Histogram` is a frozen value for the decisions; making one per addition costs more than the addition.
A `Tally` does the same sums in place (exactly, see the tests) and packs into 46 bytes and one, two, four or eight
bytes a bucket, whatever the largest count needs.
"""

from __future__ import annotations

import math
import struct
from array import array

from burnish.histogram import Histogram

_HEAD = struct.Struct("<bBqqdddi")
_WIDTHS = "BHIQ"


class Tally:
    """A sum of histograms."""

    __slots__ = ("buckets", "count", "high", "low", "scale", "total", "zero")

    def __init__(self) -> None:
        self.scale: int | None = None
        self.count = 0
        self.total = 0.0
        self.low, self.high = math.inf, -math.inf
        self.zero = 0
        self.buckets: dict[int, int] = {}

    def add(self, one: Histogram) -> Tally:
        """Adds a histogram."""
        low = math.inf if one.min is None else one.min
        high = -math.inf if one.max is None else one.max
        head = (one.scale, one.count, one.sum, low, high, one.zero)
        return self._add(*head, {one.offset + i: n for i, n in enumerate(one.counts) if n})

    def add_packed(self, blob: bytes) -> Tally:
        """Adds what `packed` returned."""
        scale, width, count, zero, total, low, high, offset = _HEAD.unpack_from(blob)
        counts = array(_WIDTHS[width])
        counts.frombytes(blob[_HEAD.size :])
        buckets = {offset + i: n for i, n in enumerate(counts) if n}
        return self._add(scale, count, total, low, high, zero, buckets)

    def add_tally(self, one: Tally) -> Tally:
        """Adds another tally."""
        if one.scale is None:
            return self
        return self._add(one.scale, one.count, one.total, one.low, one.high, one.zero, one.buckets)

    def _add(
        self, scale: int, count: int, total: float, low: float, high: float, zero: int, buckets: dict[int, int]
    ) -> Tally:
        if not count:
            return self
        if self.scale is None:
            self.scale, self.count, self.total, self.zero = scale, count, total, zero
            self.low, self.high, self.buckets = low, high, buckets.copy()
            return self
        if scale < self.scale:
            self.buckets, self.scale = _coarser(self.buckets, self.scale - scale), scale
        elif scale > self.scale:
            buckets = _coarser(buckets, scale - self.scale)
        self.count += count
        self.total += total
        self.zero += zero
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        mine = self.buckets
        for index, n in buckets.items():
            mine[index] = mine.get(index, 0) + n
        return self

    def packed(self) -> bytes:
        """As bytes, for the dataset."""
        offset, counts = self._dense()
        largest = max(counts, default=0)
        width = next(i for i in range(4) if largest < 1 << (8 << i))
        scale = 3 if self.scale is None else self.scale
        head = _HEAD.pack(scale, width, self.count, self.zero, self.total, self.low, self.high, offset)
        return head + array(_WIDTHS[width], counts).tobytes()

    def histogram(self) -> Histogram:
        """As a value."""
        if not self.count or self.scale is None:
            return Histogram()
        offset, counts = self._dense()
        return Histogram(
            scale=self.scale,
            count=self.count,
            sum=self.total,
            min=self.low if math.isfinite(self.low) else None,
            max=self.high if math.isfinite(self.high) else None,
            zero=self.zero,
            offset=offset,
            counts=tuple(counts),
        )

    def _dense(self) -> tuple[int, list[int]]:
        if not self.buckets:
            return 0, []
        low, high = min(self.buckets), max(self.buckets)
        get = self.buckets.get
        return low, [get(i, 0) for i in range(low, high + 1)]


def _coarser(buckets: dict[int, int], shift: int) -> dict[int, int]:
    out: dict[int, int] = {}
    for index, n in buckets.items():
        out[index >> shift] = out.get(index >> shift, 0) + n
    return out

"""Adding up very many histograms: a mutable sum, and the compact form in which the dataset keeps them.

`burnish.histogram.Histogram` is a frozen value for the decisions; making one per addition costs more than the addition.
A `Tally` does the same sums in place (exactly, see the tests) and packs into 46 bytes and one, two, four or eight
bytes a bucket, whatever the largest count needs.

The buckets are the 64-bit digits of one whole number, the lowest bucket first: adding two histograms of one scale is
then one addition of long integers, however many buckets they have. Counts stay far below
2⁶⁴, so that no bucket carries into the next.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Sequence

from burnish.histogram import Histogram

_HEAD = struct.Struct("<bBqqdddi")
_WIDTHS = "BHIQ"
_BITS = 64


class Tally:
    """A sum of histograms."""

    __slots__ = ("_buckets", "_offset", "count", "high", "low", "scale", "total", "zero")

    def __init__(self) -> None:
        self.scale: int | None = None
        self.count = 0
        self.total = 0.0
        self.low, self.high = math.inf, -math.inf
        self.zero = 0
        self._offset = 0
        self._buckets = 0

    def add(self, one: Histogram) -> Tally:
        """Adds a histogram."""
        low = math.inf if one.min is None else one.min
        high = -math.inf if one.max is None else one.max
        lanes = int.from_bytes(array("Q", one.counts).tobytes(), "little")
        return self.add_lanes(one.scale, one.count, one.sum, low, high, one.zero, one.offset, lanes)

    def add_packed(self, blob: bytes) -> Tally:
        """Adds what `packed` returned."""
        scale, width, count, zero, total, low, high, offset = _HEAD.unpack_from(blob)
        counts = array(_WIDTHS[width])
        counts.frombytes(blob[_HEAD.size :])
        lanes = int.from_bytes(array("Q", counts).tobytes(), "little")
        return self.add_lanes(scale, count, total, low, high, zero, offset, lanes)

    def add_tally(self, one: Tally) -> Tally:
        """Adds another tally."""
        if one.scale is None:
            return self
        return self.add_lanes(one.scale, one.count, one.total, one.low, one.high, one.zero, one._offset, one._buckets)

    def add_lanes(
        self, scale: int, count: int, total: float, low: float, high: float, zero: int, offset: int, lanes: int
    ) -> Tally:
        """Adds a histogram whose buckets from `offset` on are the 64-bit digits of `lanes`."""
        if not count:
            return self
        if self.scale is None:
            self.scale, self._offset, self._buckets = scale, offset, lanes
        else:
            if scale != self.scale:
                offset, lanes = self._to_one_scale(scale, offset, lanes)
            shift = (offset - self._offset) * _BITS
            if shift >= 0:
                self._buckets += lanes << shift
            else:
                self._buckets = (self._buckets << -shift) + lanes
                self._offset = offset
        self.count += count
        self.total += total
        self.zero += zero
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        return self

    def _to_one_scale(self, scale: int, offset: int, lanes: int) -> tuple[int, int]:
        mine = self.scale or 0
        if scale < mine:
            self._offset, self._buckets = _coarser(self._offset, self._buckets, mine - scale)
            self.scale = scale
            return offset, lanes
        return _coarser(offset, lanes, scale - mine)

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
        return Histogram.model_construct(
            scale=self.scale,
            count=self.count,
            sum=float(self.total),
            min=self.low if math.isfinite(self.low) else None,
            max=self.high if math.isfinite(self.high) else None,
            zero=self.zero,
            offset=offset,
            counts=tuple(counts),
        )

    def _dense(self) -> tuple[int, Sequence[int]]:
        """From the first bucket with a count to the last."""
        if not self._buckets:
            return 0, ()
        empty = ((self._buckets & -self._buckets).bit_length() - 1) // _BITS
        return self._offset + empty, _digits(self._buckets >> empty * _BITS)


def added_up(blobs: Sequence[bytes]) -> Tally:
    """The sum of packed histograms, as `Tally.add_packed` adds them one by one, several times as fast."""
    sum_of = Tally()
    for blob in blobs:
        scale, width, count, zero, total, low, high, offset = _HEAD.unpack_from(blob)
        if not count:
            continue
        lanes = int.from_bytes(_widened(blob, width), "little")
        if scale != sum_of.scale or offset < sum_of._offset:
            sum_of.add_lanes(scale, count, total, low, high, zero, offset, lanes)
            continue
        sum_of._buckets += lanes << (offset - sum_of._offset) * _BITS
        sum_of.count += count
        sum_of.total += total
        sum_of.zero += zero
        sum_of.low = min(sum_of.low, low)
        sum_of.high = max(sum_of.high, high)
    return sum_of


def _widened(blob: bytes, width: int) -> bytes | bytearray:
    """The counts of a packed histogram with eight bytes each, the lowest first."""
    packed, each = blob[_HEAD.size :], 1 << width
    if each == _BITS // 8:
        return packed
    wide = bytearray(len(packed) // each * (_BITS // 8))
    for i in range(each):
        wide[i :: _BITS // 8] = packed[i::each]
    return wide


def _digits(lanes: int) -> array[int]:
    counts = array("Q")
    counts.frombytes(lanes.to_bytes(-(-lanes.bit_length() // _BITS) * 8, "little"))
    return counts


def _coarser(offset: int, lanes: int, shift: int) -> tuple[int, int]:
    buckets: dict[int, int] = {}
    for i, n in enumerate(_digits(lanes), offset):
        buckets[i >> shift] = buckets.get(i >> shift, 0) + n
    if not buckets:
        return 0, 0
    low = min(buckets)
    dense = array("Q", [buckets.get(i, 0) for i in range(low, max(buckets) + 1)])
    return low, int.from_bytes(dense.tobytes(), "little")

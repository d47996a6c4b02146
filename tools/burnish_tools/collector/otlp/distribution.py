"""A histogram that is being filled: whole numbers, so that its sums do not depend on the order."""

from __future__ import annotations

import math

SCALE = 3


class Distribution:
    """Values in base-2 exponential buckets of scale 3 (`burnish.histogram`), recorded one by one."""

    __slots__ = ("buckets", "count", "high", "low", "total", "zero")

    def __init__(self) -> None:
        self.count = self.total = self.zero = self.high = 0
        self.low = -1
        self.buckets: dict[int, int] = {}

    def record(self, value: int) -> None:
        """One value; below 0 counts as 0."""
        self.count += 1
        if value > 0:
            self.total += value
            index = math.ceil(math.log2(value) * 8) - 1
            self.buckets[index] = self.buckets.get(index, 0) + 1
        else:
            value = 0
            self.zero += 1
        if value < self.low or self.low < 0:
            self.low = value
        self.high = max(self.high, value)

    def row(self) -> dict[str, object]:
        """As in the window format."""
        if not self.count:
            return {}
        low = min(self.buckets, default=0)
        counts = [self.buckets.get(i, 0) for i in range(low, max(self.buckets) + 1)] if self.buckets else []
        return {
            "scale": SCALE, "count": self.count, "sum": self.total, "min": self.low, "max": self.high,
            "zero": self.zero, "offset": low, "counts": counts,
        }  # fmt: skip

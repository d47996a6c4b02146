"""Bounds for the time of some of the calls of a distribution, where it is not known which."""

from __future__ import annotations

from burnish.histogram import Histogram


def lowest_ns(wall: Histogram, n: float) -> float:
    """The least time that `n` of the calls can have taken: that of the fastest, at the lower ends of their buckets."""
    left, total = min(n, wall.count) - wall.zero, 0.0
    step: float = 2.0**-wall.scale
    for i, count in enumerate(wall.counts):
        if left <= 0:
            break
        total += min(left, count) * 2.0 ** ((wall.offset + i) * step)
        left -= count
    return total


def highest_ns(wall: Histogram, n: float) -> float:
    """The time of the `n` slowest calls, at the lower ends of their buckets."""
    left, total = min(n, wall.count), 0.0
    step: float = 2.0**-wall.scale
    for i in range(len(wall.counts) - 1, -1, -1):
        if left <= 0:
            break
        total += min(left, wall.counts[i]) * 2.0 ** ((wall.offset + i) * step)
        left -= wall.counts[i]
    return total


def at_least(wall: Histogram, ns: float) -> int:
    """How many calls may have taken `ns` or more: those in buckets that end above it."""
    step: float = 2.0**-wall.scale
    return sum(n for i, n in enumerate(wall.counts) if 2.0 ** ((wall.offset + i + 1) * step) >= ns)

"""Functions with a few calls that are far slower than usual, found by plain numbers: who is looked at more closely."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import NamedTuple

from burnish.histogram import Histogram
from burnish.profile import FunctionStats, Profile

_LOOKED_AT = 300
"""Functions whose distribution is read: those with the most time, for a tail is a part of it."""


class Tail(NamedTuple):
    """A function with the time (ns) that its calls beyond several medians take."""

    stats: FunctionStats
    ns: float


def tails(
    profile: Profile, *, min_calls: int, times: float, min_ms: float, min_ms_per_minute: float, most: int
) -> list[Tail]:
    """Functions with a slowest call of `min_ms` and `times` the mean, and `min_ms_per_minute` beyond `times` the
    median: the `most` with the longest tails.

    Linear in the functions; distributions are read for the 300 with the most time.
    """
    floor = min_ms_per_minute * 1e6 * profile.minutes
    heavy = _heavy(profile.functions, min_calls, times, min_ms * 1e6, floor)
    largest = nlargest(_LOOKED_AT, heavy, key=lambda stats: (stats.wall.sum, stats.function))
    found = (Tail(stats, tail_ns(stats.wall, times)) for stats in largest)
    return nlargest(most, (tail for tail in found if tail.ns >= floor), key=lambda tail: (tail.ns, tail.stats.function))


def _heavy(
    functions: Iterable[FunctionStats], min_calls: int, times: float, min_ns: float, floor: float
) -> Iterator[FunctionStats]:
    for stats in functions:
        wall = stats.wall
        if stats.calls < min_calls or wall.sum < floor or wall.max is None:
            continue
        if wall.max >= min_ns and wall.max * wall.count >= times * wall.sum:
            yield stats


def tail_ns(wall: Histogram, times: float) -> float:
    """Time in buckets that lie beyond `times` the median, at the buckets' middles."""
    bound = times * wall.quantile(0.5)
    step: float = 2.0**-wall.scale
    middles = ((2.0 ** ((wall.offset + i + 0.5) * step), n) for i, n in enumerate(wall.counts) if n)
    return math.fsum(middle * n for middle, n in middles if middle > bound)

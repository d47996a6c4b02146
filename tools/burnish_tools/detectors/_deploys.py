"""The first minutes of releases against the hour after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from burnish.profile import Point, Release
from burnish.protocols import Runtime

MINUTE_NS = 60_000_000_000
_SETTLED = (1.5, 7.5)
"""The span that is compared with, in first spans: minutes 15 to 75 where the first span is 10 minutes."""
Sums = dict[str, tuple[int, float]]
"""Calls and time (ns) by entry."""


class Start(NamedTuple):
    """How a release began: time per call ÷ that of the same entries afterwards, and the time beyond it by entry."""

    release: str
    ratio: float
    excess_ns: Mapping[str, float]
    calm: tuple[float, ...]
    """The same ratio for spans of equal length in the hour afterwards, each against the rest: how it varies anyway."""


def starts(runtime: Runtime, releases: Sequence[Release], *, minutes: float, min_calls: int) -> Iterator[Start]:
    """Of the releases with enough calls in both spans."""
    first = minutes * MINUTE_NS
    for release in releases:
        points = runtime.entry_series(release.name).points
        slices: dict[int, list[Point]] = {}
        for point in points:
            slices.setdefault(int((point.start_unix_ns - release.first_unix_ns) / first * 2), []).append(point)
        warm = _sums(slices, range(0, 2))
        settled = _sums(slices, range(int(2 * _SETTLED[0]), int(2 * _SETTLED[1])))
        ratio, excess = _compared(warm, settled, min_calls)
        if ratio:
            yield Start(release.name, ratio, excess, tuple(_calm(slices, min_calls)))


def _calm(slices: Mapping[int, list[Point]], min_calls: int) -> Iterator[float]:
    low, high = int(2 * _SETTLED[0]), int(2 * _SETTLED[1])
    for i in range(low, high - 1, 2):
        ratio, _ = _compared(
            _sums(slices, range(i, i + 2)),
            _sums(slices, [j for j in range(low, high) if j not in (i, i + 1)]),
            min_calls,
        )
        if ratio:
            yield ratio


def _sums(slices: Mapping[int, list[Point]], which: Sequence[int]) -> Sums:
    found: Sums = {}
    for point in (point for i in which for point in slices.get(i, ())):
        calls, time = found.get(point.entry, (0, 0.0))
        found[point.entry] = calls + point.calls, time + point.wall_ns
    return found


def _compared(some: Sums, others: Sums, min_calls: int) -> tuple[float, dict[str, float]]:
    """Time ÷ that of the same calls by entry at the others' means, and the difference by entry; 0 with few calls."""
    both = [e for e in sorted(some) if e in others and others[e][0] and others[e][1]]
    if sum(some[e][0] for e in both) < min_calls or sum(others[e][0] for e in both) < min_calls:
        return 0.0, {}
    expected = {e: some[e][0] * others[e][1] / others[e][0] for e in both}
    return sum(some[e][1] for e in both) / sum(expected.values()), {e: some[e][1] - expected[e] for e in both}

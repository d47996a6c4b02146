"""Cumulative series as what was added: each needs its last point, and a rule for its first.

A series is told by its source, metric, attributes and start time: a process that starts anew, or two that send under
one name, are different series. The first point of one counts in full if the series began when the collector already
listened, as nothing of it can have been counted before. Otherwise it is only what the next one is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from burnish_tools.collector.otlp.points import Point

_SEEN = 16


class Streams:
    """The last points; `since` (Unix ns) is when the collector began to listen."""

    def __init__(self, since: int, capacity: int) -> None:
        self._since, self._capacity = since, capacity
        self._last: dict[str, Point] = {}
        self._seen: dict[str, list[tuple[int, int]]] = {}

    def cumulative(self, key: str, point: Point) -> tuple[str, Point | None]:
        """The series' key, and what was added; None where that is nothing, or not known."""
        key = f"{key}:{point.start:x}"
        before = self._last.get(key)
        if before is None:
            return key, point if point.start and point.start >= self._since else None
        if point.time <= before.time:
            return key, None
        return key, point.since(before) or (None if point.count == before.count else point)

    def is_new(self, key: str, point: Point) -> bool:
        """Whether this point of a series of differences did not come before."""
        return (point.start, point.time) not in self._seen.get(key, ())

    def keep(self, key: str, row: list[Any]) -> None:
        """The last point of a cumulative series (a row of it), or start and end of a difference."""
        if len(row) == 2:
            self._seen[key] = [*self._seen.pop(key, [])[1 - _SEEN :], (row[0], row[1])]
        else:
            point = Point.of_row(row)
            before = self._last.pop(key, None)
            self._last[key] = before if before is not None and before.time > point.time else point
        self._bound()

    def rows(self) -> Iterable[tuple[str, list[Any]]]:
        """All, as `keep` takes them."""
        yield from ((key, point.row()) for key, point in self._last.items())
        yield from ((key, [start, time]) for key, seen in self._seen.items() for start, time in seen)

    @property
    def since(self) -> int:
        """From when on the first point of a series counts in full."""
        return self._since

    def listening_since(self, time: int) -> None:
        """The collector that left its last points has listened since then."""
        self._since = time

    def _bound(self) -> None:
        while len(self._last) > self._capacity:
            forgotten = self._last.pop(next(iter(self._last)))
            self._since = max(self._since, forgotten.start + 1)
        while len(self._seen) > self._capacity:
            self._seen.pop(next(iter(self._seen)))

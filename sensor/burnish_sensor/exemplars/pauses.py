"""When the garbage collector stopped the program: a ring of its recent pauses, compared with a call when that is asked.

Python calls back around each collection, also the short ones of the youngest generation, at a cost of about a
microsecond. Where collections are so frequent that this would be felt, the ring is taken out until they are rarer.
"""

from __future__ import annotations

import gc
from collections import deque
from typing import Any, Callable

_PAUSES = 64
#: what is shorter explains nothing in calls of 100 µs and more, and would push the long ones out of the ring
_SHORTEST_NS = 20_000
#: at about 1 µs for each collection: 0.05 % of one CPU
_MOST_PER_SECOND = 500
_SECOND = 1_000_000_000


class Pauses:
    """The ring. ``clock`` returns ns, the same as that of the calls it is compared with."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._ring: deque[tuple[int, int]] = deque(maxlen=_PAUSES)
        self._begun: int | None = None
        self._wanted = False
        #: since when every pause is in the ring; None while it is taken out
        self._since: int | None = None
        self._collections, self._asked = _collections(), clock()
        self._heard = self._hear  # one object, so that it can be found in the list again

    def start(self) -> None:
        """Begin to listen."""
        self._wanted = True
        self._since = self._clock()
        if self._heard not in gc.callbacks:
            gc.callbacks.append(self._heard)

    def stop(self) -> None:
        """Listen no more."""
        self._wanted = False
        self._take_out()

    def _take_out(self) -> None:
        self._since = None
        try:
            gc.callbacks.remove(self._heard)
        except ValueError:  # somebody cleared the list
            pass

    def review(self) -> None:
        """Listen or not, by how frequent collections were since this was last asked. For the flush thread."""
        now, collections = self._clock(), _collections()
        seconds = (now - self._asked) / _SECOND
        if seconds < 1:
            return
        rate = (collections - self._collections) / seconds
        self._collections, self._asked = collections, now
        if rate > _MOST_PER_SECOND:
            self._take_out()
        elif self._wanted and self._since is None and rate < _MOST_PER_SECOND / 2:
            self.start()

    def _hear(self, phase: str, info: dict[str, Any]) -> None:
        now = self._clock()
        if phase == "start":
            self._begun = now
        elif self._begun is not None:
            if now - self._begun >= _SHORTEST_NS:
                self._ring.append((self._begun, now))
            self._begun = None

    def within(self, start: int, end: int) -> int | None:
        """The ns of pauses between two times; None where the ring was not listening all the while."""
        if self._since is None or self._since > start:
            return None
        paused, recent = 0, list(self._ring)
        while recent:  # the newest first: most calls are shorter than the time since the last pause
            begun, stopped = recent.pop()
            if stopped <= start:
                break
            paused += max(0, min(end, stopped) - max(start, begun))
        return paused


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())

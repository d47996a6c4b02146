"""From when on a call of a function is slow, and how many of its calls are looked at.

*Slow* is what is above the 95th percentile of the function's recent wall times (64 of them at least, for there the
percentile is the fourth largest): the tail is what explanations are wanted for, and one call in twenty is seldom enough
to be looked at; of a function with many calls the percentile is so high that some 64 of a window are above. It is
100 µs at least, below which the machine's own weather (interrupts, caches, the scheduler) is as large as any condition.
Until enough is known it is 1 ms.

*The even sample* is about four calls of each function in a window, fewer where there are so many functions that this
would take more than half of the limit: over an hour that is still more than a thousand of each, enough for the rate of
a condition to be known within 3 %. Functions below 20 µs in the mean are left out, as looking at a call takes half of
that, unless they are entries, whose rates are the first thing that is asked for; and they get a threshold only where
calls above 100 µs take a tenth of their time. Of functions that the native core writes itself only those are looked at
that have a trigger, are entries, take 20 µs in the mean, or had a call of 100 µs (1 ms where there are many).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from ..recording.histogram import Counts, Histogram
from ..recording.triggers import FIRST_SLOW_NS

if TYPE_CHECKING:
    from ..recording.totals import CallTotals
    from ..windows.window import Window

SLOW_SHARE = 0.95
LEAST_CALLS = 64
_SLOW_PER_WINDOW = 64
LEAST_SLOW_NS = 100_000
_LEAST_MEAN_NS = 20_000
_TAIL = 0.1
_EVEN_PER_WINDOW = 4
_MOST_FUNCTIONS = 1_000
_MOST_TRIGGERS = 5_000
_NONE = (0, 0)
#: of a distribution that grew to this many calls the older half counts no more
_RECENT_CALLS = 1_024
#: a threshold is moved when it is off by more than this: each move mixes two definitions of slow in one window
_OFF = 0.1

SetTrigger = Callable[[int, int, int], None]


class _Recent:
    """What is known of one function: wall times, calls in this window so far, whether it is what an entry calls.

    A library may call many functions of the application in an entry; that it calls at most once, the entry is.
    """

    __slots__ = ("calls", "is_entry", "wall")

    def __init__(self) -> None:
        self.wall, self.calls, self.is_entry = Histogram(), 0, False

    def add(self, totals: CallTotals, entries: int) -> None:
        self.wall.merge(totals.wall)
        self._note(totals.wall.count, totals.callers[0], entries)

    def add_counts(self, wall: Counts, outside: int, entries: int) -> None:
        """The same; ``outside``: how many of the calls no function of the application made."""
        self.wall.add_counts(wall)
        self._note(wall[0], outside, entries)

    def _note(self, calls: int, outside: int, entries: int) -> None:
        self.calls += calls
        self.is_entry = self.is_entry or 0 < outside <= entries


class Thresholds:
    """Sets the triggers of the recorder by what windows hold. ``most`` even samples are wanted in one window."""

    def __init__(self, set_trigger: SetTrigger, most: float) -> None:
        self._set_trigger, self._most = set_trigger, most
        self._known: dict[int, Histogram] = {}
        #: (slow_ns, every) as they were set, by function
        self.triggers: dict[int, tuple[int, int]] = {}
        self._count = 0

    def slow_ns(self, function: int) -> int:
        """From when on a call is slow now; 0: never."""
        return self.triggers.get(function, (FIRST_SLOW_NS, 0))[0]

    def every(self, function: int) -> int:
        """One in so many calls is in the even sample now; 0: none."""
        return self.triggers.get(function, (0, 0))[1]

    def review(self, window: Window, elapsed: float, last: bool) -> None:
        """Set the triggers anew. ``elapsed`` is the share of the window that has passed.

        Before its end only functions that have none yet get one: what is slow should mean one thing in a window.
        """
        found = self._gathered(window, last)
        even = sum(1 for recent in found.values() if _wants_even(recent))
        each = min(_EVEN_PER_WINDOW, self._most / even) if even else 0.0
        for function, recent in found.items():
            self._set(function, self._slow(function, recent), _every(recent, each, max(elapsed, 0.01)))
        if last:
            self._remember(found)

    def _gathered(self, window: Window, last: bool) -> dict[int, _Recent]:
        found: dict[int, _Recent] = {}
        for name, totals in window.totals.items():
            entries = window.entries[name].wall.count if name in window.entries else 0
            for table in (totals.calls, totals.sampled):
                for function, calls in table.items():
                    if last or function not in self.triggers:
                        found.setdefault(function, _Recent()).add(calls, entries)
        if window.rows is not None:
            for name, function, outside, wall in window.rows.seen():
                entries = window.entries[name].wall.count if name in window.entries else 0
                found.setdefault(function, _Recent()).add_counts(wall, outside, entries)
        for function, recent in found.items():
            if function in self._known:
                recent.wall.merge(self._known[function])
        return found

    def _slow(self, function: int, recent: _Recent) -> int:
        mean, tail = recent.wall.mean_and_tail(LEAST_SLOW_NS)
        if recent.wall.count < LEAST_CALLS:
            return FIRST_SLOW_NS
        if mean < _LEAST_MEAN_NS and tail < _TAIL:
            return 0
        share = max(SLOW_SHARE, 1 - _SLOW_PER_WINDOW / max(recent.calls, 1))
        slow = max(recent.wall.quantile(share), LEAST_SLOW_NS)
        before = self.slow_ns(function)
        return before if function in self.triggers and abs(slow - before) < _OFF * before else slow

    def _set(self, function: int, slow_ns: int, every: int) -> None:
        before = self.triggers.get(function)
        if before is not None and before[1] and abs(every - before[1]) < before[1] / 2:
            every = before[1]
        wanted = (slow_ns, every) if slow_ns or every else _NONE
        if wanted != before and (wanted is _NONE or before not in (None, _NONE) or self._count < _MOST_TRIGGERS):
            self._count += (wanted is not _NONE) - (before not in (None, _NONE))
            self._set_trigger(function, slow_ns, every)
            self.triggers[function] = wanted

    def _remember(self, found: dict[int, _Recent]) -> None:
        """Keep the distributions of the functions that take most of the time."""
        for function, recent in found.items():
            if recent.wall.count > _RECENT_CALLS:
                recent.wall = recent.wall.scaled(_RECENT_CALLS // 2)
            self._known[function] = recent.wall
        if len(self._known) > _MOST_FUNCTIONS:
            dearest = sorted(self._known, key=lambda function: -self._known[function].sum)[:_MOST_FUNCTIONS]
            for function in set(self._known) - set(dearest):
                del self._known[function]


def _wants_even(recent: _Recent) -> bool:
    return recent.is_entry or recent.wall.mean_and_tail(LEAST_SLOW_NS)[0] >= _LEAST_MEAN_NS


def _every(recent: _Recent, each: float, elapsed: float) -> int:
    if not _wants_even(recent):
        return 0
    return max(1, round(recent.calls / elapsed / each))

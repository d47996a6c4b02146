"""For functions of which a window has calls that were counted, but none that was recorded: the latest known shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable

from ..recording.totals import CallTotals
from .window import Window

#: number of the function, by name of the entry
_Shape = dict[str, CallTotals]


class Shapes:
    """What each sampled function looked like in the latest window in which calls of it were recorded."""

    def __init__(self) -> None:
        self._known: dict[int, _Shape] = {}

    def complete(
        self, window: Window, take: Callable[[Iterable[int]], dict[int, int]], tracked: frozenset[int]
    ) -> None:
        """Give the calls that only were counted the latest shape.

        ``take`` returns their number by function; ``tracked`` are the functions that may have such calls, now or later.
        """
        self._note(window, tracked)
        for function, calls in take(self._known).items():
            shape = self._known[function]
            every = sum(totals.own.count for totals in shape.values())
            for entry, totals in shape.items():
                window.totals_of(entry).supplements[function] = (totals, calls / every)
        for function in set(self._known) - tracked:
            del self._known[function]

    def _note(self, window: Window, tracked: frozenset[int]) -> None:
        found: dict[int, _Shape] = {}
        for entry, totals in window.totals.items():
            for table in (totals.calls, totals.sampled):
                for function in tracked & table.keys():
                    if table[function].own.count:
                        found.setdefault(function, {}).setdefault(entry, CallTotals()).merge(table[function])
        self._known.update(found)

"""Call rows of a window that the native core holds until they are written, and writes itself (``_json.h``).

What else looks at calls is told of them here: which functions are to be looked at (``Thresholds``), and how many calls
a function had. Rows of functions that were sampled, and of the callers of these, are given out as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from .histogram import Counts

#: rows gone through or written in one step: less than 1 ms in which the GIL is held
_SCANNED, _APART, _WRITTEN, _DROPPED = 2_000, 500, 64, 2_000
_FUNCTIONS = 2_000
#: calls as long as this make the thresholds look at a function: 100 µs is the least threshold there is (thresholds.py);
#: where there are many functions, 1 ms, the first threshold
_LONG_NS, _LONG_OF_MANY_NS = 100_000, 1_000_000
_MANY_ROWS = 2_000
#: entry, function, sampled, calls, callers with calls and wall time, wall, own, errors
ApartRow = tuple[str, int, bool, int, dict[int, tuple[int, int]], Counts, Counts, dict[str, int]]


class CoreRows:
    """The rows of one window. ``entries`` tells how many entries of a name ended."""

    def __init__(self, core: Any, apart: frozenset[int], entries: Callable[[str], int]) -> None:
        self._core = core
        while core.drop_rows(_DROPPED):  # of a window that could not be written
            pass
        self.names: list[str] = []
        rows = 0
        for name, n in core.open_rows():
            self.names.append(name)
            rows += n
        for function in apart:
            core.set_apart(function)
        long_ns = _LONG_OF_MANY_NS if rows > _MANY_ROWS else _LONG_NS
        #: how many calls were recorded
        self.calls = 0
        for place, name in enumerate(self.names):
            for calls in self._steps(core.scan_rows, place, _SCANNED, entries(name), long_ns):
                self.calls += calls

    @staticmethod
    def _steps(step: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        return iter(lambda: step(*arguments), None)

    def apart(self, place: int, everything: bool) -> Iterator[list[ApartRow]]:
        """Of the table at ``place`` in ``names`` the rows that are not written here. To be asked for each first."""
        return self._steps(self._core.apart_rows, place, _APART, everything)

    def seen(self) -> Iterator[tuple[str, int, int, Counts]]:
        """Entry, function, calls that no function of the application made, and wall times, of those to be looked at."""
        for place, name in enumerate(self.names):
            for rows in self._steps(self._core.seen_rows, place, _APART):
                for row in rows:
                    yield (name, *row)

    def calls_of(self, function: int) -> int:
        """The calls of a function that have a wall time, in the rows that are written here."""
        calls: int = self._core.calls_of(function)
        return calls

    def texts(self, entry: str, functions: list[Any]) -> Iterator[str]:
        """The rows of an entry in JSON, with commas between them; they are given up. ``functions``: the registry's."""
        for place, name in enumerate(self.names):
            if name == entry:
                while text := self._core.write_rows(place, _WRITTEN, functions):
                    yield text

    def mentioned(self) -> Iterator[list[int]]:
        """The functions that were named in what was written."""
        first = 0
        while (found := self._core.mentioned(first, _FUNCTIONS)) is not None:
            yield found
            first += _FUNCTIONS

    def close(self) -> None:
        """Give up what was not written."""
        while self._core.drop_rows(_DROPPED):
            pass

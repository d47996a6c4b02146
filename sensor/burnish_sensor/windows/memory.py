"""Keeps what the sensor holds of an application under ``BURNISH_MEMORY_MB``, by recording less of it.

What is held is asked of the native core, and estimated for the rest: rows and functions times what one takes (by
tracemalloc, on CPython 3.12). Once a second; beyond the bound one more kind of detail is given up, the least needed
first: exemplars, new rows of statements per call, new callers of known functions, new call rows. Each window begins
with one kind less given up. Without the native core the last two are bounded by their number alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from ..mechanisms.registry import Registry
from ..notice import Notices
from ..queries.statements import Statements
from ..recording.calls import Calls
from .window import Window

if TYPE_CHECKING:
    from ..exemplars.exemplars import Exemplars

#: bytes; the core's own rows are measured
_CALL_ROW, _ROW, _FUNCTION, _STATEMENT, _EXEMPLAR = 1_900, 1_100, 300, 500, 2_000
_EVERY_NS = 1_000_000_000
_MEGABYTE = 1_000_000
EXEMPLARS, PER_CALL, CALLERS, CALLS = 1, 2, 3, 4


class MemoryBound:
    """For one process. ``clock`` returns ns. ``level`` is the last kind of detail that is given up; 0: nothing is."""

    def __init__(
        self, megabytes: float, recorder: Calls, registry: Registry, statements: Statements, clock: Callable[[], int]
    ) -> None:
        self._bound, self._clock = int(megabytes * _MEGABYTE), clock
        self._recorder, self._registry, self._statements = recorder, registry, statements
        self.level = 0
        self._next = clock()

    def check(self, window: Window, exemplars: Exemplars | None, notices: Notices) -> None:
        """Give up more where too much is held, at most once a second."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY_NS
        if self.level < CALLS and self.held(window, exemplars) > self._bound:
            self._give_up(self.level + 1, window, exemplars)
            notices.say(
                "memory",
                f"the sensor would hold more than {self._bound // _MEGABYTE} MB: it records less detail, exemplars "
                "first. Set BURNISH_MEMORY_MB for more.",
            )

    def next_window(self, window: Window, exemplars: Exemplars | None) -> None:
        """A window begins, with little in it: one kind of detail is recorded again."""
        if self.level:
            self._give_up(self.level - 1, window, exemplars)

    def _give_up(self, level: int, window: Window, exemplars: Exemplars | None) -> None:
        self.level = level
        if exemplars is not None:
            exemplars.paused = level >= EXEMPLARS
        if level >= PER_CALL:
            window.no_more_per_call()
        self._recorder.narrow(max(level - PER_CALL, 0))

    def held(self, window: Window, exemplars: Exemplars | None) -> int:
        """About how many bytes are held now."""
        held = self._recorder.memory() + len(self._registry.functions) * _FUNCTION + len(self._statements) * _STATEMENT
        for totals in list(window.totals.values()):
            held += (len(totals.calls) + len(totals.sampled)) * _CALL_ROW
            held += (len(totals.queries) + len(totals.dependencies)) * _ROW
            held += (len(totals.per_call) + len(totals.sampled_per_call)) * _ROW
        return held + (exemplars.kept() * _EXEMPLAR if exemplars is not None else 0)

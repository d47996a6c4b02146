"""What the hot path must know of functions that are sampled: those that mostly run code that does not report.

Such a call is not on the shadow stack. Who is called by it would seem to be called by the function below, and a
recursion that began in it would seem to begin later; so the real stack is asked, on this careful path only.
"""

from __future__ import annotations

import sys
from collections import Counter
from sys import _getframe
from types import CodeType, FrameType
from typing import Callable

from ..mechanisms.switch import FRAME, TIMED
from .context import CHILD, EDGE, OVERHEAD, PARENT, CallGraph, Edge, Frame

#: exceptions that are how iteration ends, not errors
PROTOCOL = (StopIteration, StopAsyncIteration, GeneratorExit)
_CALLS_PER_PHASE = 256
FRAMES_TO_CALLER = 40
#: how close a function is to statements: one ran in a call of it; no other of the application was nearer to one
ABOVE, CALL_SITE = 1, 2
_FRAMES_TO_OUTERMOST = 400


class Sampling:
    """The functions that are sampled now. ``numbers_of_code`` knows their code that does not report.

    Of what runs at the end of a counting phase of theirs nothing is known here; a timed phase is over, and ``over``
    called, after a number of recorded calls.
    """

    def __init__(self, graph: CallGraph, clock: Callable[[], int]) -> None:
        self._graph, self._clock = graph, clock
        self.shed: frozenset[int] = frozenset()
        self.numbers_of_code: dict[CodeType, int] = {}
        #: functions in calls of which statements ran; those of them that were the nearest to one
        self._above: set[int] = set()
        self._sites: set[int] = set()
        self._used = False
        #: resumptions of generators and coroutines since they were last asked for; for their cost, so no lock
        self.resumptions: Counter[int] = Counter()
        self.over: Callable[[], None] = lambda: None
        self._room = 0

    def use(self, shed: frozenset[int]) -> None:
        """Sample these functions from now on."""
        self.shed = shed
        self._used = self._used or bool(shed)
        self._graph.watch(shed)

    def know(self, code: CodeType, function: int, reports: bool) -> None:
        """A form of the code of a function, and whether calls in it are recorded."""
        if not reports:
            self.numbers_of_code[code] = function

    def ran_statement(self, function: int, site: bool) -> None:
        """A statement ran in a call of a function; ``site``: no other function of the application was nearer to it."""
        (self._sites if site else self._above).add(function)

    def closeness(self, function: int) -> int:
        """To statements: ``CALL_SITE``, ``ABOVE``, or 0."""
        return CALL_SITE if function in self._sites else ABOVE if function in self._above else 0

    def begin_phase(self, form: int, ns: int) -> None:
        """A phase of a slice begins, for ``ns`` at most."""
        if form == TIMED:
            self._room = _CALLS_PER_PHASE

    def recorded(self) -> dict[int, tuple[int, int]]:
        """Calls recorded in the last timed phase and their wall time in ns, by function; here under 0, no times."""
        calls, self._room = _CALLS_PER_PHASE - max(self._room, 0), _CALLS_PER_PHASE
        return {0: (calls, 0)}

    def take_resumptions(self) -> dict[int, int]:
        """Resumptions of generators and coroutines since the last time, by function."""
        return {function: self.resumptions.pop(function, 0) for function in list(self.resumptions)}

    def edge(self, parent: Frame, edge: Edge, function: int) -> Edge:
        """The edge for a call of a watched function. What finding it costs is kept out of the times below."""
        if not self.shed:
            return edge.inner() if inside(parent, function) else edge
        start = self._clock()
        if function in self.shed:
            self._room -= 1
            if self._room == 0:
                self.over()
        nested = function in self._graph.recursive and inside(parent, function)
        caller, below = self._unrecorded_caller()
        if caller:
            edge = edge.context.edge(caller, function)
        if not nested and function in self._graph.recursive and function in self.shed:
            nested = caller == function or self._runs_in(below, function)
        took = self._clock() - start
        parent[CHILD] += took
        parent[OVERHEAD] += took
        return edge.inner() if nested else edge

    def nearest(self, frame: FrameType | None) -> tuple[int, bool]:
        """The innermost application function on the real stack if its call is not recorded, else 0; and whether there
        is any. In a greenlet there may be none: then who entered the greenlet knows better."""
        if not self._used:
            return 0, True
        while frame is not None:
            number = self.numbers_of_code.get(frame.f_code)
            if number is not None:
                return number, True
            if FRAME in frame.f_code.co_varnames:
                return 0, True
            frame = frame.f_back
        return 0, False

    def _unrecorded_caller(self) -> tuple[int, FrameType | None]:
        """The number of the nearest application function below if its call is not recorded, and its frame."""
        frame: FrameType | None = _getframe(3)
        while frame is not None and FRAME not in frame.f_code.co_varnames:
            frame = frame.f_back
        frame = frame.f_back if frame is not None else None
        for _ in range(FRAMES_TO_CALLER):
            if frame is None or FRAME in frame.f_code.co_varnames:
                break
            number = self.numbers_of_code.get(frame.f_code)
            if number is not None:
                return number, frame
            frame = frame.f_back
        return 0, frame

    def _runs_in(self, frame: FrameType | None, function: int) -> bool:
        for _ in range(_FRAMES_TO_OUTERMOST):
            if frame is None:
                break
            if self.numbers_of_code.get(frame.f_code) == function:
                return True
            frame = frame.f_back
        return False


def inside(frame: Frame | None, function: int) -> bool:
    """Whether a call of ``function`` is on the shadow stack at or below ``frame``."""
    while frame is not None:
        if frame[EDGE].function == function:
            return True
        frame = frame[PARENT]
    return False


def error_name() -> str | None:
    """The type of the exception being handled; None for the end of an iteration."""
    kind = sys.exc_info()[0]
    return None if kind is None or issubclass(kind, PROTOCOL) else kind.__name__

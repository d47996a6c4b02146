"""Generators and coroutines: a call that runs in slices. Time while suspended is wall time, but nobody's own time.

At each suspension the frame is taken off the shadow stack of the thread, at each resumption it is put on the stack
that it finds there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..queries.log import CallQueries
from .calls import Hooks
from .context import (
    CHILD,
    EDGE,
    FIRST,
    KIDS,
    OVERHEAD,
    OWN,
    PARENT,
    PAST_OVERHEAD,
    QUERIES,
    RUNNING,
    START,
    STATE,
    TOTALS,
    Frame,
)
from .stack import pass_up

if TYPE_CHECKING:
    from .recorder import Recorder


class Slices:
    """Begins, suspends, resumes and ends the calls of generators and coroutines on the stacks of a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._clock, self._local = recorder.clock, recorder.local
        self._counts = recorder.sampling.resumptions
        self._watched, self._careful = recorder.graph.watched, recorder.sampling.edge
        self._triggers = recorder.triggers

    def hooks(self) -> Hooks:
        """The hooks by the names that rewritten code uses."""
        return {
            "__burnish_begin__": self.begin,
            "__burnish_abegin__": self.begin_in_entry,
            "__burnish_end__": self.end,
            "__burnish_resume__": self.resume,
        }

    def begin(self, function: int) -> Frame:
        """The first slice of a generator starts."""
        parent = self._local.state.current
        try:
            edge = parent[KIDS][function]
        except KeyError:
            edge = self._recorder.edge_above(parent, function)
        return self._start(parent, edge, function)

    def begin_in_entry(self, function: int) -> Frame:
        """The first slice of a coroutine starts: it belongs to the entry of its task, whoever drives it."""
        parent = self._local.state.current
        entry: Any = self._recorder.entry.get()
        if entry is None or not entry.open or parent[EDGE].context is entry:
            return self.begin(function)
        return self._start(parent, entry.edge(0, function), function)

    def _start(self, parent: Frame, edge: Any, function: int) -> Frame:
        if function in self._watched:
            edge = self._careful(parent, edge, function)
        state = self._local.state
        now = self._clock()
        frame = [parent, edge.kids, 0, None, edge, state, now, 0, 0, now, True, None, 0]
        state.current = frame
        if function in self._triggers:
            self._triggers.began(function, frame)
        return frame

    def suspend(self, frame: Frame) -> None:
        """A slice ends. Does nothing if the frame is suspended already."""
        if not frame[RUNNING]:
            return
        self._end_slice(frame, self._clock())
        frame[RUNNING] = False

    def _end_slice(self, frame: Frame, now: int) -> None:
        ran = now - frame[START]
        parent = frame[PARENT]
        frame[OWN] += ran - frame[CHILD]
        frame[CHILD] = 0
        parent[CHILD] += ran
        parent[OVERHEAD] += frame[OVERHEAD]
        frame[PAST_OVERHEAD] += frame[OVERHEAD]
        frame[OVERHEAD] = 0
        self._counts[frame[EDGE].function] += 1
        _pass_up_slice(frame)
        frame[STATE].current = parent

    def resume(self, frame: Frame) -> None:
        """A slice starts, on top of what this thread does now. Does nothing if the frame is running."""
        if frame[RUNNING]:
            return
        state = self._local.state
        frame[STATE] = state
        frame[PARENT] = state.current
        frame[RUNNING] = True
        frame[START] = self._clock()
        state.current = frame

    def end(self, frame: Frame) -> None:
        """The last slice ends. A generator closed while suspended has no last slice."""
        now = self._clock()
        if frame[RUNNING]:
            self._end_slice(frame, now)
        edge = frame[EDGE]
        wall = now - frame[FIRST] - frame[PAST_OVERHEAD]
        edge.add_own(frame[OWN])
        edge.add_wall(wall)
        if frame[TOTALS] is not None:
            edge.context.returned.append((edge.function, frame[TOTALS]))
        if edge.function in self._triggers:
            try:
                took = self._triggers.ended(frame, wall, frame[OWN], frame[TOTALS], sys._getframe(1))
                frame[PARENT][CHILD] += took
                frame[PARENT][OVERHEAD] += took
            except Exception:  # noqa: BLE001 - at the limit of recursion even this call can fail
                pass


def _pass_up_slice(frame: Frame) -> None:
    """Pass up what the slice did, and keep the total."""
    if frame[QUERIES] is None:
        return
    pass_up(frame)
    if frame[TOTALS] is None:
        frame[TOTALS] = CallQueries()
    frame[TOTALS].add(frame[QUERIES])
    frame[QUERIES] = None

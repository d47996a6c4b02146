"""The hot path: what rewritten code calls. Everything here runs once or twice for each call of the application.

The hooks are closures, not methods: a closure's variables are the cheapest names in pure Python. There is no lock:
each thread has its own shadow stack, and finished calls are handed over by ``list.append``, which is atomic.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from contextvars import ContextVar
from typing import Any, Callable

from . import threads
from .context import (
    CHILD,
    EDGE,
    KIDS,
    OVERHEAD,
    PARENT,
    QUERIES,
    RUNNING,
    STATE,
    CallGraph,
    Context,
    Edge,
    Frame,
)
from .queries import hand_over, pass_up
from .sampling import PROTOCOL, Sampling, error_name
from .stacks import Stacks

Clock = Callable[[], int]
Hooks = dict[str, Callable[..., Any]]


class State:
    """The shadow stack of one thread: ``current`` is the frame of the nearest application function or entry."""

    __slots__ = ("__weakref__", "context", "current", "root")

    def __init__(self, root: Frame, context: Context) -> None:
        self.root = root
        self.current = root
        self.context = context


class _RootEdge:
    """Below every stack: no function, and the context of the entry that this thread or task works for, if any."""

    function = 0

    def __init__(self, recorder: Recorder, fallback: Context) -> None:
        self._recorder, self._fallback = recorder, fallback

    @property
    def context(self) -> Context:
        entry = self._recorder.entry.get()
        return entry if entry is not None and entry.open else self._fallback


class _RootKids:
    """Stands for the dictionary of edges at the bottom of a stack, where the context must be looked up."""

    def __init__(self, edge: _RootEdge) -> None:
        self._edge = edge

    def __getitem__(self, function: int) -> Edge:
        return self._edge.context.kids_of(0)[function]


class _EntryEdge:
    """What the frame of an entry shows to the calls above it: its context, and the function that is below it."""

    __slots__ = ("context", "function")

    def __init__(self, context: Context, function: int) -> None:
        self.context, self.function = context, function


class _Local(threads.local):  # type: ignore[misc]
    def __init__(self, recorder: Recorder) -> None:
        self.state = recorder.new_state()


class Recorder:
    """Owns the shadow stacks and the contexts. ``clock`` returns nanoseconds and never steps back."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.graph = CallGraph()
        self.entry: ContextVar[Context | None] = ContextVar("burnish_entry", default=None)
        self.open: set[Context] = set()
        self.ended: deque[Context] = deque()
        #: called now and then, never on the hot path: the flush thread is started by it
        self.wake: Callable[[], None] = lambda: None
        self.local = _Local(self)
        self.sampling = Sampling(self.graph, clock)
        self._stacks = Stacks(self.local, clock)

    def new_state(self) -> State:
        """The state of a thread seen for the first time; its context ends when the thread is gone."""
        context = Context()
        edge = _RootEdge(self, context)
        state = State([None, _RootKids(edge), 0, None, edge, None, 0, 0], context)
        self.open.add(context)
        weakref.finalize(state, self.end_context, context).atexit = False
        return state

    def end_context(self, context: Context) -> None:
        """Give a context up for folding; calls that outlive it are lost but harmless."""
        context.open = False
        self.open.discard(context)
        self.ended.append(context)

    def edge_above(self, parent: Frame, function: int) -> Edge:
        """The edge for a call that was not seen before in this context."""
        below = parent[EDGE]
        self.wake()
        self.graph.add(below.function, function)
        edge: Edge = below.context.edge(below.function, function)
        return edge

    def push_entry(self, context: Context) -> Frame:
        """Start an entry on this thread. The frame counts no time of its own."""
        state = self.local.state
        parent = state.current
        context.start = self.clock()
        function = parent[EDGE].function
        edge = _EntryEdge(context, function)
        now = context.start
        frame = [parent, context.kids_of(function), 0, None, edge, state, now, 0, 0, now, True, None, 0]
        self.open.add(context)
        state.current = frame
        return frame

    def pop_entry(self, frame: Frame) -> None:
        """End an entry: its time below belongs to the frame that it was started in."""
        context: Context = frame[EDGE].context
        context.wall = self.clock() - context.start
        parent = frame[PARENT]
        if frame[RUNNING]:
            parent[CHILD] += frame[CHILD]
            parent[OVERHEAD] += frame[OVERHEAD]
            frame[STATE].current = parent
            if frame[QUERIES] is not None:
                pass_up(frame)
        self.end_context(context)
        self.wake()

    def switch_stack(self, key: int, base: int = 0) -> None:
        """This thread goes on with the greenlet ``key``; see ``Stacks.switch``."""
        self._stacks.switch(key, base)

    def drop_stack(self, key: int) -> None:
        """A greenlet of this thread that does not run will never run again."""
        self._stacks.drop(key)

    def call_hooks(self, cost: int = 0) -> Hooks:
        """The hooks of plain functions: ``enter(number) -> frame``, ``leave(frame)``, ``error(frame)``.

        ``cost`` is the time in ns that observing a call takes outside of what is measured as its own: it is kept out
        of the times of the functions below.
        """
        clock, local, edge_above = self.clock, self.local, self.edge_above
        exc_info, protocol = sys.exc_info, PROTOCOL
        watched, careful = self.graph.watched, self.sampling.edge

        def enter(function: int) -> Frame:
            state = local.state
            parent = state.current
            try:
                edge = parent[KIDS][function]
            except KeyError:
                edge = edge_above(parent, function)
            if function in watched:
                edge = careful(parent, edge, function)
            frame = [parent, edge.kids, 0, None, edge, state, clock(), 0]
            state.current = frame
            return frame

        def leave(frame: Frame) -> None:
            now = clock()
            parent, _, child, queries, edge, state, start, overhead = frame
            wall = now - start
            parent[CHILD] += wall + cost
            parent[OVERHEAD] += overhead + cost
            edge.add_own(wall - child)
            edge.add_wall(wall - overhead)
            state.current = parent
            if queries is not None:
                hand_over(frame)

        def raised(function: int) -> None:
            """Count the exception being handled against a function whose call is not recorded."""
            kind = exc_info()[0]
            if kind is None or issubclass(kind, protocol):
                return
            parent = local.state.current
            try:
                edge = parent[KIDS][function]
            except KeyError:
                edge = edge_above(parent, function)
            edge.errors.append(kind.__name__)

        return {
            "__burnish_enter__": enter,
            "__burnish_leave__": leave,
            "__burnish_error__": record_error,
            "__burnish_leave_top__": lambda: leave(local.state.current),
            "__burnish_error_top__": lambda: record_error(local.state.current),
            "__burnish_raised__": raised,
        }


def record_error(frame: Frame) -> None:
    """Count the exception being handled against the function of ``frame``."""
    kind = error_name()
    if kind is not None:
        frame[EDGE].errors.append(kind)


def stack_of(frame: Frame | None) -> list[int]:
    """The functions on the stack, innermost first; for tests and the doctor."""
    functions: list[int] = []
    while frame is not None:
        functions.append(frame[EDGE].function)
        frame = frame[PARENT]
    return [function for function in functions if function]

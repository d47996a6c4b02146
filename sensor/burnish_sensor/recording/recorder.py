"""The hot path: what rewritten code calls. Everything here runs once or twice for each call of the application.

The hooks are closures, not methods: a closure's variables are the cheapest names in pure Python. There is no lock:
each thread has its own shadow stack, and finished calls are handed over by ``list.append``, which is atomic.
"""

from __future__ import annotations

import sys
import weakref
from collections import defaultdict, deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Callable

from ..exemplars.facts import MISSING
from ..queries.log import CallQueries, Key, Site, place_of
from ..queries.python_log import PythonQueryLog
from .calls import Clock, Hooks
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
from .sampling import PROTOCOL, Sampling
from .slices import Slices
from .stack import EntryEdge, Local, State, hand_over, new_state, pass_up, record_error
from .stacks import Stacks
from .totals import Totals
from .triggers import Triggers
from .work import Work

#: what ``pending`` says
MANY = 1 << 30

if TYPE_CHECKING:
    from ..queries.statements import Statements
    from ..windows.window import Window
    from .meter import Meter


class Recorder:
    """Owns the shadow stacks and the contexts. ``clock`` returns nanoseconds and never steps back."""

    missing, screen = MISSING, None

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.graph = CallGraph()
        self.entry: ContextVar[Work | None] = ContextVar("burnish_entry", default=None)
        self.open: set[Context] = set()
        self.ended: deque[Context] = deque()
        #: called now and then, never on the hot path: the flush thread is started by it
        self.wake: Callable[[], None] = lambda: None
        self.triggers = Triggers(clock)
        self.set_trigger = self.triggers.set
        self.local = Local(self._new_state)
        self.sampling = Sampling(self.graph, clock)
        self._stacks = Stacks(self.local, clock)
        self._slices = Slices(self)
        self.suspend, self.resume, self.error = self._slices.suspend, self._slices.resume, record_error
        #: what was folded of entries whose name is not known yet
        self._partials: defaultdict[Context, Totals] = defaultdict(Totals)

    def _new_state(self) -> State:
        """The state of a thread seen for the first time; its context ends when the thread is gone."""
        state = new_state(self.entry)
        self.open.add(state.context)
        self.triggers.states.add(state)
        weakref.finalize(state, self.end_context, state.context).atexit = False
        return state

    def context(self) -> Context:
        """See ``Calls``; so all below."""
        context: Context = self.local.state.current[EDGE].context
        return context

    def function(self) -> int:
        function: int = self.local.state.current[EDGE].function
        return function

    def query_log(self, statements: Statements, files: dict[str, str]) -> PythonQueryLog:
        return PythonQueryLog(self, statements, files)

    def site(self, files: dict[str, str], left: Site | None) -> Site | int:
        """For the query log: the innermost function with file and line of the innermost frame of one of ``files``; only
        the number where there is no such frame on the stack of this thread. ``left`` is where a function was when it
        went on in a greenlet of a library: its frame is not below this one there."""
        frame = sys._getframe(1)
        unrecorded, here = self.sampling.nearest(frame)
        function = unrecorded or self.function()
        if left is not None and (not here or left[0] == function):
            return left
        place = place_of(frame, files) if function else None
        return function if place is None else (function, *place)

    def ran(self, key: Key, order: int, wall: int, parameters: int | None) -> None:
        """For the query log; see ``CallQueries``. So ``fetched``."""
        queries = self._queries()
        if queries is not None:
            queries.ran(key, order, wall, parameters)

    def fetched(self, key: Key, order: int, rows: int, wall: int, drives: bool) -> None:
        queries = self._queries()
        if queries is not None:
            queries.fetched(key, order, rows, wall, drives)

    def _queries(self) -> CallQueries | None:
        """What the running call ran; None at the bottom of a stack."""
        frame = self.local.state.current
        if frame[PARENT] is None:
            return None
        if frame[QUERIES] is None:
            frame[QUERIES] = CallQueries()
        queries: CallQueries = frame[QUERIES]
        return queries

    def new_context(self, name: str, kind: str) -> Context:
        return Context(name, kind)

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
        self.triggers.meet(function)
        edge: Edge = below.context.edge(below.function, function)
        return edge

    def push_entry(self, context: Context) -> Frame:
        """Start an entry on this thread. The frame counts no time of its own."""
        state = self.local.state
        parent = state.current
        context.start = self.clock()
        function = parent[EDGE].function
        edge = EntryEdge(context, function)
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
        self._stacks.switch(key, base)

    def drop_stack(self, key: int) -> None:
        self._stacks.drop(key)

    def call_hooks(self, cost: int = 0) -> Hooks:
        """The hooks of plain functions: ``enter(number) -> frame``, ``leave(frame)``, ``error(frame)``.

        ``cost`` is the time in ns that observing a call takes outside of what is measured as its own: it is kept out
        of the times of the functions below.
        """
        clock, local, edge_above = self.clock, self.local, self.edge_above
        exc_info, protocol = sys.exc_info, PROTOCOL
        watched, careful = self.graph.watched, self.sampling.edge
        triggers, ended, frame_above = self.triggers, self.triggers.ended, sys._getframe

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
            if edge.function in triggers:
                try:
                    took = ended(frame, wall - overhead, wall - child, queries, frame_above(1))
                    parent[CHILD] += took
                    parent[OVERHEAD] += took
                except Exception:  # noqa: BLE001 - at the limit of recursion even this call can fail
                    pass

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
            **self._slices.hooks(),
        }

    def show_to(self, capture: Callable[..., None]) -> None:
        self.triggers.capture = capture

    # What was recorded

    def pending(self) -> int:
        return MANY  # to count them would take as long as to fold them

    def memory(self) -> int:
        return 0

    def narrow(self, level: int) -> None:
        """Nothing: the number of rows is bounded."""

    dropped_rows = 0

    def take(self, window: Window, meter: Meter | None = None, last: bool = True) -> None:
        for context in list(self.open):
            known = bool(context.name or not context.kind)
            totals = window.totals_of(context.name) if known else self._partials[context]
            window.calls += self._drain(context, totals, meter)
        while self.ended:
            context = self.ended.popleft()
            totals = window.end(context, self._partials.pop(context, None))
            window.calls += self._drain(context, totals, meter)

    def _drain(self, context: Context, totals: Totals, meter: Meter | None) -> int:
        """Take everything that a context holds now; the number of calls taken."""
        calls, shed = 0, self.sampling.shed
        for edge in context.edges[:]:
            if edge.owns or edge.errors:
                calls += len(edge.owns)
                if edge.function in shed:
                    totals.sampled[edge.function].add(edge)
                else:
                    totals.calls[edge.function].add(edge, meter)
        totals.drain(context)
        totals.drain_queries(context, self.sampling)
        return calls

    def grew(self) -> bool:
        grew, self.graph.grew = self.graph.grew, False
        return grew

    def rouse(self) -> None:
        for context in list(self.open):
            context.forget_shortcuts()

    def forget(self) -> None:
        for context in [*self.open, *self.ended]:
            context.forget()
        self.ended.clear()
        self._partials.clear()
        self.triggers.draw.seed()
        current = self.local.state.context
        self.open = {context for context in self.open if context.kind or context is current}

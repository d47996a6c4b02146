"""The shadow stack of a thread, and what its lowest frames show to the calls above them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Callable

from .. import threads
from ..queries.log import CallQueries
from .context import EDGE, PARENT, QUERIES, Context, Edge, Frame
from .sampling import error_name


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

    def __init__(self, entry: ContextVar[Any], fallback: Context) -> None:
        self._entry, self._fallback = entry, fallback

    @property
    def context(self) -> Context:
        entry: Context | None = self._entry.get()
        return entry if entry is not None and entry.open else self._fallback


class _RootKids:
    """Stands for the dictionary of edges at the bottom of a stack, where the context must be looked up."""

    def __init__(self, edge: _RootEdge) -> None:
        self._edge = edge

    def __getitem__(self, function: int) -> Edge:
        return self._edge.context.kids_of(0)[function]


class EntryEdge:
    """What the frame of an entry shows to the calls above it: its context, and the function that is below it."""

    __slots__ = ("context", "function")

    def __init__(self, context: Context, function: int) -> None:
        self.context, self.function = context, function


class Local(threads.local):  # type: ignore[misc]
    """``state``: the stack of this thread, by ``make`` at first use."""

    def __init__(self, make: Callable[[], State]) -> None:
        self.state = make()


def new_state(entry: ContextVar[Any]) -> State:
    """An empty stack; what runs on it outside of an entry has a context of its own."""
    context = Context()
    edge = _RootEdge(entry, context)
    return State([None, _RootKids(edge), 0, None, edge, None, 0, 0], context)


def hand_over(frame: Frame) -> None:
    """At the end of a call: give its queries up for folding and add them to the frame below."""
    edge = frame[EDGE]
    edge.context.returned.append((edge.function, frame[QUERIES]))
    pass_up(frame)


def pass_up(frame: Frame) -> None:
    """Add the queries of a frame to the frame below; the bottom of a stack keeps none."""
    parent = frame[PARENT]
    if parent is None or parent[PARENT] is None:
        return
    if parent[QUERIES] is None:
        parent[QUERIES] = CallQueries()
    parent[QUERIES].add(frame[QUERIES])


def record_error(frame: Frame) -> None:
    """Count the exception being handled against the function of ``frame``."""
    kind = error_name()
    if kind is not None:
        frame[EDGE].errors.append(kind)

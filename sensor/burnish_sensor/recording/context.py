"""Where calls are accumulated: a context for each running entry, with an edge for each (caller, function) in it.

A frame of the shadow stack is a list, the cheapest mutable thing that pure Python can make. Its places:
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable

from .work import Work

#: CHILD is the time of the calls below with what observing them cost, OVERHEAD that cost alone, at any depth
PARENT, KIDS, CHILD, QUERIES, EDGE, STATE, START, OVERHEAD = range(8)
#: of a generator or coroutine only; CHILD, START and OVERHEAD are then those of the running slice
OWN, FIRST, RUNNING, TOTALS, PAST_OVERHEAD = range(8, 13)

Frame = list[Any]


class Edge:
    """Calls of one function by one caller in one context: durations in ns as they come, folded later.

    ``add_wall`` and ``add_own`` are bound ``list.append``: atomic, so that no lock is needed on the hot path.
    ``nested`` is the edge for calls inside a call of the same function: their wall time is not counted again.
    """

    __slots__ = ("add_own", "add_wall", "caller", "context", "errors", "function", "kids", "nested", "owns", "walls")

    def __init__(self, context: Context, caller: int, function: int) -> None:
        self.context, self.caller, self.function = context, caller, function
        self.kids = context.kids_of(function)
        self.owns: list[int] = []
        self.walls: list[int] = []
        self.errors: list[str] = []
        self.add_own: Callable[[int], None] = self.owns.append
        self.add_wall: Callable[[int], None] = self.walls.append
        self.nested: Edge | None = None

    def inner(self) -> Edge:
        """The edge of nested calls; shares everything but the wall times."""
        if self.nested is None:
            nested = Edge(self.context, self.caller, self.function)
            nested.owns, nested.errors, nested.add_own = self.owns, self.errors, self.add_own
            forget: deque[int] = deque(maxlen=0)
            nested.add_wall = forget.append
            nested.nested = nested
            self.nested = nested
        return self.nested


class Context(Work):
    """Work with the edges of its calls, and its statements."""

    start = wall = 0

    def __init__(self, name: str = "", kind: str = "") -> None:
        super().__init__(name, kind)
        #: (statement, site, execution) as they happen; see queries/log.py
        self.executions: list[Any] = []
        #: (function, queries of one call) as calls end
        self.returned: list[tuple[int, Any]] = []
        self.edges: list[Edge] = []
        self._known: dict[tuple[int, int], Edge] = {}
        self._kids: dict[int, dict[int, Edge]] = {}

    def kids_of(self, function: int) -> dict[int, Edge]:
        """The edges that start at a function, by the called function."""
        return self._kids.setdefault(function, {})

    def edge(self, caller: int, function: int) -> Edge:
        """The edge between two functions, made when it is not there yet."""
        edge = self._known.get((caller, function))
        if edge is None:
            made = Edge(self, caller, function)
            edge = self._known.setdefault((caller, function), made)
            if edge is made:
                self.edges.append(edge)
        self.kids_of(caller)[function] = edge
        return edge

    def forget_shortcuts(self) -> None:
        """Make the next call of each kind take the slow path once more; nothing that was counted is lost."""
        for kids in list(self._kids.values()):
            kids.clear()

    def forget(self) -> None:
        super().forget()
        self.executions.clear()
        self.returned.clear()
        for edge in self.edges[:]:
            for values in (edge.walls, edge.owns, edge.errors):
                values.clear()


class CallGraph:
    """Who calls whom, as seen so far. ``recursive``: the functions on a cycle, which can run inside themselves.

    ``watched`` are the functions whose calls take the careful path: the recursive ones, and those that ``watch`` adds.
    """

    def __init__(self) -> None:
        self.recursive: set[int] = set()
        self.watched: set[int] = set()
        #: whether a call was seen that was not seen before; reset by who asks
        self.grew = False
        self._shed: frozenset[int] = frozenset()
        self._callees: dict[int, set[int]] = {}
        self._callers: dict[int, set[int]] = {}

    def add(self, caller: int, callee: int) -> None:
        """Take in a call; mark the functions of the cycle that it closes, if any."""
        if callee in self._callees.get(caller, ()):
            return
        self.grew = True
        self._callees.setdefault(caller, set()).add(callee)
        if not caller:
            return
        self._callers.setdefault(callee, set()).add(caller)
        below = _reach(self._callees, callee)
        if caller in self._shed:
            self.watched.add(callee)
        if caller in below:
            self.recursive |= below & _reach(self._callers, caller)
            self.watched |= self.recursive

    def watch(self, shed: frozenset[int]) -> None:
        """Watch functions whose calls are sampled, and those that they call: their caller may not be recorded."""
        self._shed = shed
        wanted = self.recursive | shed
        for function in shed:
            wanted |= self._callees.get(function, set())
        self.watched |= wanted
        self.watched &= wanted


def _reach(graph: dict[int, set[int]], start: int) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for target in graph.get(waiting.pop(), ()):
            if target not in seen and target:
                seen.add(target)
                waiting.append(target)
    return seen

"""What one tree of spans says: entries, calls, statements and dependencies, added to the rows of a window.

    GET products/…            entry, and the call of a function `<otel>:GET products/…`
    ├─ render (INTERNAL)      a call; its caller is the nearest span above that is no statement or dependency
    │  └─ SELECT …            a query; its call site is `render`; a row per call of `render` and of the entry's function
    └─ GET (CLIENT)           a dependency

`own` of a function is its wall without the times in which functions directly below it ran, as far as they lie within
it: concurrent ones count once, and one that outlives it only up to its end.
"""

from __future__ import annotations

from collections.abc import Iterable

from burnish_tools.collector.otlp.assembly import Tree
from burnish_tools.collector.otlp.names import NO_SPAN
from burnish_tools.collector.otlp.rows import Ran, Rows, Site
from burnish_tools.collector.otlp.span import Dependency, Entry, Query, Span

DEEPEST = 100
"""Enclosing functions of a statement that get a row; deeper ones than that are the innards of a recursion."""


class _Frame:
    """One call of a function."""

    __slots__ = ("above", "below", "chain", "function", "parent", "ran", "returned", "span")

    def __init__(self, span: Span, parent: _Frame | None, function: str) -> None:
        self.span, self.parent, self.function = span, parent, function
        self.below: list[tuple[int, int]] = []
        self.ran: dict[tuple[str, Site], Ran] = {}
        self.returned: dict[tuple[str, Site], int] = {}
        """Rows by statement that returned more than one at a time, the last one at the end."""
        above = parent.chain if parent else ()
        recursive = any(frame.function == function for frame in above)
        self.chain: tuple[_Frame, ...] = above if recursive or len(above) >= DEEPEST else (*above, self)
        self.above = not recursive

    def site(self) -> Site:
        return Site(self.function, self.span.file, self.span.line)


class _Inside:
    """Stands for a statement or dependency as the parent of others: such a one in it is a part of it (an ORM's
    statement and its driver's, a client and its transport), but a statement is none of a call of another service."""

    __slots__ = ("frame", "what")

    def __init__(self, frame: _Frame | None, what: Query | Dependency) -> None:
        self.frame, self.what = frame, what

    def has(self, what: Query | Dependency) -> bool:
        return isinstance(self.what, Query) or isinstance(what, Dependency)


def add(tree: Tree, rows: Rows) -> None:
    """Adds a tree. Spans without a root count in their entry, if it is known, but are no call of it."""
    frames, leaves = _frames(tree, rows)
    executed = 0
    for span, frame in _once(leaves):
        if isinstance(span.what, Query):
            executed += 1
            _query(span, span.what, frame, tree.entry, rows)
        elif isinstance(span.what, Dependency):
            rows.dependency(span.what, _site(span, frame, rows), tree.entry, span.error, span.wall)
    for frame in frames:
        _call(frame, tree.entry, rows)
    if tree.root is not None and isinstance(what := tree.root.what, Entry):
        rows.entry(what, tree.root.error, tree.root.wall, executed)


_Leaf = tuple[Span, "_Frame | None"]


def _frames(tree: Tree, rows: Rows) -> tuple[list[_Frame], list[_Leaf]]:
    """Calls, and statements and dependencies with the call that encloses them."""
    children: dict[str, list[Span]] = {}
    known = {span.id for span in tree.spans}
    tops: list[Span] = [tree.root] if tree.root else []
    for span in tree.spans:
        if span is tree.root:
            continue
        if tree.root is None and span.parent not in known:
            tops.append(span)
        else:
            children.setdefault(span.parent, []).append(span)
    frames: list[_Frame] = []
    leaves: list[_Leaf] = []
    waiting: list[tuple[Span, _Frame | _Inside | None]] = [(top, None) for top in tops]
    while waiting:
        span, above = waiting.pop()
        within: _Frame | _Inside
        frame = above.frame if isinstance(above, _Inside) else above
        if isinstance(span.what, (Query, Dependency)):
            if not (isinstance(above, _Inside) and above.has(span.what)):
                leaves.append((span, frame))
            within = _Inside(frame, span.what)
        else:
            within = _Frame(span, frame, rows.function(span.function, span.file, span.line))
            frames.append(within)
            if frame:
                frame.below.append((span.start, span.end))
        waiting.extend((child, within) for child in children.pop(span.id, ()))
    if children:  # each other's parents: nothing encloses them
        rows.drop("loops", sum(len(spans) for spans in children.values()))
    return frames, leaves


def _once(leaves: list[_Leaf]) -> Iterable[_Leaf]:
    """In order of time; a statement that two instrumentations saw (an ORM's and its driver's) once, the outer one."""
    leaves.sort(key=lambda leaf: (leaf[0].start, -leaf[0].end, leaf[0].id))
    last: dict[tuple[str, str], Span] = {}
    for leaf in leaves:
        span, query = leaf[0], leaf[0].what
        if isinstance(query, Query):
            before = last.get((span.parent, query.statement))
            if before is not None and span.end <= before.end and _scope(before) != query.scope:
                continue
            last[span.parent, query.statement] = span
        yield leaf


def _scope(span: Span) -> str:
    return span.what.scope if isinstance(span.what, Query) else ""


def _site(span: Span, frame: _Frame | None, rows: Rows) -> Site:
    if span.function:
        return Site(rows.function(span.function, span.file, span.line), span.file, span.line)
    return frame.site() if frame else Site(rows.function(NO_SPAN, "", 0), "", 0)


def _query(span: Span, query: Query, frame: _Frame | None, entry: str, rows: Rows) -> None:
    statement, site, wall = rows.statement(query.statement), _site(span, frame, rows), span.wall
    rows.query(statement, site, entry, span.error, wall, query.rows)
    key = statement, site
    for above in frame.chain if frame else ():
        ran = above.ran.get(key)
        if ran is None:
            ran = above.ran[key] = Ran()
            ran.driver = next((one for one in reversed(above.returned) if one[0] != statement), None)
        ran.executions += 1
        ran.time += wall
        if query.repeat:
            ran.identical += query.repeat in ran.seen
            ran.seen.add(query.repeat)
        if query.rows is not None and query.rows > 1:
            above.returned[key] = above.returned.pop(key, 0) + query.rows


def _call(frame: _Frame, entry: str, rows: Rows) -> None:
    span = frame.span
    own = span.wall - _covered(frame.below, span.start, span.end)
    caller = frame.parent.function if frame.parent else ""
    rows.call(frame.function, entry, span.error, span.wall if frame.above else None, own, caller)
    for (statement, site), ran in frame.ran.items():
        rows.per_call(
            frame.function, statement, site, entry, ran, frame.returned.get(ran.driver, 0) if ran.driver else 0
        )


def _covered(spans: list[tuple[int, int]], start: int, end: int) -> int:
    """Time from `start` to `end` in which at least one of the spans ran."""
    if len(spans) > 1:
        spans.sort()
    total, reached = 0, start
    for one, other in spans:
        total += max(0, min(other, end) - max(one, reached))
        reached = max(reached, min(other, end))
    return total

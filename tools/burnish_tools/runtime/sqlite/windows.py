"""A window as rows of numbers."""

from __future__ import annotations

from burnish.histogram import Histogram
from burnish_tools.runtime.format import (
    Definition,
    DependencyRow,
    DriverRow,
    EntryRow,
    PerCallRow,
    QueryRow,
    SiteRow,
    Statement,
    Window,
)
from burnish_tools.runtime.limits import FINEST
from burnish_tools.runtime.sqlite.names import Names
from burnish_tools.runtime.sqlite.rows import (
    CALL_ROWS,
    DEPENDENCY_ROWS,
    DRIVER_ROWS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    QUERY_ROWS,
    Detail,
    Distribution,
    Flat,
)


def detail_of(window: Window, names: Names) -> Detail:
    """The rows of a window, as they came; of none there is more than one with the same key in a sound window."""
    known = Described(window, names)
    return {
        ENTRY_ROWS.name: [_entry(row, known) for row in window.entries],
        CALL_ROWS.name: _calls(window, known),
        QUERY_ROWS.name: [_query(row, known) for row in window.queries],
        FAN_OUT_ROWS.name: [_per_call(row, known) for row in window.per_call],
        DRIVER_ROWS.name: [_driver(row, row.driver, known) for row in window.per_call if row.driver is not None],
        DEPENDENCY_ROWS.name: [_dependency(row, known) for row in window.dependencies],
    }


def _entry(e: EntryRow, known: Described) -> Flat:
    numbers = e.calls, e.wall.sum, e.queries.sum
    return (known.entry(e.entry),), numbers, (e.errors, e.status), (_plain(e.wall), _plain(e.queries))


def _calls(window: Window, known: Described) -> list[Flat]:
    executions: dict[tuple[str, str], float] = {}
    for p in window.per_call:
        executions[p.function, p.entry] = executions.get((p.function, p.entry), 0.0) + p.executions.sum
    rows: list[Flat] = []
    for c in window.calls:
        wall, own = _plain(c.wall), _plain(c.own)
        queries = executions.pop((c.function, c.entry), 0.0)
        numbers = c.calls, c.wall.sum, c.own.sum, queries, c.error.calls**2, c.error.wall**2
        rows.append(((known.function(c.function), known.entry(c.entry)), numbers, (c.errors, c.callers), (wall, own)))
    return rows


def _query(q: QueryRow, known: Described) -> Flat:
    key = known.statement(q.statement), known.site(q.function, q.file, q.line), known.entry(q.entry)
    unknown = q.executions if q.rows is None else 0
    return key, (q.executions, q.rows or 0, unknown, q.wall.sum), (q.errors,), (_plain(q.wall),)


def _fan_out_key(p: PerCallRow, known: Described) -> tuple[int, int, int, int]:
    return known.function(p.function), known.statement(p.statement), _site(p.site, known), known.entry(p.entry)


def _per_call(p: PerCallRow, known: Described) -> Flat:
    numbers = p.calls, p.executions.sum, p.identical, p.time_ns
    return _fan_out_key(p, known), numbers, (), (_plain(p.executions),)


def _driver(p: PerCallRow, d: DriverRow, known: Described) -> Flat:
    key = *_fan_out_key(p, known), known.statement(d.statement), _site(d.site, known)
    return key, (d.n, d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy), (), ()


def _dependency(d: DependencyRow, known: Described) -> Flat:
    key = known.peer(d.kind, d.peer, d.operation), known.site(d.function, d.file, d.line), known.entry(d.entry)
    return key, (d.calls, d.timeouts, d.retries, d.wall.sum), (d.errors,), (_plain(d.wall),)


def _site(site: SiteRow, known: Described) -> int:
    return known.site(site.function, site.file, site.line)


def _plain(h: Histogram) -> Distribution:
    if h.scale > FINEST:
        h = h.at_scale(FINEST)
    low = -1 if h.min is None else h.min
    high = -1 if h.max is None else h.max
    return h.scale, h.count, h.sum, low, high, h.zero, h.offset, h.counts


class Described:
    """The names of one window, as numbers."""

    def __init__(self, window: Window, names: Names) -> None:
        self._window, self._names = window, names
        self._kinds = {row.entry: row.kind for row in window.entries}
        self._functions: dict[str, int] = {}
        self._entries: dict[str, int] = {}

    def entry(self, name: str) -> int:
        """An entry, of the kind that the window tells."""
        found = self._entries.get(name)
        if found is None:
            found = self._entries[name] = self._names.entry(name, self._kinds.get(name, ""))
        return found

    def function(self, name: str) -> int:
        """A function, with the code that the window tells."""
        found = self._functions.get(name)
        if found is None:
            found = self._functions[name] = self._names.function(name, self._window.functions.get(name, Definition()))
        return found

    def statement(self, key: str) -> int:
        """A statement, with its text."""
        return self._names.statement(key, self._window.statements.get(key, Statement(text="")))

    def site(self, function: str, file: str, line: int) -> int:
        """A place in the code."""
        return self._names.site(function, file, line)

    def peer(self, kind: str, peer: str, operation: str) -> int:
        """An operation of another service."""
        return self._names.peer(kind, peer, operation)

"""A window as rows of numbers."""

from __future__ import annotations

from burnish.histogram import Histogram
from burnish_tools.runtime.format import Definition, DependencyRow, PerCallRow, SiteRow, Statement, Window
from burnish_tools.runtime.sqlite.names import Names
from burnish_tools.runtime.sqlite.rows import (
    CALL_ROWS,
    DEPENDENCY_ROWS,
    DRIVER_ROWS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    QUERY_ROWS,
    Row,
    Rows,
)
from burnish_tools.runtime.tally import Tally


class Described:
    """The names of one window, as numbers."""

    def __init__(self, window: Window, names: Names) -> None:
        self._window, self._names = window, names
        self._kinds = {row.entry: row.kind for row in window.entries}

    def entry(self, name: str) -> int:
        return self._names.entry(name, self._kinds.get(name, ""))

    def function(self, name: str) -> int:
        return self._names.function(name, self._window.functions.get(name, Definition()))

    def statement(self, key: str) -> int:
        return self._names.statement(key, self._window.statements.get(key, Statement(text="")))

    def site(self, site: SiteRow) -> int:
        return self._names.site(site)

    def peer(self, row: DependencyRow) -> int:
        return self._names.peer(row.kind, row.peer, row.operation)


def rows_of(window: Window, names: Names) -> Rows:
    """The rows of a window."""
    rows, known = Rows(), Described(window, names)
    for e in window.entries:
        row = Row((e.calls, e.wall.sum, e.queries.sum), (e.errors, e.status), (_tally(e.wall), _tally(e.queries)))
        rows.put(ENTRY_ROWS, (known.entry(e.entry),), row)
    executions: dict[tuple[str, str], float] = {}
    for p in window.per_call:
        executions[p.function, p.entry] = executions.get((p.function, p.entry), 0.0) + p.executions.sum
    for c in window.calls:
        queries = executions.pop((c.function, c.entry), 0.0)
        numbers = c.calls, c.wall.sum, c.own.sum, queries, c.error.calls**2, c.error.wall**2
        row = Row(numbers, (c.errors, c.callers), (_tally(c.wall), _tally(c.own)))
        rows.put(CALL_ROWS, (known.function(c.function), known.entry(c.entry)), row)
    for q in window.queries:
        unknown = q.executions if q.rows is None else 0
        row = Row((q.executions, q.rows or 0, unknown, q.wall.sum), (q.errors,), (_tally(q.wall),))
        site = known.site(SiteRow(function=q.function, file=q.file, line=q.line))
        rows.put(QUERY_ROWS, (known.statement(q.statement), site, known.entry(q.entry)), row)
    for p in window.per_call:
        _put_per_call(rows, p, known)
    for d in window.dependencies:
        row = Row((d.calls, d.timeouts, d.retries, d.wall.sum), (d.errors,), (_tally(d.wall),))
        site = known.site(SiteRow(function=d.function, file=d.file, line=d.line))
        rows.put(DEPENDENCY_ROWS, (known.peer(d), site, known.entry(d.entry)), row)
    return rows


def _put_per_call(rows: Rows, p: PerCallRow, known: Described) -> None:
    key = known.function(p.function), known.statement(p.statement), known.site(p.site), known.entry(p.entry)
    row = Row((p.calls, p.executions.sum, p.identical, p.time_ns), (), (_tally(p.executions),))
    rows.put(FAN_OUT_ROWS, key, row)
    if (d := p.driver) is not None:
        sums = Row((d.n, d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy), (), ())
        rows.put(DRIVER_ROWS, (*key, known.statement(d.statement), known.site(d.site)), sums)


def _tally(histogram: Histogram) -> Tally:
    return Tally().add(histogram)

"""A window as rows of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from burnish_tools.runtime.bounded import Distribution
from burnish_tools.runtime.clickhouse.buckets import columns
from burnish_tools.runtime.clickhouse.names import Names
from burnish_tools.runtime.clickhouse.tables import (
    CALL_ROWS,
    DEPENDENCY_ROWS,
    DRIVER_ROWS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    POINTS,
    QUERY_ROWS,
)
from burnish_tools.runtime.format import PerCallRow, SiteRow, Statement, Window
from burnish_tools.runtime.limits import OTHER

Values = tuple[Any, ...]
Site = tuple[str, str, int]


class Rows:
    """The rows of one window. Names beyond the bound are `<other>`, and counted in `names.dropped`."""

    def __init__(self, window: Window, names: Names) -> None:
        self._window, self._names = window, names
        self._kinds = {row.entry: row.kind for row in window.entries}
        self._functions: dict[str, str] = {}
        self._entries: dict[str, str] = {}
        self.statements: dict[int, Statement] = {}
        """Those named, by number; their hash is in `hashes`."""
        self.hashes: dict[int, str] = {}
        names.begin(window.service, window.start_unix_ns)
        owner = window.service, window.environment, window.release, window.start_unix_ns
        self.by_table: dict[str, list[Values]] = {
            table.name: [(*owner, *row) for row in rows]
            for table, rows in (
                (ENTRY_ROWS, self._entry_rows()),
                (CALL_ROWS, self._call_rows()),
                (QUERY_ROWS, self._query_rows()),
                (FAN_OUT_ROWS, self._fan_out_rows()),
                (DRIVER_ROWS, self._driver_rows()),
                (DEPENDENCY_ROWS, self._dependency_rows()),
                (POINTS, self._points()),
            )
        }

    def _entry_rows(self) -> Iterator[Values]:
        for e in self._window.entries:
            entry = self._entry(e.entry)
            kind = e.kind if entry == e.entry else ""
            yield entry, kind, e.calls, e.errors, e.status, *columns(e.wall), *columns(e.queries)

    def _call_rows(self) -> Iterator[Values]:
        executions = self._executions()
        for c in self._window.calls:
            variances = c.error.calls**2, c.error.wall**2
            queries = executions.pop((c.function, c.entry), 0.0)
            key = self.function(c.function), self._entry(c.entry)
            yield *key, c.calls, queries, *variances, c.errors, c.callers, *columns(c.wall), *columns(c.own)

    def _executions(self) -> dict[tuple[str, str], float]:
        """Statements inside calls, by (function, entry)."""
        executions: dict[tuple[str, str], float] = {}
        for p in self._window.per_call:
            executions[p.function, p.entry] = executions.get((p.function, p.entry), 0.0) + p.executions.sum
        return executions

    def _query_rows(self) -> Iterator[Values]:
        for q in self._window.queries:
            key = self._statement(q.statement), *self._site(q), self._entry(q.entry)
            unknown = q.executions if q.rows is None else 0
            yield *key, q.executions, q.rows or 0, unknown, q.errors, *columns(q.wall)

    def _fan_out_rows(self) -> Iterator[Values]:
        for p in self._window.per_call:
            yield *self._fan_out(p), self._entry(p.entry), p.calls, p.identical, p.time_ns, *columns(p.executions)

    def _fan_out(self, p: PerCallRow) -> tuple[str, int, str, str, int]:
        return self.function(p.function), self._statement(p.statement), *self._site(p.site)

    def _driver_rows(self) -> Iterator[Values]:
        for p in self._window.per_call:
            if p.driver is not None:
                d = p.driver
                by = self._statement(d.statement), *self._site(d.site)
                yield *self._fan_out(p), *by, d.n, d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy

    def _dependency_rows(self) -> Iterator[Values]:
        for d in self._window.dependencies:
            known = self._names.allows("peers", d.kind, d.peer, d.operation)
            key = (d.kind, d.peer, d.operation) if known else (OTHER, "", "")
            numbers = d.calls, d.timeouts, d.retries
            yield *key, *self._site(d), self._entry(d.entry), *numbers, d.errors, *columns(d.wall)

    def _points(self) -> Iterator[Values]:
        window, executions = self._window, self._executions()
        sums: dict[tuple[str, str], list[float]] = {}
        for c in window.calls:
            queries = executions.pop((c.function, c.entry), 0.0)
            _add(sums, (self.function(c.function), self._entry(c.entry)), c.calls, c.wall, queries)
        for e in window.entries:
            _add(sums, ("", self._entry(e.entry)), e.calls, e.wall, e.queries.sum)
        length = window.end_unix_ns - window.start_unix_ns
        for (function, entry), (calls, wall, queries) in sums.items():
            yield function, entry, window.instance, window.sequence, int(calls), wall, queries, length

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def function(self, name: str) -> str:
        """A function's name, as it may stay."""
        if name not in self._functions:
            self._functions[name] = self._names.name("functions", name)
        return self._functions[name]

    def _entry(self, name: str) -> str:
        if name not in self._entries:
            self._entries[name] = self._names.name("entries", name)
        return self._entries[name]

    def _site(self, row: SiteRow | Any) -> Site:
        known = self._names.allows("sites", row.function, row.file, row.line)
        return (row.function, row.file, row.line) if known else (OTHER, "", 0)

    def _statement(self, key: str) -> int:
        statement = self._window.statements.get(key, Statement(text=""))
        if not self._names.allows("statements", key, statement.text, statement.system):
            key, statement = OTHER, Statement(text="")
        number = statement_number(key, statement.text, statement.system)
        self.statements[number], self.hashes[number] = statement, key
        return number


def _add(
    sums: dict[tuple[str, str], list[float]], key: tuple[str, str], calls: int, wall: Distribution, queries: float
) -> None:
    total = sums.setdefault(key, [0, 0.0, 0.0])
    for i, value in enumerate((calls, wall.sum, queries)):
        total[i] += value


@lru_cache(50_000)
def statement_number(key: str, text: str, system: str) -> int:
    """A number for a statement: 64 bits of a hash, so that every collector gives the same one."""
    return int.from_bytes(hashlib.sha256(f"{key}\0{system}\0{text}".encode("utf-8", "replace")).digest()[:8], "little")


def in_columns(rows: Sequence[Rows]) -> dict[str, list[Values]]:
    """The rows of many windows, by table."""
    together: dict[str, list[Values]] = {}
    for one in rows:
        for table, values in one.by_table.items():
            together.setdefault(table, []).extend(values)
    return together

"""A profile out of the stored rows: sums over entries, over versions of a function's code and over time."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from burnish.job import Site
from burnish.profile import DependencyStats, Driver, EntryStats, FanOut, FunctionStats, QueryStats
from burnish_tools.runtime.sqlite.rows import (
    CALL_ROWS,
    DEPENDENCY_ROWS,
    DRIVER_ROWS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    QUERY_ROWS,
    Counter,
    Key,
    Row,
    Table,
    loaded,
)

DAY_NS = 24 * 3600 * 10**9


@dataclass
class Named:
    """The names behind the numbers, and the rows of a set of spans."""

    db: sqlite3.Connection
    functions: Mapping[int, tuple[Any, ...]]
    statements: Mapping[int, tuple[str, str, str]]
    sites: Mapping[int, Site]
    entries: Mapping[int, tuple[str, str]]
    peers: Mapping[int, tuple[str, str, str]]
    last_seen: Mapping[int, int]
    """When a version of a function's code ran last."""
    spans: str
    """Condition on `span_id`, with its numbers written out."""

    @classmethod
    def of(cls, db: sqlite3.Connection, owner: tuple[str, str, str], spans: Iterable[int]) -> Named:
        """Everything needed to read these spans of (service, environment, release)."""
        seen = "SELECT function_id, unix_ns FROM last_seen WHERE service = ? AND environment = ? AND release = ?"
        return cls(
            db,
            {row[0]: row[1:] for row in db.execute("SELECT id, name, file, line, end_line, body, kind FROM functions")},
            {row[0]: row[1:] for row in db.execute("SELECT id, hash, text, system FROM statements")},
            {
                number: Site(function=function, file=file, line=line)
                for number, function, file, line in db.execute("SELECT id, function, file, line FROM sites")
            },
            {row[0]: row[1:] for row in db.execute("SELECT id, entry, kind FROM entries")},
            {row[0]: row[1:] for row in db.execute("SELECT id, kind, peer, operation FROM peers")},
            dict(db.execute(seen, owner).fetchall()),
            f"span_id IN ({', '.join(str(int(span)) for span in spans)})",
        )

    def rows(self, table: Table) -> Iterable[tuple[Key, Row]]:
        """The rows of a table."""
        columns = ", ".join(table.columns)
        return loaded(table, self.db.execute(f"SELECT {columns} FROM {table.name} WHERE {self.spans}"))


class Sums:
    """Rows added up under a new key, each with a counter by some name (an entry)."""

    def __init__(self) -> None:
        self.rows: dict[Any, tuple[Row, Counter]] = {}

    def add(self, key: Any, row: Row, name: str = "") -> None:
        """Adds a row; `name` is counted with the row's first number."""
        if key in self.rows:
            total, names = self.rows[key]
            total.add(row)
        else:
            total, names = row, {}
            self.rows[key] = total, names
        names[name] = names.get(name, 0) + int(row.numbers[0])


def entries(named: Named) -> tuple[EntryStats, ...]:
    """All entries, in order of name."""
    sums = Sums()
    for (entry,), row in named.rows(ENTRY_ROWS):
        sums.add(named.entries[entry], row)
    return tuple(
        EntryStats(
            entry=entry,
            kind=kind,
            calls=int(row.numbers[0]),
            errors=_sorted(row.counters[0]),
            wall=row.tallies[0].histogram(),
            queries=row.tallies[1].histogram(),
        )
        for (entry, kind), (row, _) in sorted(sums.rows.items())
    )


def functions(named: Named) -> tuple[FunctionStats, ...]:
    """All functions, in order of name; file, lines and body are those that ran last."""
    sums, newest = Sums(), dict[str, int]()
    for (function, entry), row in named.rows(CALL_ROWS):
        name = named.functions[function][0]
        newest[name] = max(newest.get(name, function), function, key=lambda f: (named.last_seen[f], f))
        sums.add(name, row, named.entries[entry][0])
    return tuple(_function(named.functions[newest[name]], *sums.rows[name]) for name in sorted(newest))


def _function(definition: tuple[Any, ...], row: Row, by_entry: Counter) -> FunctionStats:
    name, file, line, end_line, body, kind = definition
    return FunctionStats(
        function=name,
        file=file,
        line=line,
        end_line=end_line,
        body=body,
        kind=kind,
        calls=int(row.numbers[0]),
        errors=_sorted(row.counters[0]),
        wall=row.tallies[0].histogram(),
        own=row.tallies[1].histogram(),
        entries=_sorted(by_entry),
        callers=_sorted(row.counters[1]),
        errors_of_sampling=(math.sqrt(row.numbers[4]), math.sqrt(row.numbers[5])),
    )


def by_entry(
    db: sqlite3.Connection, owner: tuple[str, str], release: str | None, function: str, span: tuple[int, int]
) -> dict[str, FunctionStats]:
    """One function by entry, out of the hours that begin in a span; whole days are read as such."""
    sums, newest = Sums(), (-1, -1)
    definition: tuple[Any, ...] = ()
    columns = ", ".join(f"r.{column}" for column in CALL_ROWS.columns)
    found = db.execute(_BY_ENTRY.format(columns=columns), _levels(span) | _owned(owner, release) | {"name": function})
    for values in found:
        code, (start, entry) = values[:6], values[6:8]
        ((key, row),) = loaded(CALL_ROWS, (values[8:],))
        sums.add(entry, row, entry)
        if (start, key[0]) >= newest:
            newest, definition = (start, key[0]), code
    return {entry: _function(definition, row, named) for entry, (row, named) in sorted(sums.rows.items())}


def _levels(span: tuple[int, int]) -> dict[str, int]:
    """The whole days of a span, and its ends; no day: all of it is ends."""
    first, last = -(-span[0] // DAY_NS) * DAY_NS, span[1] // DAY_NS * DAY_NS
    return {"start": span[0], "end": span[1], "first": first, "last": max(first, last)}


def _owned(owner: tuple[str, str], release: str | None) -> dict[str, Any]:
    return {"service": owner[0], "environment": owner[1], "release": release}


def queries(named: Named) -> tuple[QueryStats, ...]:
    """All statements at all call sites, in order of site and statement."""
    sums = Sums()
    for (statement, site, entry), row in named.rows(QUERY_ROWS):
        sums.add((statement, site), row, named.entries[entry][0])
    found = (_query(named, key, *value) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda q: (q.site.function, q.site.line, q.site.file, q.statement_id, q.system)))


def _query(named: Named, where: tuple[int, int], row: Row, by_entry: Counter) -> QueryStats:
    statement, site = where
    key, text, system = named.statements[statement]
    executions, rows, unknown, _ = row.numbers
    return QueryStats(
        statement_id=key,
        statement=text,
        system=system,
        site=named.sites[site],
        executions=int(executions),
        errors=_sorted(row.counters[0]),
        wall=row.tallies[0].histogram(),
        rows=None if unknown else int(rows),
        entries=_sorted(by_entry),
    )


def dependencies(named: Named) -> tuple[DependencyStats, ...]:
    """All calls of other services, in order of peer, operation and site."""
    sums = Sums()
    for (peer, site, entry), row in named.rows(DEPENDENCY_ROWS):
        sums.add((peer, site), row, named.entries[entry][0])
    found = (_dependency(named, key, *value) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda d: (d.kind, d.peer, d.operation, d.site.function, d.site.line, d.site.file)))


def _dependency(named: Named, where: tuple[int, int], row: Row, by_entry: Counter) -> DependencyStats:
    kind, peer, operation = named.peers[where[0]]
    calls, timeouts, retries, _ = row.numbers
    return DependencyStats(
        kind=kind,
        peer=peer,
        operation=operation,
        site=named.sites[where[1]],
        calls=int(calls),
        errors=_sorted(row.counters[0]),
        timeouts=int(timeouts),
        retries=int(retries),
        wall=row.tallies[0].histogram(),
        entries=_sorted(by_entry),
    )


def fan_outs(named: Named) -> tuple[FanOut, ...]:
    """How often one call of each function ran each statement, in order of function, site and statement."""
    sums, drivers = Sums(), _drivers(named)
    for (function, statement, site, entry), row in named.rows(FAN_OUT_ROWS):
        key = named.functions[function][0], statement, site
        sums.add(key, row, named.entries[entry][0])
    found = (_fan_out(named, key, *value, drivers.get(key)) for key, value in sums.rows.items())
    return tuple(sorted(found, key=lambda f: (f.function, f.site.function, f.site.line, f.statement_id, f.system)))


def _fan_out(named: Named, key: tuple[str, int, int], row: Row, by_entry: Counter, driver: Driver | None) -> FanOut:
    function, statement, site = key
    text_id, text, system = named.statements[statement]
    calls, _, identical, time_ns = row.numbers
    return FanOut(
        function=function,
        statement_id=text_id,
        statement=text,
        system=system,
        site=named.sites[site],
        entries=_sorted(by_entry),
        calls=int(calls),
        executions=row.tallies[0].histogram(),
        identical=int(identical),
        time_ns=int(time_ns),
        driver=driver,
    )


def _drivers(named: Named) -> dict[tuple[str, int, int], Driver]:
    """The most frequent driver of each (function, statement, site)."""
    sums = Sums()
    for (function, statement, site, _, *by), row in named.rows(DRIVER_ROWS):
        sums.add((named.functions[function][0], statement, site, *by), row)
    best: dict[tuple[str, int, int], Driver] = {}
    for (function, statement, site, by_statement, by_site), (row, _) in sums.rows.items():
        n, *rest = row.numbers
        text_id, text, _ = named.statements[by_statement]
        names = ("sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")
        driver = Driver(
            statement_id=text_id,
            statement=text,
            site=named.sites[by_site],
            n=int(n),
            **dict(zip(names, rest, strict=True)),
        )
        key = function, statement, site
        if key not in best or _order(driver) < _order(best[key]):
            best[key] = driver
    return best


def _order(driver: Driver) -> tuple[int, str, str, int]:
    return -driver.n, driver.statement_id, driver.site.function, driver.site.line


def _sorted(counter: Counter) -> dict[str, int]:
    return dict(sorted(counter.items()))


_BY_ENTRY = """
SELECT f.name, f.file, f.line, f.end_line, f.body, f.kind, s.start_unix_ns, e.entry, {columns}
FROM functions f
JOIN call_rows r ON r.function_id = f.id
JOIN spans s ON s.id = r.span_id
JOIN entries e ON e.id = r.entry_id
WHERE f.name = :name AND s.service = :service AND s.environment = :environment
    AND (:release IS NULL OR s.release = :release)
    AND ((s.level = 2 AND s.start_unix_ns >= :first AND s.start_unix_ns < :last)
      OR (s.level = 1 AND s.start_unix_ns >= :start AND s.start_unix_ns < :end
          AND NOT (s.start_unix_ns >= :first AND s.start_unix_ns < :last)))
ORDER BY s.start_unix_ns
"""

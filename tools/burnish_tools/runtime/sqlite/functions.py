"""The entries and functions of a profile, summed over entries, versions of the code and time."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

from burnish.profile import EntryStats, FunctionStats
from burnish_tools.runtime.sqlite.named import Named, Totals, in_order
from burnish_tools.runtime.sqlite.rows import CALL_ROWS, ENTRY_ROWS, Counter, Row, loaded
from burnish_tools.runtime.sqlite.sums import DAY_NS


def entries(named: Named) -> tuple[EntryStats, ...]:
    """All entries, in order of name."""
    sums = Totals()
    for (entry,), row in named.rows(ENTRY_ROWS):
        sums.add(named.entry(entry), row)
    return tuple(
        EntryStats.model_construct(
            entry=entry,
            kind=kind,
            calls=int(row.numbers[0]),
            errors=in_order(row.counters[0]),
            wall=row.tallies[0].histogram(),
            queries=row.tallies[1].histogram(),
        )
        for (entry, kind), (row, _) in sorted(sums.rows.items())
    )


def functions(named: Named) -> tuple[FunctionStats, ...]:
    """All functions, in order of name; file, lines and body are those that ran last."""
    sums, newest = Totals(), dict[str, int]()
    for (function, entry), row in named.rows(CALL_ROWS):
        name = named.function(function)[0]
        if newest.setdefault(name, function) != function:
            newest[name] = max(newest[name], function, key=lambda f: (named.last_seen(f), f))
        sums.add(name, row, named.entry(entry)[0])
    return tuple(_function(named.function(newest[name]), *sums.rows[name]) for name in sorted(newest))


def _function(definition: tuple[Any, ...], row: Row, by_entry: Counter) -> FunctionStats:
    name, file, line, end_line, body, kind = definition
    return FunctionStats.model_construct(
        function=name,
        file=file,
        line=line,
        end_line=end_line,
        body=body,
        kind=kind,
        calls=int(row.numbers[0]),
        errors=in_order(row.counters[0]),
        wall=row.tallies[0].histogram(),
        own=row.tallies[1].histogram(),
        entries=in_order(by_entry),
        callers=in_order(row.counters[1]),
        errors_of_sampling=(math.sqrt(row.numbers[4]), math.sqrt(row.numbers[5])),
    )


def by_entry(
    db: sqlite3.Connection, owner: tuple[str, str], release: str | None, function: str, span: tuple[int, int]
) -> dict[str, FunctionStats]:
    """One function by entry, out of the hours that begin in a span; whole days are read as such."""
    sums, newest = Totals(), (-1, -1)
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

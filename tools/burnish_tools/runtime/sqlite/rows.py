"""The rows of a span in memory, and their sums: what ingest writes, what hours and days are added up from.

Every table of rows has the same make: key columns, numbers and counters and histograms that add. `TABLES` says which,
and everything that reads, writes or sums rows goes by it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import add
from typing import Any

from burnish_tools.runtime.tally import Tally

Key = tuple[Any, ...]
Counter = dict[str, int]


@dataclass(frozen=True)
class Table:
    """A table of rows that add."""

    name: str
    keys: tuple[str, ...]
    numbers: tuple[str, ...]
    counters: tuple[str, ...] = ()
    histograms: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All but the span."""
        return self.keys + self.numbers + self.counters + self.histograms


ENTRY_ROWS = Table(
    "entry_rows", ("entry_id",), ("calls", "wall_ns", "executions"), ("errors", "status"), ("wall", "queries")
)
CALL_ROWS = Table(
    "call_rows",
    ("function_id", "entry_id"),
    ("calls", "wall_ns", "own_ns", "queries", "calls_variance", "wall_variance"),
    ("errors", "callers"),
    ("wall", "own"),
)
QUERY_ROWS = Table(
    "query_rows",
    ("statement_id", "site_id", "entry_id"),
    ("executions", "rows", "rows_unknown", "time_ns"),
    ("errors",),
    ("wall",),
)
FAN_OUT_ROWS = Table(
    "fan_out_rows",
    ("function_id", "statement_id", "site_id", "entry_id"),
    ("calls", "executions", "identical", "time_ns"),
    (),
    ("per_call",),
)
DRIVER_ROWS = Table(
    "driver_rows",
    (*FAN_OUT_ROWS.keys, "driver_statement_id", "driver_site_id"),
    ("n", "sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy"),
)
DEPENDENCY_ROWS = Table(
    "dependency_rows",
    ("peer_id", "site_id", "entry_id"),
    ("calls", "timeouts", "retries", "time_ns"),
    ("errors",),
    ("wall",),
)
TABLES = (ENTRY_ROWS, CALL_ROWS, QUERY_ROWS, FAN_OUT_ROWS, DRIVER_ROWS, DEPENDENCY_ROWS)


class Row:
    """The adding part of a row."""

    __slots__ = ("counters", "numbers", "tallies")

    def __init__(self, numbers: Iterable[float], counters: Iterable[Counter], tallies: Iterable[Tally]) -> None:
        self.numbers = list(numbers)
        self.counters = [dict(counter) for counter in counters]
        self.tallies = list(tallies)

    def add(self, other: Row) -> None:
        """Adds another row of the same table."""
        self.numbers = list(map(add, self.numbers, other.numbers))
        for mine, theirs in zip(self.counters, other.counters, strict=True):
            if theirs:
                count(mine, theirs)
        for tally, one in zip(self.tallies, other.tallies, strict=True):
            tally.add_tally(one)

    def copy(self) -> Row:
        """An independent copy."""
        return Row(self.numbers, self.counters, [Tally().add_tally(one) for one in self.tallies])


def count(into: Counter, more: Counter) -> None:
    """Adds counts by key."""
    for key, n in more.items():
        into[key] = into.get(key, 0) + n


@dataclass
class Rows:
    """All rows of one span, by table and key."""

    tables: dict[str, dict[Key, Row]] = field(default_factory=lambda: {table.name: {} for table in TABLES})

    def put(self, table: Table, key: Key, row: Row) -> None:
        """Adds a row; takes it over where the key is new."""
        rows = self.tables[table.name]
        if key in rows:
            rows[key].add(row)
        else:
            rows[key] = row

    def add(self, other: Rows) -> None:
        """Adds all rows of another span; the other stays as it is."""
        for table in TABLES:
            mine = self.tables[table.name]
            for key, row in other.tables[table.name].items():
                if key in mine:
                    mine[key].add(row)
                else:
                    mine[key] = row.copy()

    def write(self, db: sqlite3.Connection, span: int) -> None:
        """Writes all rows as those of a span, over what was there."""
        for table in TABLES:
            columns = ("span_id", *table.columns)
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
            rows = self.tables[table.name].items()
            db.executemany(statement, ((span, *key, *_stored(row)) for key, row in rows))

    @classmethod
    def of_span(cls, db: sqlite3.Connection, span: int) -> Rows:
        """Reads the rows of a span."""
        rows = cls()
        for table in TABLES:
            found = db.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE span_id = ?", (span,))
            rows.tables[table.name] = dict(loaded(table, found))
        return rows


def loaded(table: Table, stored: Iterable[Key]) -> Iterator[tuple[Key, Row]]:
    """Stored rows (the table's columns in order) as keys and rows."""
    a = len(table.keys)
    b = a + len(table.numbers)
    c = b + len(table.counters)
    for values in stored:
        yield values[:a], Row(values[a:b], map(_counter, values[b:c]), (Tally().add_packed(v) for v in values[c:]))


def _counter(text: str) -> Counter:
    return json.loads(text) if text != "{}" else {}


def _stored(row: Row) -> Iterator[Any]:
    yield from row.numbers
    for counter in row.counters:
        yield json.dumps(counter, sort_keys=True) if counter else "{}"
    for tally in row.tallies:
        yield tally.packed()

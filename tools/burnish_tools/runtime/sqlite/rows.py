"""The rows of a span in memory: as a window has them (`Flat`), and adding up (`Row`).

Every table of rows has the same make: key columns, numbers and counters and histograms that add. `TABLES` says which,
and everything that reads, writes or sums rows goes by it.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from pydantic_core import from_json

from burnish_tools.runtime.bounded import Distribution as Sent
from burnish_tools.runtime.tally import Tally, added_up

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


Distribution = tuple[int, int, float, float, float, int, int, Sequence[int]]
"""A histogram: scale, count, sum, minimum and maximum (-1: not known), zero, offset, counts."""
Flat = tuple[Key, tuple[float, ...], tuple[Counter, ...], tuple[Distribution, ...]]
"""A row of one window: its key, numbers, counters and distributions. Plain tuples: there are very many."""


@dataclass(frozen=True)
class Columns:
    """The rows that a window has of one table, column by column: there are very many, and so they are kept."""

    keys: Sequence[Sequence[int]] = ()
    numbers: Sequence[Sequence[float]] = ()
    counters: Sequence[Sequence[Counter]] = ()
    histograms: Sequence[Sequence[Sent]] = ()


Detail = dict[str, Columns]
"""The rows of a window, by table."""


class Row:
    """The adding part of a row."""

    __slots__ = ("counters", "numbers", "tallies")

    def __init__(self, numbers: Iterable[float], counters: Iterable[Counter], tallies: Iterable[Tally]) -> None:
        self.numbers = list(numbers)
        self.counters = [dict(counter) for counter in counters]
        self.tallies = list(tallies)

    @classmethod
    def zero(cls, table: Table) -> Row:
        """A row of nothing."""
        return cls([0] * len(table.numbers), ({} for _ in table.counters), [Tally() for _ in table.histograms])

    def add_flat(self, row: Flat) -> None:
        """Adds a row of a window."""
        _, numbers, counters, distributions = row
        self.numbers = list(map(add, self.numbers, numbers))
        for mine, theirs in zip(self.counters, counters, strict=True):
            if theirs:
                count(mine, theirs)
        for tally, (scale, n, total, low, high, zero, offset, counts) in zip(self.tallies, distributions, strict=True):
            lanes = int.from_bytes(array("Q", counts).tobytes(), "little")
            ends = math.inf if low < 0 else low, -math.inf if high < 0 else high
            tally.add_lanes(scale, n, total, *ends, zero, offset, lanes)

    def add(self, other: Row) -> None:
        """Adds another row of the same table."""
        self.numbers = list(map(add, self.numbers, other.numbers))
        for mine, theirs in zip(self.counters, other.counters, strict=True):
            if theirs:
                count(mine, theirs)
        for tally, one in zip(self.tallies, other.tallies, strict=True):
            tally.add_tally(one)


def count(into: Counter, more: Counter) -> None:
    """Adds counts by key."""
    for key, n in more.items():
        into[key] = into.get(key, 0) + n


def loaded(table: Table, stored: Iterable[Key]) -> Iterator[tuple[Key, Row]]:
    """Stored rows (the table's columns in order) as keys and rows."""
    a = len(table.keys)
    b = a + len(table.numbers)
    c = b + len(table.counters)
    for values in stored:
        yield values[:a], Row(values[a:b], map(_counter, values[b:c]), (Tally().add_packed(v) for v in values[c:]))


def summed(table: Table, stored: Iterable[Key]) -> dict[Key, Row]:
    """Stored rows of several spans, added up by key."""
    a = len(table.keys)
    same: dict[Key, list[Key]] = {}
    for values in stored:
        same.setdefault(values[:a], []).append(values)
    return {key: _sum(table, rows) for key, rows in same.items()}


def _sum(table: Table, rows: Sequence[Key]) -> Row:
    """The sum of stored rows with one key, column by column: that of a histogram is then one loop."""
    a = len(table.keys)
    b = a + len(table.numbers)
    c = b + len(table.counters)
    numbers: Sequence[float] = rows[0][a:b]
    for row in rows[1:]:
        numbers = tuple(map(add, numbers, row[a:b]))
    columns = list(zip(*rows, strict=True))
    return Row(numbers, map(_counted, columns[b:c]), map(added_up, columns[c:]))


def _counted(texts: Iterable[str]) -> Counter:
    total: Counter = {}
    for text in texts:
        if text != "{}":
            count(total, from_json(text))
    return total


def _counter(text: str) -> Counter:
    return json.loads(text) if text != "{}" else {}


def stored(row: Row) -> Iterator[Any]:
    """The values of a row's columns, after those of its key."""
    yield from row.numbers
    for counter in row.counters:
        yield json.dumps(counter, sort_keys=True) if counter else "{}"
    for tally in row.tallies:
        yield tally.packed()

"""The other side of the comparison: the rows of windows written by `executemany`, and nothing else.

One row for each function (call site, statement) and window, in the columns that the dataset has: numbers, counters as
JSON, histograms packed; with the indexes that reading them by window and by function needs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from burnish_tools.runtime.bounded import Distribution
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.tally import Tally

Rows = list[tuple[Any, ...]]
BATCH = 25
_TABLES = {
    "entry_rows": "span, entry, calls, wall_ns, queries_sum, errors, status, wall, queries",
    "call_rows": "span, function, entry, calls, wall_ns, own_ns, queries, errors, callers, wall, own",
    "query_rows": "span, statement, site, entry, executions, rows, time_ns, errors, wall",
    "fan_out_rows": "span, function, statement, site, entry, calls, executions, identical, time_ns, per_call",
    "samples": "span, function, looked, exemplars",
}
_KEYS = {"entry_rows": 2, "call_rows": 3, "query_rows": 4, "fan_out_rows": 5, "samples": 2}


def tables(windows: Sequence[Window]) -> list[dict[str, Rows]]:
    """The rows by window and table, ready to be written."""
    numbers: dict[Any, int] = {}

    def n(*name: Any) -> int:
        return numbers.setdefault(name, len(numbers) + 1)

    return [
        {
            "entry_rows": [
                (span, n(e.entry), e.calls, e.wall.sum, e.queries.sum, _json(e.errors), _json(e.status),
                 _packed(e.wall), _packed(e.queries))
                for e in window.entries
            ],
            "call_rows": [
                (span, n(c.function), n(c.entry), c.calls, c.wall.sum, c.own.sum, 0.0, _json(c.errors),
                 _json(c.callers), _packed(c.wall), _packed(c.own))
                for c in window.calls
            ],
            "query_rows": [
                (span, n(q.statement), n(q.function, q.line), n(q.entry), q.executions, q.rows, q.wall.sum,
                 _json(q.errors), _packed(q.wall))
                for q in window.queries
            ],
            "fan_out_rows": [
                (span, n(p.function), n(p.statement), n(p.site.function, p.site.line), n(p.entry), p.calls,
                 p.executions.sum, p.identical, p.time_ns, _packed(p.executions))
                for p in window.per_call
            ],
            "samples": [
                (span, n(c.function), msgspec.json.encode(c).decode(),
                 _json([e.facts for e in window.exemplars if e.function == c.function]))
                for c in window.conditions
            ],
        }
        for span, window in enumerate(windows)
    ]  # fmt: skip


def write(path: Path, windows: Sequence[dict[str, Rows]], *, found: bool = True) -> None:
    """Writes them, 25 windows a transaction; with no key and no index where they need not be `found` again."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    for table, columns in _TABLES.items():
        key = ", ".join(columns.split(", ")[: _KEYS[table]])
        db.execute(f"CREATE TABLE {table} ({columns}{f', PRIMARY KEY ({key})' if found else ''})")
    if found:
        db.execute("CREATE INDEX calls_of_function ON call_rows (function, span, entry, calls, wall_ns, queries)")
    for i in range(0, len(windows), BATCH):
        db.execute("BEGIN IMMEDIATE")
        for rows in windows[i : i + BATCH]:
            for table, some in rows.items():
                marks = ", ".join("?" * len(_TABLES[table].split(", ")))
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        db.execute("COMMIT")
    db.close()


def _json(value: Any) -> str:
    return json.dumps(value)


def _packed(sent: Distribution) -> bytes:
    return Tally().add(sent.histogram()).packed()

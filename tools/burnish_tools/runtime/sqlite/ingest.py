"""Windows into the dataset: the rows of the window itself, and the sums of its hour and its day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from burnish_tools.runtime.format import Window
from burnish_tools.runtime.sqlite import samples
from burnish_tools.runtime.sqlite.names import Names, inserted
from burnish_tools.runtime.sqlite.rows import CALL_ROWS, DEPENDENCY_ROWS, DRIVER_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Rows
from burnish_tools.runtime.sqlite.windows import rows_of
from burnish_tools.runtime.store import Taken

HOUR_NS = 3600 * 10**9
LEVELS = {1: HOUR_NS, 2: 24 * HOUR_NS}
"""Length of the sums' buckets in ns, by level; a window belongs to the bucket in which it began."""

DETAIL_NS = 6 * HOUR_NS
"""How long windows keep all of their rows. Before that, a profile begins at a whole hour."""

Bucket = tuple[str, str, str, int, int]
"""service, environment, release, level, start"""


def ingest(db: sqlite3.Connection, windows: Iterable[Window]) -> Taken:
    """Takes windows in, inside the caller's transaction."""
    names, new, duplicates = Names(db), 0, 0
    hours: dict[Bucket, tuple[int, Rows]] = {}
    for window in windows:
        span = _new_span(db, window)
        if span is None:
            duplicates += 1
            continue
        rows = rows_of(window, names)
        rows.write(db, span)
        samples.write(db, span, window, names)
        _mark_seen(db, window, rows)
        new += 1
        bucket = _bucket(window, 1)
        end, total = hours.setdefault(bucket, (0, Rows()))
        total.add(rows)
        hours[bucket] = max(end, window.end_unix_ns), total
    for bucket, (end, total) in hours.items():
        _add_sum(db, bucket, end, total)
        _add_sum(db, _day(bucket), end, total)
    return Taken(new, duplicates)


def thin(db: sqlite3.Connection) -> None:
    """Thins the windows that began more than `DETAIL_NS` before the newest one: their sums are in hours and days.

    What is left is what a series needs (calls, time and queries by function and entry), a tenth of the size.
    """
    old = "SELECT id FROM spans WHERE level = 0 AND detailed AND start_unix_ns < ?"
    newest = db.execute("SELECT max(start_unix_ns) FROM spans WHERE level = 0").fetchone()[0]
    spans = [row[0] for row in db.execute(old, ((newest or 0) - DETAIL_NS,))]
    for table in (QUERY_ROWS, FAN_OUT_ROWS, DRIVER_ROWS, DEPENDENCY_ROWS):
        db.executemany(f"DELETE FROM {table.name} WHERE span_id = ?", ((span,) for span in spans))
    for left in (
        "UPDATE call_rows SET wall = x'', own = x'', errors = '{}', callers = '{}' WHERE span_id = ?",
        "UPDATE entry_rows SET wall = x'', queries = x'', errors = '{}', status = '{}' WHERE span_id = ?",
    ):
        db.executemany(left, ((span,) for span in spans))
    db.executemany("UPDATE spans SET detailed = 0 WHERE id = ?", ((span,) for span in spans))


def _new_span(db: sqlite3.Connection, window: Window) -> int | None:
    cursor = db.execute(
        "INSERT OR IGNORE INTO spans (level, service, environment, release, start_unix_ns, end_unix_ns,"
        " instance, sequence, python, sensor) VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            window.service,
            window.environment,
            window.release,
            window.start_unix_ns,
            window.end_unix_ns,
            window.instance,
            window.sequence,
            window.python,
            window.sensor.model_dump_json(),
        ),
    )
    return inserted(cursor) if cursor.rowcount else None


def _mark_seen(db: sqlite3.Connection, window: Window, rows: Rows) -> None:
    """Remembers when this version of each function's code ran last: of two in one release, the newer one counts."""
    functions = {function for function, _ in rows.tables[CALL_ROWS.name]}
    where = window.service, window.environment, window.release, window.end_unix_ns
    db.executemany(
        "INSERT INTO last_seen (function_id, service, environment, release, unix_ns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET unix_ns = max(unix_ns, excluded.unix_ns)",
        ((function, *where) for function in sorted(functions)),
    )


def _bucket(window: Window, level: int) -> Bucket:
    start = window.start_unix_ns // LEVELS[level] * LEVELS[level]
    return window.service, window.environment, window.release, level, start


def _day(hour: Bucket) -> Bucket:
    service, environment, release, _, start = hour
    return service, environment, release, 2, start // LEVELS[2] * LEVELS[2]


def _add_sum(db: sqlite3.Connection, bucket: Bucket, end: int, rows: Rows) -> None:
    found = db.execute(
        "SELECT id FROM spans WHERE service = ? AND environment = ? AND release = ? AND level = ?"
        " AND start_unix_ns = ? AND level > 0",
        bucket,
    ).fetchone()
    if found is None:
        insert = (
            "INSERT INTO spans (service, environment, release, level, start_unix_ns, end_unix_ns)"
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        rows.write(db, inserted(db.execute(insert, (*bucket, end))))
        return
    total = Rows.of_span(db, found[0])
    total.add(rows)
    total.write(db, found[0])
    db.execute("UPDATE spans SET end_unix_ns = max(end_unix_ns, ?) WHERE id = ?", (end, found[0]))

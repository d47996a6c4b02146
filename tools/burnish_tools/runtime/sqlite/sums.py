"""Hours and days: windows added up by release, so that a long stretch is read from few rows.

Taking a window in writes its rows as they came. They are added up later, many windows at a time (`settle`), because a
sum is read, added to and written back once for all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby

from burnish_tools.runtime.sqlite import codec, points, samples
from burnish_tools.runtime.sqlite.names import inserted
from burnish_tools.runtime.sqlite.rows import TABLES, Key, Row, Table, loaded, stored

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
LEVELS = {1: HOUR_NS, 2: DAY_NS}
"""Length of the sums' buckets in ns, by level; a window belongs to the bucket in which it began."""
STEP = 128
"""Windows that are added up at once: bounds the memory and how long others wait for the file."""

Sums = dict[str, dict[Key, Row]]
"""Rows by table and key."""
Bucket = tuple[str, str, str, int]
"""service, environment, release, start of the hour"""


def settle(db: sqlite3.Connection, most: int = STEP) -> bool:
    """Adds up the oldest windows that are not in their hours and days yet; True where some are left."""
    waiting = db.execute(_WAITING, (most,)).fetchall()
    for bucket, windows in groupby(sorted(waiting, key=_bucket), key=_bucket):
        some = list(windows)
        end = max(row[5] for row in some)
        sums: Sums = {table.name: {} for table in TABLES}
        seen = points.LastSeen()
        for span, _, _, _, begun, ended, detail in some:
            rows = {table.name: found for table, found in codec.decoded(detail)}
            _add_rows(sums, rows)
            points.write(db, span, rows)
            seen.add(rows, ended)
            samples.write(db, span, bucket[:3], begun, codec.looked(detail))
            db.execute("UPDATE details SET rows = ? WHERE span_id = ?", (codec.settled(detail), span))
        seen.write(db, bucket[:3])
        for level in LEVELS:
            _add(db, bucket, level, end, sums)
    db.executemany("UPDATE spans SET summed = 1 WHERE id = ?", ((row[0],) for row in waiting))
    return len(waiting) == most


def _bucket(row: tuple[int, str, str, str, int, int, bytes]) -> Bucket:
    _, service, environment, release, start, _, _ = row
    return service, environment, release, start // HOUR_NS * HOUR_NS


def add_detail(sums: Sums, detail: bytes) -> None:
    """Adds the rows of one window."""
    _add_rows(sums, {table.name: rows for table, rows in codec.decoded(detail)})


def _add_rows(sums: Sums, rows_by_table: points.Rows) -> None:
    for table in TABLES:
        mine = sums[table.name]
        for row in rows_by_table[table.name]:
            found = mine.get(row[0])
            if found is None:
                found = mine[row[0]] = Row.zero(table)
            found.add_flat(row)


def _add(db: sqlite3.Connection, bucket: Bucket, level: int, end: int, sums: Sums) -> None:
    span = _span(db, bucket, level, end)
    for table in TABLES:
        rows = sums[table.name]
        columns = ("span_id", *table.columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"
        db.executemany(statement, _with_stored(db, table, span, rows.items()))


def _with_stored(
    db: sqlite3.Connection, table: Table, span: int, rows: Iterable[tuple[Key, Row]]
) -> Iterator[tuple[object, ...]]:
    where = " AND ".join(f"{column} = ?" for column in table.keys)
    select = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE span_id = ? AND {where}"
    for key, row in rows:
        total = Row.zero(table)
        for _, before in loaded(table, db.execute(select, (span, *key))):
            total = before
        total.add(row)
        yield (span, *key, *stored(total))


def _span(db: sqlite3.Connection, bucket: Bucket, level: int, end: int) -> int:
    service, environment, release, hour = bucket
    start = hour // LEVELS[level] * LEVELS[level]
    found = db.execute(
        "SELECT id FROM spans WHERE service = ? AND environment = ? AND release = ? AND level = ?"
        " AND start_unix_ns = ? AND level > 0",
        (service, environment, release, level, start),
    ).fetchone()
    if found is None:
        insert = (
            "INSERT INTO spans (service, environment, release, level, start_unix_ns, end_unix_ns, summed)"
            " VALUES (?, ?, ?, ?, ?, ?, 1)"
        )
        return inserted(db.execute(insert, (service, environment, release, level, start, end)))
    db.execute("UPDATE spans SET end_unix_ns = max(end_unix_ns, ?) WHERE id = ?", (end, found[0]))
    return int(found[0])


_WAITING = """
SELECT s.id, s.service, s.environment, s.release, s.start_unix_ns, s.end_unix_ns, d.rows
FROM spans s JOIN details d ON d.span_id = s.id
WHERE s.level = 0 AND NOT s.summed
ORDER BY s.start_unix_ns LIMIT ?
"""

"""Old windows become minutes, and what is past its time is dropped: in small steps, each a transaction of its own."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.sqlite.names import Names
from burnish_tools.runtime.sqlite.rows import TABLES
from burnish_tools.runtime.sqlite.sums import DAY_NS, HOUR_NS, settle

WINDOWS = 500
"""Windows that one step thins, puts together or drops."""
ROWS = 20_000
"""Rows of sums or samples that one step drops."""
_MINUTE_NS = 60 * 10**9


def step(db: sqlite3.Connection, names: Names, now: float, keep: KeepSettings) -> bool:
    """The next thing to do, inside the caller's transaction; True where there is more (`now` in seconds since 1970)."""
    now_ns = int(now * 1e9)
    if settle(db):
        return True
    for drop, age_ns in (
        (_details, keep.detail_hours * HOUR_NS),
        (_minutes, keep.windows_hours * HOUR_NS),
        (_windows, keep.minutes_days * DAY_NS),
        (_samples, keep.samples_days * DAY_NS),
        (_hours, keep.hours_days * DAY_NS),
        (_days, keep.days_days * DAY_NS),
    ):
        if drop(db, now_ns - int(age_ns)):
            return True
    _names(db, names, now_ns)
    return False


def _details(db: sqlite3.Connection, before: int) -> bool:
    """Thins windows: what is left of them is what a series needs."""
    found = "SELECT id FROM spans WHERE level = 0 AND detailed AND summed AND start_unix_ns < ? LIMIT ?"
    ids = db.execute(found, (before, WINDOWS)).fetchall()
    db.executemany("DELETE FROM details WHERE span_id = ?", ids)
    db.executemany("UPDATE spans SET detailed = 0 WHERE id = ?", ids)
    return len(ids) == WINDOWS


# ── minutes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

_Window = tuple[int, str, str, str, str, int, int, int, int, str]
"""id, service, environment, release, instance, sequence, last sequence, start, end, sensor"""


def _minutes(db: sqlite3.Connection, before: int) -> bool:
    """Puts windows of one instance together that follow each other within a minute."""
    before = before // _MINUTE_NS * _MINUTE_NS
    found: list[_Window] = db.execute(_SINGLE, (before, WINDOWS)).fetchall()
    if len(found) == WINDOWS and (whole := [row for row in found if _minute(row) != _minute(found[-1])]):
        full, found = True, whole  # the last minute is read in full the next time
    else:
        full = len(found) == WINDOWS
    for _, group in groupby(sorted(found, key=_order), key=lambda row: (*row[1:5], _minute(row))):
        for run in _runs(list(group)):
            _put_together(db, run)
    db.executemany("UPDATE spans SET minute = 1 WHERE id = ?", ((row[0],) for row in found))
    return full


def _minute(row: _Window) -> int:
    return row[7] // _MINUTE_NS


def _order(row: _Window) -> tuple[Any, ...]:
    return (*row[1:5], _minute(row), row[5])


def _runs(windows: Sequence[_Window]) -> Iterator[list[_Window]]:
    """Windows without a gap between them, in time or in their sequence."""
    run: list[_Window] = []
    for window in windows:
        if run and (run[-1][8], run[-1][6] + 1) != (window[7], window[5]):
            yield run
            run = []
        run.append(window)
    if run:
        yield run


def _put_together(db: sqlite3.Connection, run: Sequence[_Window]) -> None:
    first, *rest = run
    if not rest:
        return
    for window in rest:
        db.execute(_MOVE, (first[0], window[0]))
        db.execute("DELETE FROM points WHERE span_id = ?", (window[0],))
        db.execute("DELETE FROM spans WHERE id = ?", (window[0],))
    sensors = [json.loads(row[9]) for row in run]
    dropped = sum((Counter(sensor["dropped"]) for sensor in sensors), Counter[str]())
    sensor = json.dumps({**sensors[-1], "dropped": dropped})
    values = max(row[8] for row in run), rest[-1][6], sensor, first[0]
    db.execute("UPDATE spans SET end_unix_ns = ?, last_sequence = ?, sensor = ? WHERE id = ?", values)


# ── dropping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _windows(db: sqlite3.Connection, before: int) -> bool:
    """Drops windows by whole days, so that what profiles reach back to is the beginning of a day's sum."""
    before = before // DAY_NS * DAY_NS
    found = "SELECT id FROM spans WHERE level = 0 AND summed AND start_unix_ns < ? LIMIT ?"
    ids = db.execute(found, (before, WINDOWS)).fetchall()
    for statement in (
        "DELETE FROM details WHERE span_id = ?",
        "DELETE FROM points WHERE span_id = ?",
        "DELETE FROM spans WHERE id = ?",
    ):
        db.executemany(statement, ids)
    if ids:
        db.execute("UPDATE horizon SET windows_unix_ns = max(windows_unix_ns, ?)", (before,))
    return len(ids) == WINDOWS


def _samples(db: sqlite3.Connection, before: int) -> bool:
    key = "owner_id, function_id, start_unix_ns, number"
    drop = f"DELETE FROM samples WHERE ({key}) IN (SELECT {key} FROM samples WHERE start_unix_ns < ? LIMIT ?)"
    return db.execute(drop, (before, ROWS)).rowcount == ROWS


def _hours(db: sqlite3.Connection, before: int) -> bool:
    return _sum(db, 1, before - HOUR_NS)


def _days(db: sqlite3.Connection, before: int) -> bool:
    return _sum(db, 2, before - DAY_NS)


def _sum(db: sqlite3.Connection, level: int, before: int) -> bool:
    """Drops rows of the oldest sum that began before, and the sum when it is empty."""
    oldest = "SELECT id FROM spans WHERE level = ? AND start_unix_ns < ? ORDER BY start_unix_ns LIMIT 1"
    found = db.execute(oldest, (level, before)).fetchone()
    if found is None:
        return False
    for table in TABLES:
        key = ", ".join(("span_id", *table.keys))
        some = f"SELECT {key} FROM {table.name} WHERE span_id = ? LIMIT ?"
        if db.execute(f"DELETE FROM {table.name} WHERE ({key}) IN ({some})", (found[0], ROWS)).rowcount == ROWS:
            return True
    db.execute("DELETE FROM spans WHERE id = ?", found)
    return True


def _names(db: sqlite3.Connection, names: Names, now_ns: int) -> None:
    """Once a day: forgets names to which nothing refers any more, and functions that have no sum left."""
    (last,) = db.execute("SELECT names_unix_ns FROM horizon").fetchone()
    if last + DAY_NS > now_ns:
        return
    (oldest,) = db.execute("SELECT coalesce(min(start_unix_ns), 0) FROM spans").fetchone()
    db.execute("DELETE FROM last_seen WHERE unix_ns < ?", (oldest,))
    db.execute("DELETE FROM deployments WHERE unix_ns < ?", (oldest,))
    db.execute("DELETE FROM new_names WHERE day < ?", (oldest // DAY_NS,))
    for statement in _UNNAMED:
        db.execute(statement)
    names.forget()
    db.execute("UPDATE horizon SET names_unix_ns = ?", (now_ns,))


_SINGLE = """
SELECT id, service, environment, release, instance, sequence, last_sequence, start_unix_ns, end_unix_ns, sensor
FROM spans WHERE level = 0 AND summed AND NOT detailed AND NOT minute AND start_unix_ns < ?
ORDER BY start_unix_ns LIMIT ?
"""
_MOVE = """
INSERT INTO points (span_id, function_id, entry_id, calls, wall_ns, queries)
SELECT ?, function_id, entry_id, calls, wall_ns, queries FROM points WHERE span_id = ?
ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, wall_ns = wall_ns + excluded.wall_ns, queries = queries + excluded.queries
"""
_UNNAMED = (
    "DELETE FROM functions WHERE id NOT IN (SELECT function_id FROM last_seen UNION SELECT function_id FROM samples)",
    "DELETE FROM statements WHERE id NOT IN (SELECT statement_id FROM query_rows UNION SELECT statement_id FROM"
    " fan_out_rows UNION SELECT driver_statement_id FROM driver_rows)",
    "DELETE FROM sites WHERE id NOT IN (SELECT site_id FROM query_rows UNION SELECT site_id FROM fan_out_rows"
    " UNION SELECT driver_site_id FROM driver_rows UNION SELECT site_id FROM dependency_rows)",
    "DELETE FROM entries WHERE id NOT IN (SELECT entry_id FROM entry_rows UNION SELECT entry_id FROM call_rows"
    " UNION SELECT entry_id FROM query_rows UNION SELECT entry_id FROM fan_out_rows"
    " UNION SELECT entry_id FROM dependency_rows)",
    "DELETE FROM peers WHERE id NOT IN (SELECT peer_id FROM dependency_rows)",
)

"""Windows into the dataset: the rows of the window itself, and the sums of its hour and its day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from burnish.histogram import Histogram
from burnish_tools.runtime.format import Definition, PerCallRow, SiteRow, Statement, Window
from burnish_tools.runtime.rows import CALL_ROWS, DRIVER_ROWS, ENTRY_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Row, Rows
from burnish_tools.runtime.tally import Tally

HOUR_NS = 3600 * 10**9
LEVELS = {1: HOUR_NS, 2: 24 * HOUR_NS}
"""Length of the sums' buckets in ns, by level; a window belongs to the bucket in which it began."""

DETAIL_NS = 6 * HOUR_NS
"""How long windows keep all of their rows. Before that, a profile begins at a whole hour."""

Bucket = tuple[str, str, str, int, int]
"""service, environment, release, level, start"""


class Names:
    """Numbers for the names that come again and again; forgotten with the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[object, ...], int] = {}

    def function(self, name: str, code: Definition) -> int:
        """A function as it was in one version of its code."""
        return self._number(
            "functions",
            ("name", "file", "line", "end_line", "body", "kind"),
            (name, code.file, code.line, code.end_line, code.body, code.kind),
        )

    def statement(self, key: str, statement: Statement) -> int:
        """A normalised statement; `key` is the sensor's hash of it."""
        return self._number("statements", ("hash", "text", "system"), (key, statement.text, statement.system))

    def site(self, site: SiteRow) -> int:
        """A place in the code."""
        return self._number("sites", ("function", "file", "line"), (site.function, site.file, site.line))

    def entry(self, entry: str, kind: str) -> int:
        """An entry."""
        return self._number("entries", ("entry", "kind"), (entry, kind))

    def _number(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int:
        known = self._known.get((table, *values))
        if known is not None:
            return known
        where = " AND ".join(f"{column} = ?" for column in columns)
        found = self._db.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
        if found is None:
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            number = _inserted(self._db.execute(insert, values))
        else:
            number = int(found[0])
        self._known[table, *values] = number
        return number


def _inserted(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # an INSERT always has one
    return cursor.lastrowid


def ingest(db: sqlite3.Connection, windows: Iterable[Window]) -> int:
    """Takes windows in, inside the caller's transaction; returns how many were new."""
    names, taken = Names(db), 0
    hours: dict[Bucket, tuple[int, Rows]] = {}
    for window in windows:
        span = _new_span(db, window)
        if span is None:
            continue
        rows = _rows(window, names)
        rows.write(db, span)
        _mark_seen(db, window, rows)
        taken += 1
        bucket = _bucket(window, 1)
        end, total = hours.setdefault(bucket, (0, Rows()))
        total.add(rows)
        hours[bucket] = max(end, window.end_unix_ns), total
    for bucket, (end, total) in hours.items():
        _add_sum(db, bucket, end, total)
        _add_sum(db, _day(bucket), end, total)
    return taken


def thin(db: sqlite3.Connection) -> None:
    """Thins the windows that began more than `DETAIL_NS` before the newest one: their sums are in hours and days.

    What is left is what a series needs (calls, time and queries by function and entry), a tenth of the size.
    """
    old = "SELECT id FROM spans WHERE level = 0 AND detailed AND start_unix_ns < ?"
    newest = db.execute("SELECT max(start_unix_ns) FROM spans WHERE level = 0").fetchone()[0]
    spans = [row[0] for row in db.execute(old, ((newest or 0) - DETAIL_NS,))]
    for table in (QUERY_ROWS, FAN_OUT_ROWS, DRIVER_ROWS):
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
    return _inserted(cursor) if cursor.rowcount else None


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
        rows.write(db, _inserted(db.execute(insert, (*bucket, end))))
        return
    total = Rows.of_span(db, found[0])
    total.add(rows)
    total.write(db, found[0])
    db.execute("UPDATE spans SET end_unix_ns = max(end_unix_ns, ?) WHERE id = ?", (end, found[0]))


class _Described:
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


def _rows(window: Window, names: Names) -> Rows:
    rows, known = Rows(), _Described(window, names)
    for e in window.entries:
        numbers = e.calls, e.wall.sum, e.queries.sum
        row = Row(numbers, (e.errors, e.status), (_tally(e.wall), _tally(e.queries)))
        rows.put(ENTRY_ROWS, (known.entry(e.entry),), row)
    executions: dict[tuple[str, str], float] = {}
    for p in window.per_call:
        executions[p.function, p.entry] = executions.get((p.function, p.entry), 0.0) + p.executions.sum
    for c in window.calls:
        queries = executions.pop((c.function, c.entry), 0.0)
        row = Row((c.calls, c.wall.sum, c.own.sum, queries), (c.errors, c.callers), (_tally(c.wall), _tally(c.own)))
        rows.put(CALL_ROWS, (known.function(c.function), known.entry(c.entry)), row)
    for q in window.queries:
        unknown = q.executions if q.rows is None else 0
        row = Row((q.executions, q.rows or 0, unknown, q.wall.sum), (q.errors,), (_tally(q.wall),))
        site = known.site(SiteRow(function=q.function, file=q.file, line=q.line))
        rows.put(QUERY_ROWS, (known.statement(q.statement), site, known.entry(q.entry)), row)
    for p in window.per_call:
        _put_per_call(rows, p, known)
    return rows


def _put_per_call(rows: Rows, p: PerCallRow, known: _Described) -> None:
    key = known.function(p.function), known.statement(p.statement), known.site(p.site), known.entry(p.entry)
    row = Row((p.calls, p.executions.sum, p.identical, p.time_ns), (), (_tally(p.executions),))
    rows.put(FAN_OUT_ROWS, key, row)
    if (d := p.driver) is not None:
        sums = Row((d.n, d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy), (), ())
        rows.put(DRIVER_ROWS, (*key, known.statement(d.statement), known.site(d.site)), sums)


def _tally(histogram: Histogram) -> Tally:
    return Tally().add(histogram)

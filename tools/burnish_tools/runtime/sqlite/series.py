"""Functions over time: window by window, hour by hour, and what was deployed meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence

from burnish.errors import UsageError
from burnish.profile import Deployment, Point, Stretch

Owner = tuple[str, str]
"""service, environment"""
STRETCHES = {"hour": 1, "day": 2}
"""Level of the sums, by the name that `Runtime.history` has for it."""
_SOME = 500
"""Names in one statement; SQLite allows 32,766 values."""


def of_function(db: sqlite3.Connection, owner: Owner, release: str, function: str) -> tuple[Point, ...]:
    """A function window by window, oldest first."""
    return tuple(_point(*row) for row in db.execute(_SERIES, (function, *owner, release)))


def of_entries(db: sqlite3.Connection, owner: Owner, release: str) -> tuple[Point, ...]:
    """All entries window by window, oldest first."""
    return tuple(_point(*row) for row in db.execute(_ENTRY_SERIES, (*owner, release)))


def _point(start: int, end: int, instance: str, entry: str, calls: int, wall: float, queries: float) -> Point:
    return Point(
        start_unix_ns=start,
        seconds=(end - start) / 1e9,
        instance=instance,
        entry=entry,
        calls=calls,
        wall_ns=wall,
        queries=queries,
    )


def history(
    db: sqlite3.Connection, owner: Owner, level: str, since_unix_ns: int, functions: Collection[str] | None
) -> list[Stretch]:
    """Sums by hour or day of all releases, in order of time, release, function and entry."""
    if level not in STRETCHES:
        raise UsageError(f"there is no history by {level!r}: ask for one of {', '.join(STRETCHES)}")
    values = (*owner, STRETCHES[level], since_unix_ns)
    rows: list[tuple[int, str, str, str, int, float, float, float, int]] = []
    if functions is None:
        rows += db.execute(_HISTORY.format(names=""), values).fetchall()
    for names in _parts(sorted(set(functions or ()) - {""})):
        marks = f" AND r.function_id IN (SELECT id FROM functions WHERE name IN ({', '.join('?' * len(names))}))"
        rows += db.execute(_HISTORY.format(names=marks), (*values, *names)).fetchall()
    if functions is None or "" in functions:
        rows += db.execute(_ENTRY_HISTORY, values).fetchall()
    return [Stretch(*row) for row in sorted(rows)]


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[i : i + _SOME] for i in range(0, len(names), _SOME))


def deployments(db: sqlite3.Connection, owner: Owner) -> list[Deployment]:
    """What was marked, oldest first."""
    found = db.execute(
        "SELECT release, unix_ns, marked_by FROM deployments WHERE service = ? AND environment = ? ORDER BY 2, 1", owner
    )
    return [Deployment(release=release, unix_ns=unix_ns, by=by) for release, unix_ns, by in found]


_ERRORS = "sum(CASE r.errors WHEN '{{}}' THEN 0 ELSE (SELECT sum(value) FROM json_each(r.errors)) END)"
_HISTORY = f"""
SELECT s.start_unix_ns, s.release, f.name, e.entry,
    sum(r.calls), sum(r.wall_ns), sum(r.own_ns), sum(r.queries), {_ERRORS}
FROM spans s
JOIN call_rows r ON r.span_id = s.id
JOIN functions f ON f.id = r.function_id
JOIN entries e ON e.id = r.entry_id
WHERE s.service = ? AND s.environment = ? AND s.level = ? AND s.start_unix_ns >= ?{{names}}
GROUP BY s.id, f.name, e.entry
"""
_ENTRY_HISTORY = f"""
SELECT s.start_unix_ns, s.release, '', e.entry, sum(r.calls), sum(r.wall_ns), 0.0, sum(r.executions), {_ERRORS}
FROM spans s
JOIN entry_rows r ON r.span_id = s.id
JOIN entries e ON e.id = r.entry_id
WHERE s.service = ? AND s.environment = ? AND s.level = ? AND s.start_unix_ns >= ?
GROUP BY s.id, e.entry
""".replace("{{}}", "{}")
_SERIES = """
SELECT s.start_unix_ns, s.end_unix_ns, s.instance, e.entry, sum(p.calls), sum(p.wall_ns), sum(p.queries)
FROM functions f
JOIN points p ON p.function_id = f.id
JOIN spans s ON s.id = p.span_id
JOIN entries e ON e.id = p.entry_id
WHERE f.name = ? AND s.service = ? AND s.environment = ? AND s.release = ?
GROUP BY s.id, e.entry
ORDER BY s.start_unix_ns, s.instance, s.sequence, e.entry
"""
_ENTRY_SERIES = """
SELECT s.start_unix_ns, s.end_unix_ns, s.instance, e.entry, sum(p.calls), sum(p.wall_ns), sum(p.queries)
FROM spans s
JOIN points p ON p.span_id = s.id AND p.function_id = 0
JOIN entries e ON e.id = p.entry_id
WHERE s.service = ? AND s.environment = ? AND s.release = ? AND s.level = 0
GROUP BY s.id, e.entry
ORDER BY s.start_unix_ns, s.instance, s.sequence, e.entry
"""

"""What windows say of one function or entry, so that it is found without them: its points, and when it ran last.

Written when the windows are added up, many at a time, and not while they are taken in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from burnish_tools.runtime.sqlite.rows import CALL_ROWS, ENTRY_ROWS, FAN_OUT_ROWS, Flat

Rows = Mapping[str, Sequence[Flat]]
"""The rows of a window, by table."""


def write(db: sqlite3.Connection, span: int, rows: Rows) -> None:
    """Writes the points of a window."""
    db.executemany(_POINT, _points(span, rows))


def _points(span: int, rows: Rows) -> Iterator[tuple[float, ...]]:
    for row in rows[CALL_ROWS.name]:
        calls, wall, _, queries, *_ = row[1]
        yield row[0][0], span, row[0][1], calls, wall, queries
    for row in rows[ENTRY_ROWS.name]:
        yield 0, span, row[0][0], *row[1]


class LastSeen:
    """When each version of a function's code ran last in a release: of two in one release, the newer one counts."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def add(self, rows: Rows, end_unix_ns: int) -> None:
        """Notes what ran in a window."""
        for table in (CALL_ROWS, FAN_OUT_ROWS):
            for row in rows[table.name]:
                function = row[0][0]
                if self._seen.get(function, 0) < end_unix_ns:
                    self._seen[function] = end_unix_ns

    def write(self, db: sqlite3.Connection, owner: tuple[str, str, str]) -> None:
        """Writes it for a (service, environment, release)."""
        rows = ((number, *owner, unix_ns) for number, unix_ns in sorted(self._seen.items()))
        db.executemany(_SEEN, rows)


_POINT = """
INSERT INTO points (function_id, span_id, entry_id, calls, wall_ns, queries) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, wall_ns = wall_ns + excluded.wall_ns, queries = queries + excluded.queries
"""
_SEEN = """
INSERT INTO last_seen (function_id, service, environment, release, unix_ns) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET unix_ns = max(unix_ns, excluded.unix_ns)
"""

"""Windows into the dataset, as they came. What they add up to is made later, many at a time (`sums.py`)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator

from burnish.errors import DataError
from burnish_tools.runtime import limits
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.sqlite import codec, samples
from burnish_tools.runtime.sqlite.names import Names, inserted
from burnish_tools.runtime.sqlite.rows import CALL_ROWS, ENTRY_ROWS, FAN_OUT_ROWS, Detail
from burnish_tools.runtime.sqlite.sums import STEP, settle
from burnish_tools.runtime.sqlite.windows import detail_of
from burnish_tools.runtime.store import Taken

WAITING = 4 * STEP
"""Windows that may wait to be added up, where nobody tidies: it bounds what a reader has to do first."""

Owned = tuple[int, str, str, str]
"""function, service, environment, release"""


def ingest(db: sqlite3.Connection, names: Names, windows: Iterable[Window], now: float) -> Taken:
    """Takes windows in, inside the caller's transaction. `now` is in seconds since 1970."""
    intake = _Intake(db, names, now)
    for window in windows:
        intake.take(window)
    intake.finish()
    (waiting,) = db.execute("SELECT count(*) FROM spans WHERE level = 0 AND NOT summed").fetchone()
    while waiting > WAITING:
        settle(db)
        waiting -= STEP
    return Taken(intake.new, intake.duplicates, dict(sorted(intake.refused.items())))


class _Intake:
    """One batch."""

    def __init__(self, db: sqlite3.Connection, names: Names, now: float) -> None:
        self._db, self._now, self._names = db, now, names
        names.open()
        (self._horizon,) = db.execute("SELECT windows_unix_ns FROM horizon").fetchone()
        self._seen: dict[Owned, int] = {}
        self.new, self.duplicates, self.refused = 0, 0, Counter[str]()

    def take(self, window: Window) -> None:
        """Takes one window in, or counts why not."""
        try:
            limits.in_time(window.start_unix_ns, self._now, self._horizon)
        except DataError as error:
            self.refused[str(error)] += 1
            return
        if _is_there(self._db, window):
            self.duplicates += 1
            return
        self._names.begin(window.service, window.start_unix_ns)
        detail = detail_of(window, self._names)
        span = _new_span(self._db, window, self._names.dropped)
        self._db.execute("INSERT INTO details (span_id, rows) VALUES (?, ?)", (span, codec.encoded(detail)))
        self._db.executemany(_POINT, _points(span, detail))
        samples.write(self._db, span, window, self._names)
        self._see(window, detail)
        self.new += 1

    def _see(self, window: Window, detail: Detail) -> None:
        """Remembers when this version of each function's code ran last: of two in one release, the newer one counts."""
        owner = window.service, window.environment, window.release
        for table in (CALL_ROWS, FAN_OUT_ROWS):
            for row in detail[table.name]:
                key = (row[0][0], *owner)
                self._seen[key] = max(self._seen.get(key, 0), window.end_unix_ns)

    def finish(self) -> None:
        """Writes what is written once for the batch."""
        rows = sorted((*owned, unix_ns) for owned, unix_ns in self._seen.items())
        self._db.executemany(
            "INSERT INTO last_seen (function_id, service, environment, release, unix_ns) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET unix_ns = max(unix_ns, excluded.unix_ns)",
            rows,
        )
        self._names.finish()


def _is_there(db: sqlite3.Connection, window: Window) -> bool:
    """Whether the window is known, alone or as a part of a minute."""
    found = db.execute(
        "SELECT last_sequence FROM spans WHERE service = ? AND instance = ? AND sequence <= ? AND level = 0"
        " ORDER BY sequence DESC LIMIT 1",
        (window.service, window.instance, window.sequence),
    ).fetchone()
    return found is not None and found[0] >= window.sequence


def _new_span(db: sqlite3.Connection, window: Window, dropped: dict[str, int]) -> int:
    sensor = window.sensor.model_copy(update={"dropped": Counter(window.sensor.dropped) + Counter(dropped)})
    return inserted(
        db.execute(
            "INSERT INTO spans (level, service, environment, release, start_unix_ns, end_unix_ns, instance, sequence,"
            " last_sequence, python, sensor) VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                window.service,
                window.environment,
                window.release,
                window.start_unix_ns,
                window.end_unix_ns,
                window.instance,
                window.sequence,
                window.sequence,
                window.python,
                sensor.model_dump_json(),
            ),
        )
    )


def _points(span: int, detail: Detail) -> Iterator[tuple[float, ...]]:
    for row in detail[CALL_ROWS.name]:
        calls, wall, _, queries, *_ = row[1]
        yield row[0][0], span, row[0][1], calls, wall, queries
    for row in detail[ENTRY_ROWS.name]:
        yield 0, span, row[0][0], *row[1]


_POINT = """
INSERT INTO points (function_id, span_id, entry_id, calls, wall_ns, queries) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, wall_ns = wall_ns + excluded.wall_ns, queries = queries + excluded.queries
"""

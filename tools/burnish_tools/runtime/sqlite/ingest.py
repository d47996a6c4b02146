"""Windows into the dataset, as they came. What they add up to, and what is found by function, is made later, of many at
a time (`sums.py`)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

import msgspec

from burnish.errors import DataError
from burnish_tools.runtime import limits
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.sqlite import codec, samples
from burnish_tools.runtime.sqlite.names import Names, inserted
from burnish_tools.runtime.sqlite.sums import STEP, settle
from burnish_tools.runtime.sqlite.windows import Described, detail_of
from burnish_tools.runtime.store import Taken

WAITING = 4 * STEP
"""Windows that may wait to be added up, where nobody tidies: it bounds what a reader has to do first."""


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
        known = Described(window, self._names)
        rows = codec.waiting(detail_of(window, known), samples.noted(window, known.functions))
        span = _new_span(self._db, window, self._names.dropped)
        self._db.execute("INSERT INTO details (span_id, rows) VALUES (?, ?)", (span, rows))
        self.new += 1

    def finish(self) -> None:
        """Writes what is written once for the batch."""
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
    sensor = msgspec.structs.replace(window.sensor, dropped=dict(Counter(window.sensor.dropped) + Counter(dropped)))
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
                msgspec.json.encode(sensor).decode(),
            ),
        )
    )

"""The function-level dataset in one SQLite file: takes windows in, answers profiles and series.

Writing is in one transaction per batch of lines, together with how far the files were read; reading sees a snapshot
(WAL). Several processes may share the file, several threads the object.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path

from burnish.errors import DataError, Unavailable
from burnish.profile import Point, Profile, Release, Series
from burnish_tools.runtime import reading
from burnish_tools.runtime.format import FORMAT, NewerFormat, Window
from burnish_tools.runtime.ingest import DETAIL_NS, LEVELS, ingest, thin
from burnish_tools.runtime.schema import migrate
from burnish_tools.runtime.spool import Line, Mark, Spool, read

BATCH = 25
"""Lines per transaction: bounds the memory, and what a killed process has to do again."""
LOCK_SECONDS = 30
_log = logging.getLogger("burnish.runtime")


class SqliteRuntime:
    """Satisfies `burnish.protocols.Runtime`. `spool` is the directory that `refresh` reads."""

    def __init__(self, path: Path | str, service: str, environment: str, spool: Path | str | None = None) -> None:
        """Opens or makes the file. Raises DataError where it is corrupt or of a newer Burnish."""
        self.path, self.service, self.environment = Path(path), service, environment
        self._spool = Spool(Path(spool)) if spool else None
        self._lock = threading.RLock()
        self._owner = service, environment
        with self._reported():
            _make_directory(self.path.parent)
            self._db = sqlite3.connect(self.path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            migrate(self._db, str(self.path))

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    # ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> int:
        """Takes in what the spool holds beyond the last time; returns how many windows were new.

        A line that is no window is written to the log once and skipped. Lines of a newer format are kept for a newer
        Burnish; DataError says so once, after everything else has been taken in.
        """
        if self._spool is None:
            return 0
        taken, newer = self._retry_refused(), list[str]()
        with self._reported():
            marks = {row[0]: Mark(*row) for row in self._db.execute("SELECT file, byte, lines FROM marks")}
            lines = self._spool.unread(marks)
            while batch := list(islice(lines, BATCH)):
                taken += self._take_lines(batch, newer)
        if newer:
            raise DataError("; ".join(newer[:3]) + (f"; and {len(newer) - 3} more" if len(newer) > 3 else ""))
        return taken

    def take(self, windows: Iterable[Window]) -> int:
        """Takes in windows that came another way (a collector); returns how many were new."""
        with self._transaction() as db:
            taken = ingest(db, windows)
            thin(db)
            return taken

    def bad_lines(self) -> Sequence[tuple[str, str]]:
        """All lines that were skipped: (`file:line`, what is wrong)."""
        with self._reported():
            return self._db.execute("SELECT place, reason FROM bad_lines ORDER BY place").fetchall()

    def _take_lines(self, batch: Sequence[Line], newer: list[str]) -> int:
        with self._transaction() as db:
            taken = ingest(db, (line.content for line in batch if isinstance(line.content, Window)))
            for line in batch:
                if isinstance(line.content, NewerFormat):
                    newer.append(f"{self._where(line)}: {line.content}")
                    row = (line.place, line.content.format, line.raw)
                    db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", row)
                elif isinstance(line.content, DataError):
                    _log.warning("%s: not a window, skipped: %s", self._where(line), line.content)
                    db.execute("INSERT OR REPLACE INTO bad_lines VALUES (?, ?)", (line.place, str(line.content)))
            marks = {line.mark.file: line.mark for line in batch}.values()
            rows = ((mark.file, mark.offset, mark.lines) for mark in marks)
            thin(db)
            db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", rows)
        return taken

    def _retry_refused(self) -> int:
        with self._transaction() as db:
            found = db.execute("SELECT place, line FROM refused WHERE format <= ?", (FORMAT,)).fetchall()
            windows = [content for _, raw in found if isinstance(content := read(raw), Window)]
            db.executemany("DELETE FROM refused WHERE place = ?", ((place,) for place, _ in found))
            return ingest(db, windows)

    def _where(self, line: Line) -> str:
        return f"{self._spool.directory if self._spool else ''}/{line.place}"

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────

    def releases(self) -> Sequence[Release]:
        """All releases seen, oldest first."""
        with self._reported():
            rows = self._db.execute(
                "SELECT release, min(start_unix_ns), max(end_unix_ns), count(*) FROM spans"
                " WHERE service = ? AND environment = ? AND level = 0 GROUP BY release ORDER BY 2, 1",
                self._owner,
            ).fetchall()
            calls = dict(self._calls_by_release())
        return [
            Release(name=name, first_unix_ns=first, last_unix_ns=last, windows=n, calls=calls.get(name, 0))
            for name, first, last, n in rows
        ]

    def _calls_by_release(self) -> list[tuple[str, int]]:
        return self._db.execute(
            "SELECT s.release, sum(e.calls) FROM spans s JOIN entry_rows e ON e.span_id = s.id"
            " WHERE s.service = ? AND s.environment = ? AND s.level = 2 GROUP BY s.release",
            self._owner,
        ).fetchall()

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """The merged profile of the windows that began at or after `since_unix_ns`; None where there is none.

        A `since` that lies more than six hours before the newest window counts from the next full hour.
        """
        if release is None:
            releases = self.releases()
            if not releases:
                return None
            release = releases[-1].name
        with self._snapshot() as db:
            since_unix_ns = self._possible(since_unix_ns)
            windows = db.execute(
                "SELECT start_unix_ns, end_unix_ns, instance, sensor FROM spans WHERE service = ? AND environment = ?"
                " AND release = ? AND level = 0 AND start_unix_ns >= ? ORDER BY start_unix_ns",
                (*self._owner, release, since_unix_ns),
            ).fetchall()
            if not windows:
                return None
            named = reading.Named.of(db, (*self._owner, release), self._cover(release, since_unix_ns))
            return Profile(
                service=self.service,
                environment=self.environment,
                release=release,
                start_unix_ns=windows[0][0],
                end_unix_ns=max(row[1] for row in windows),
                observed_seconds=union_ns((start, end) for start, end, *_ in windows) / 1e9,
                windows=len(windows),
                instances=len({row[2] for row in windows}),
                entries=reading.entries(named),
                functions=reading.functions(named),
                queries=reading.queries(named),
                fan_outs=reading.fan_outs(named),
                dropped=_dropped(row[3] for row in windows),
            )

    def _possible(self, since: int) -> int:
        """Where single windows may have been thinned, the next full hour."""
        newest = self._db.execute("SELECT max(start_unix_ns) FROM spans WHERE level = 0").fetchone()[0] or 0
        return since if since >= newest - DETAIL_NS else -(-since // LEVELS[1]) * LEVELS[1]

    def _cover(self, release: str, since: int) -> list[int]:
        """The fewest spans that together are all windows since then: whole days, whole hours, windows."""
        hour, day = LEVELS[1], LEVELS[2]
        from_hour = -(-since // hour) * hour
        from_day = -(-since // day) * day
        found = self._db.execute(
            "SELECT id FROM spans WHERE service = ? AND environment = ? AND release = ?"
            " AND ((level = 2 AND start_unix_ns >= ?)"
            "   OR (level = 1 AND start_unix_ns >= ? AND start_unix_ns < ?)"
            "   OR (level = 0 AND start_unix_ns >= ? AND start_unix_ns < ?))",
            (*self._owner, release, from_day, from_hour, from_day, since, from_hour),
        )
        return [row[0] for row in found]

    def series(self, function: str, release: str) -> Series:
        """The function window by window, oldest first; empty where it was not seen."""
        return self._series(function, release, _SERIES, (function, *self._owner, release))

    def entry_series(self, release: str) -> Series:
        """All entries window by window, oldest first; empty where the release was not seen."""
        return self._series("", release, _ENTRY_SERIES, (*self._owner, release))

    def _series(self, function: str, release: str, query: str, values: tuple[str, ...]) -> Series:
        with self._reported():
            rows = self._db.execute(query, values).fetchall()
        points = (
            Point(
                start_unix_ns=start,
                seconds=(end - start) / 1e9,
                instance=instance,
                entry=entry,
                calls=calls,
                wall_ns=wall,
                queries=queries,
            )
            for start, end, instance, entry, calls, wall, queries in rows
        )
        return Series(function=function, release=release, points=tuple(points))

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turns SQLite's errors into ours."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Unavailable(f"{self.path}: another process is writing to it; try again") from error
            raise DataError(f"{self.path}: {error}; check that it is a writable file on a local disk") from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.path}: {error}; {self._mend()}") from error

    def _mend(self) -> str:
        again = f"the windows in {self._spool.directory} are read again" if self._spool else "send the windows again"
        return f"move it away; {again}"

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with self._reported():
            self._db.execute(begin)
            with self._db:
                yield self._db

    def _snapshot(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._transaction("BEGIN")


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; choose another place for the runtime data") from error


def union_ns(spans: Iterable[tuple[int, int]]) -> int:
    """Time covered by at least one of the spans, which come in order of their start."""
    covered, reached = 0, 0
    for start, end in spans:
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _dropped(sensors: Iterable[str]) -> dict[str, int]:
    total: dict[str, int] = {}
    for sensor in sensors:
        for kind, n in json.loads(sensor)["dropped"].items():
            total[kind] = total.get(kind, 0) + n
    return {kind: n for kind, n in sorted(total.items()) if n}


_SERIES = """
SELECT s.start_unix_ns, s.end_unix_ns, s.instance, e.entry, sum(c.calls), sum(c.wall_ns), sum(c.queries)
FROM functions f
JOIN call_rows c ON c.function_id = f.id
JOIN spans s ON s.id = c.span_id
JOIN entries e ON e.id = c.entry_id
WHERE f.name = ? AND s.service = ? AND s.environment = ? AND s.release = ? AND s.level = 0
GROUP BY s.id, e.entry
ORDER BY s.start_unix_ns, s.instance, s.sequence, e.entry
"""
_ENTRY_SERIES = """
SELECT s.start_unix_ns, s.end_unix_ns, s.instance, e.entry, sum(r.calls), sum(r.wall_ns), sum(r.executions)
FROM spans s
JOIN entry_rows r ON r.span_id = s.id
JOIN entries e ON e.id = r.entry_id
WHERE s.service = ? AND s.environment = ? AND s.release = ? AND s.level = 0
GROUP BY s.id, e.entry
ORDER BY s.start_unix_ns, s.instance, s.sequence, e.entry
"""

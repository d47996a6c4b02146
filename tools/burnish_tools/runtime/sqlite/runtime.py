"""The function-level dataset of one service in one SQLite file: takes windows in, answers profiles and series.

Writing is in one transaction per batch of lines, together with how far the files were read; reading sees a snapshot
(WAL). Several processes may share the file, several threads the object.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from burnish.conditions import Sample
from burnish.excerpt import excerpt
from burnish.profile import Deployment, FunctionStats, Profile, Release, Series, Stretch
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.spool import Spool
from burnish_tools.runtime.sqlite import functions, profiles, samples, series
from burnish_tools.runtime.sqlite.database import Database
from burnish_tools.runtime.sqlite.ingest import ingest
from burnish_tools.runtime.sqlite.intake import Intake
from burnish_tools.runtime.sqlite.tidy import step

STEPS = 1_000
"""Of tidying after one refresh: half a million windows."""
KEPT, KEPT_ROWS = 32, 5_000
"""Functions whose looked-at calls are kept, and calls of one at most: some 50 MB in all."""


class SqliteRuntime:
    """Satisfies `burnish.protocols.Runtime`. `spool` is the directory that `refresh` reads.

    With a `database` it shares that one and leaves it open.
    """

    def __init__(
        self,
        path: Path | str,
        service: str,
        environment: str,
        spool: Path | str | None = None,
        *,
        database: Database | None = None,
        keep: KeepSettings | None = None,
    ) -> None:
        """Opens or makes the file. Raises DataError where it is corrupt or of a newer Burnish."""
        self.path, self.service, self.environment = Path(path), service, environment
        self._owner = service, environment
        again = f"the windows in {spool} are read again" if spool else "send the windows again"
        self._shared, self._keep = database is not None, keep or KeepSettings()
        self._database = database or Database(path, again)
        self._kept: dict[tuple[str, str, int], Sequence[Sample]] = {}
        self._kept_at = (0, 0)
        self._intake = Intake(self._database, Spool(Path(spool))) if spool else None

    def close(self) -> None:
        """Closes the file, unless others share it."""
        if not self._shared:
            self._database.close()

    # ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> int:
        """Takes in what the spool holds beyond the last time; returns how many windows were new.

        After that old windows are thinned and dropped (`KeepSettings`). A line that is no window is written to the log
        once and skipped. Lines of a newer format are kept for a newer Burnish; DataError says so once, after everything
        else has been taken in.
        """
        if self._intake is None:
            return 0
        try:
            return self._intake.refresh()
        finally:
            self._tidy()

    def _tidy(self) -> None:
        """Age is that before the newest window: a recorded dataset, or one of a service that ended, stays as it is."""
        for _ in range(STEPS):
            with self._database.writing() as db:
                (newest,) = db.execute("SELECT max(end_unix_ns) FROM spans WHERE level = 0").fetchone()
                if newest is None or not step(db, self._database.names, newest / 1e9, self._keep):
                    return

    def take(self, windows: Iterable[Window]) -> int:
        """Takes in windows that came another way; returns how many were new."""
        with self._database.writing() as db:
            taken = ingest(db, self._database.names, windows, time.time())
        return taken.new

    def bad_lines(self) -> Sequence[tuple[str, str]]:
        """All lines that were skipped: (`file:line`, what is wrong)."""
        with self._database.reading() as db:
            return db.execute("SELECT place, reason FROM bad_lines ORDER BY place").fetchall()

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────

    def releases(self) -> Sequence[Release]:
        """All releases seen, oldest first."""
        with self._database.settled() as db:
            rows = db.execute(
                "SELECT release, min(start_unix_ns), max(end_unix_ns), count(*) FROM spans"
                " WHERE service = ? AND environment = ? AND level = 0 GROUP BY release ORDER BY 2, 1",
                self._owner,
            ).fetchall()
            calls = dict(self._calls_by_release(db))
        return [
            Release(name=name, first_unix_ns=first, last_unix_ns=last, windows=n, calls=calls.get(name, 0))
            for name, first, last, n in rows
        ]

    def _calls_by_release(self, db: sqlite3.Connection) -> list[tuple[str, int]]:
        return db.execute(
            "SELECT s.release, sum(e.calls) FROM spans s JOIN entry_rows e ON e.span_id = s.id"
            " WHERE s.service = ? AND s.environment = ? AND s.level = 2 GROUP BY s.release",
            self._owner,
        ).fetchall()

    def profile(self, release: str | None = None, *, since_unix_ns: int = 0) -> Profile | None:
        """The merged profile of the windows that began at or after `since_unix_ns`; None where there is none.

        Where windows have lost their detail since then, it begins at the next full hour. It reaches as far back as
        windows are kept. Of very many functions it has those that cost most, `dropped` says how many it has not; asked
        by name it knows them all.
        """
        if release is None:
            releases = self.releases()
            if not releases:
                return None
            release = releases[-1].name
        with self._database.settled() as db:
            return profiles.read(db, self._finder(release), since_unix_ns)

    def _finder(self, release: str) -> profiles.Finder:
        return profiles.Finder(self._database, (*self._owner, release))

    def excerpt(self, function: str, release: str | None = None) -> Profile | None:
        """What of the profile concerns one function; None where there is no window."""
        found = self.profile(release)
        return excerpt(found, function) if found is not None else None

    def series(self, function: str, release: str) -> Series:
        """The function window by window, oldest first; empty where it was not seen."""
        with self._database.settled() as db:
            points = series.of_function(db, self._owner, release, function)
        return Series(function=function, release=release, points=points)

    def entry_series(self, release: str) -> Series:
        """All entries window by window, oldest first; empty where the release was not seen."""
        with self._database.settled() as db:
            points = series.of_entries(db, self._owner, release)
        return Series(function="", release=release, points=points)

    def history(
        self, level: str, *, since_unix_ns: int = 0, functions: Collection[str] | None = None
    ) -> Sequence[Stretch]:
        """Sums by `hour` or `day` over all releases, oldest first."""
        with self._database.settled() as db:
            return series.history(db, self._owner, level, since_unix_ns, functions)

    def span(
        self, function: str, start_unix_ns: int, end_unix_ns: int, *, release: str | None = None
    ) -> Mapping[str, FunctionStats]:
        """The function by entry, out of the hours that begin from `start_unix_ns` on and before `end_unix_ns`."""
        with self._database.settled() as db:
            return functions.by_entry(db, self._owner, release, function, (start_unix_ns, end_unix_ns))

    def samples(self, function: str, release: str, *, since_unix_ns: int = 0) -> Sequence[Sample]:
        """What was looked at of a function's calls, window by window, oldest first.

        Several detectors look at the same few functions: what was read last is kept until the file changes.
        """
        with self._database.settled() as db:
            state = self._database.state()
            if state != self._kept_at:
                self._kept.clear()
                self._kept_at = state
            key = function, release, since_unix_ns
            found = self._kept.get(key)
            if found is None:
                found = samples.read(db, (*self._owner, release), function, since_unix_ns)
                if len(self._kept) < KEPT and sum(len(sample.exemplars) for sample in found) <= KEPT_ROWS:
                    self._kept[key] = found
        return found

    def deployments(self) -> Sequence[Deployment]:
        """What was marked as deployed, oldest first."""
        with self._database.reading() as db:
            return series.deployments(db, self._owner)

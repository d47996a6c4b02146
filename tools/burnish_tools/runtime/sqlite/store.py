"""The dataset of any number of services in one SQLite file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from burnish.profile import Deployment
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.sqlite.database import Database
from burnish_tools.runtime.sqlite.ingest import ingest
from burnish_tools.runtime.sqlite.runtime import SqliteRuntime
from burnish_tools.runtime.sqlite.tidy import step
from burnish_tools.runtime.store import Seen, Taken


class SqliteStore:
    """Satisfies `burnish_tools.runtime.store.Store`."""

    def __init__(self, path: Path | str, keep: KeepSettings | None = None) -> None:
        """Opens or makes the file. Raises DataError where it is corrupt or of a newer Burnish."""
        self._database, self._keep = Database(path), keep or KeepSettings()

    def add(self, windows: Sequence[Window]) -> Taken:
        """Takes windows in, in one transaction."""
        with self._database.writing() as db:
            return ingest(db, self._database.names, windows, time.time())

    def mark(self, deployment: Deployment, service: str, environment: str) -> None:
        """Notes a deployment; who marked it last is named."""
        with self._database.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO deployments (service, environment, release, unix_ns, marked_by)"
                " VALUES (?, ?, ?, ?, ?)",
                (service, environment, deployment.release, deployment.unix_ns, deployment.by),
            )

    def tidy(self, now: float) -> bool:
        """One bounded step of rolling up and dropping; True where there is more to do."""
        with self._database.writing() as db:
            return step(db, self._database.names, now, self._keep)

    def services(self) -> Sequence[Seen]:
        """What is in it, in order of service and environment."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT service, environment, max(end_unix_ns) FROM spans GROUP BY service, environment ORDER BY 1, 2"
            )
            return [Seen(*row) for row in rows]

    def runtime(self, service: str, environment: str, spool: Path | None = None) -> SqliteRuntime:
        """The dataset of one service; shares the store's connection."""
        return SqliteRuntime(self._database.path, service, environment, spool, database=self._database, keep=self._keep)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

"""The file of the dataset: one connection, its transactions, and SQLite's errors as ours."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from burnish.errors import DataError, Unavailable
from burnish_tools.runtime.sqlite.names import Names
from burnish_tools.runtime.sqlite.schema import migrate
from burnish_tools.runtime.sqlite.sums import settle

LOCK_SECONDS = 30
CACHE_KIB = 64 * 1024
"""Memory at most for pages and for sorting, in KiB: summing the days of 100,000 functions then needs no file."""


class Database:
    """An open file. Several processes may share the file, several threads the object.

    `again` ends the sentence of what to do with a file that is broken.
    """

    def __init__(self, path: Path | str, again: str = "send the windows again") -> None:
        """Opens or makes it. Raises DataError where it is corrupt or of a newer Burnish."""
        self.path, self._again = Path(path), again
        self._lock = threading.RLock()
        with self.reported():
            _make_directory(self.path.parent)
            self.connection = sqlite3.connect(
                self.path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            migrate(self.connection, str(self.path))
            self.names = Names(self.connection)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self.connection.close()

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Turns SQLite's errors into ours, and keeps other threads out."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise Unavailable(f"{self.path}: another process is writing to it; try again") from error
            if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
                raise Unavailable(f"{self.path}: {error}; make room on its disk") from error
            raise DataError(f"{self.path}: {error}; check that it is a writable file on a local disk") from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.path}: {error}; move it away; {self._again}") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes; nothing of it is there if it raises."""
        try:
            yield from self._transaction("BEGIN IMMEDIATE")
        except BaseException:
            self.names.forget()
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Sees the file as it is now, whatever is written meanwhile."""
        yield from self._transaction("BEGIN")

    @contextmanager
    def settled(self) -> Iterator[sqlite3.Connection]:
        """Like `reading`, after the windows that came since have been added up."""
        while self._are_waiting():
            with self.writing() as db:
                settle(db)
        yield from self._transaction("BEGIN")

    def state(self) -> tuple[int, int]:
        """Another one whenever the file has been written to, by this object or by others. Ask inside `reading`."""
        (others,) = self.connection.execute("PRAGMA data_version").fetchone()
        return others, self.connection.total_changes

    def _are_waiting(self) -> bool:
        with self.reading() as db:
            return db.execute("SELECT 1 FROM spans WHERE level = 0 AND NOT summed LIMIT 1").fetchone() is not None

    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.reported():
            self.connection.execute(begin)
            with self.connection:
                yield self.connection


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; choose another place for the runtime data") from error

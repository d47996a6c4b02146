"""Scratch copies of the snapshot database: one for each arm, gone afterwards. The snapshot itself is only read.

sqlite:////srv/snapshots/library.sqlite3   copied by SQLite's backup interface
postgres://reader@db/library_snapshot      CREATE DATABASE … TEMPLATE, on the same server

The copies have URLs with the scheme of the snapshot's, as the service is to read them: postgresql+asyncpg:// says which
driver SQLAlchemy takes. Burnish's own connections leave the driver out.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from burnish.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    import psycopg

POSTGRES = ("postgres", "postgresql", "pgsql")
PREFIX = "burnish_scratch_"
TEMPLATE_PATIENCE_SECONDS = 20.0


class ScratchDatabases(Protocol):
    """Makes copies of one snapshot; all of them are dropped when the context that made this ends."""

    network: bool
    """True where the service needs the network to reach its copy."""

    def copy(self, name: str) -> str:
        """URL of a new copy of the snapshot."""

    def empty(self, name: str) -> str:
        """URL of a new empty database, for the service's own tests."""


@contextlib.contextmanager
def scratch_databases(url: str, folder: Path) -> Iterator[ScratchDatabases]:
    """Copies of the database at `url`. An empty URL gives empty SQLite databases and no copies.

    Raises ConfigError for a URL that cannot be used and Unavailable where the server cannot be reached.
    """
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme in POSTGRES:
        with _Postgres.opened(url) as databases:
            yield databases
    elif scheme in ("sqlite", "sqlite3", ""):
        yield _Sqlite(_sqlite_path(url) if url else None, folder, urlsplit(url).scheme or "sqlite")
    else:
        raise ConfigError(f"[proof] database: {scheme}:// is not known; use sqlite:///… or postgres://…")


def _sqlite_path(url: str) -> Path:
    path = Path(unquote(urlsplit(url).path[1:])).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(f"[proof] database: there is no file {path}; make a snapshot of production-like data there")
    return path


class _Sqlite:
    """File copies. A snapshot without a write-ahead log is opened as immutable: not even a lock file appears."""

    network = False

    def __init__(self, snapshot: Path | None, folder: Path, scheme: str) -> None:
        self._snapshot = snapshot
        self._folder = folder
        self._scheme = scheme

    def copy(self, name: str) -> str:
        if self._snapshot is None:
            raise ConfigError("[proof] database is not set; name a copy of production-like data")
        wal = self._snapshot.with_name(self._snapshot.name + "-wal")
        live = wal.exists() and wal.stat().st_size > 0
        source_uri = f"file:{quote(str(self._snapshot))}?" + ("mode=ro" if live else "mode=ro&immutable=1")
        target = self._target(name)
        try:
            with (
                contextlib.closing(sqlite3.connect(source_uri, uri=True)) as source,
                contextlib.closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
        except sqlite3.Error as error:
            raise ConfigError(f"[proof] database: {self._snapshot} cannot be copied: {error}") from error
        return f"{self._scheme}:///{target}"

    def empty(self, name: str) -> str:
        return f"{self._scheme}:///{self._target(name)}"

    def _target(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite3"


class _Postgres:
    """Template copies. A lock held on the maintenance connection tells live copies from those of dead runs."""

    network = True

    def __init__(self, url: str, admin: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._url = url
        self._admin = admin
        self._snapshot = unquote(urlsplit(url).path[1:])
        self._run = PREFIX + secrets.token_hex(4)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, url: str) -> Iterator[_Postgres]:
        admin = _connect(with_database(without_driver(url), "postgres"))
        with contextlib.closing(admin):
            databases = cls(url, admin)
            admin.execute("SELECT pg_advisory_lock(hashtext(%s))", [databases._run])
            databases._drop_stale()
            try:
                yield databases
            finally:
                databases._drop(databases._run)

    def copy(self, name: str) -> str:
        return self._create(name, self._snapshot)

    def empty(self, name: str) -> str:
        return self._create(name, "template0")

    def _create(self, name: str, template: str) -> str:
        """Waits a little where somebody is connected to the template: PostgreSQL copies only a database at rest."""
        import psycopg

        database = f"{self._run}_{name}"
        patience_ends = time.monotonic() + TEMPLATE_PATIENCE_SECONDS
        while True:
            try:
                self._admin.execute(f'CREATE DATABASE "{database}" TEMPLATE {_quoted(template)}')
                return with_database(self._url, database)
            except psycopg.errors.ObjectInUse as error:
                if time.monotonic() > patience_ends:
                    message = f"[proof] database: others are connected to {template}, so that it cannot be copied"
                    raise Unavailable(f"{message}; give Burnish a snapshot of its own") from error
                time.sleep(0.5)
            except psycopg.errors.InsufficientPrivilege as error:
                mend = f"grant CREATEDB to the user, and let it own {template} or mark that as a template"
                raise ConfigError(f"[proof] database: {error}; {mend}") from error
            except psycopg.Error as error:
                raise Unavailable(f"[proof] database: cannot copy {template}: {error}") from error

    def _drop_stale(self) -> None:
        """Copies whose lock can be taken belong to a run that is dead."""
        length = len(self._run)
        pattern = PREFIX.replace("_", r"\_")
        names = self._admin.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [f"^(test_)?{pattern}"])
        runs = {name.removeprefix("test_")[:length] for (name,) in names.fetchall()}
        for run in sorted(runs - {self._run}):
            taken = self._admin.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [run]).fetchone()
            if taken and taken[0]:
                self._drop(run)
                self._admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", [run])

    def _drop(self, run: str) -> None:
        """Also `test_…`, which Django's test runner makes beside the database that it is given."""
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) OR starts_with(datname, %s)"
        for (name,) in self._admin.execute(query, [run, "test_" + run]).fetchall():
            self._admin.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError("[proof] database: PostgreSQL needs `pip install burnish[postgres]`") from error
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise Unavailable(f"[proof] database: the server cannot be reached: {error}") from error


def with_database(url: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(url)._replace(path="/" + quote(database)))


def without_driver(url: str) -> str:
    """`postgresql+asyncpg://…` as `postgresql://…`, for Burnish's own connections; `sqlite:////…` keeps its slashes."""
    scheme, separator, rest = url.partition("://")
    scheme = scheme.partition("+")[0]
    return f"{'postgresql' if scheme in POSTGRES else scheme}{separator}{rest}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

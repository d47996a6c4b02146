"""From a URL to the adapter that reads it."""

from __future__ import annotations

from burnish.errors import ConfigError
from burnish.protocols import Database
from burnish_tools.databases.sqlite import SqliteDatabase


def connect(url: str, snapshot: str = "") -> Database:
    """`sqlite:///relative`, `sqlite:////absolute`, `postgres://user@host/name`.

    `snapshot` is the URL of a copy of it, on a scratch copy of which indexes may be tried; SQLite needs none. The
    connection is made with the first question. Raises ConfigError for any other scheme; the message does not
    repeat the URL, which may hold a password.
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return SqliteDatabase.from_url(url)
    if scheme in ("postgres", "postgresql"):
        from burnish_tools.databases.postgres import PostgresDatabase

        return PostgresDatabase(url, snapshot)
    raise ConfigError(
        f"service.database: {scheme!r} is not a database that Burnish reads; use sqlite:///path or postgres://…"
    )

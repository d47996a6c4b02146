"""From a URL to the adapter that reads it."""

from __future__ import annotations

from burnish.errors import ConfigError
from burnish.protocols import Database
from burnish_tools.databases.sqlite import SqliteDatabase


def connect(url: str) -> Database:
    """`sqlite:///relative`, `sqlite:////absolute`, `postgres://user@host/name`.

    The connection is made with the first question. Raises ConfigError for any other scheme; the message does not
    repeat the URL, which may hold a password.
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return SqliteDatabase.from_url(url)
    if scheme in ("postgres", "postgresql"):
        from burnish_tools.databases.postgres import PostgresDatabase

        return PostgresDatabase(url)
    raise ConfigError(
        f"service.database: {scheme!r} is not a database that Burnish reads; use sqlite:///path or postgres://…"
    )

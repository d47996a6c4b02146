"""The store that a setting names."""

from __future__ import annotations

from pathlib import Path

from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.sqlite import SqliteStore
from burnish_tools.runtime.store import Store

SERVERS = ("clickhouse://", "clickhouses://", "chdb://")
"""How the URL of a ClickHouse database begins; anything else is the path of a SQLite file."""


def is_server(database: str) -> bool:
    """Whether `runtime.database` is a URL, and no file."""
    return database.startswith(SERVERS)


def open_store(database: str | Path, keep: KeepSettings, password: str = "") -> Store:
    """Opens or makes the dataset. Raises ConfigError for a wrong URL or a package that is not there, DataError,
    Unavailable."""
    if not is_server(str(database)):
        return SqliteStore(database, keep)
    from burnish_tools.runtime.clickhouse import ClickHouseStore, connect

    return ClickHouseStore(connect(str(database), password), keep)

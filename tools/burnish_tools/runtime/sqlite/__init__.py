"""The dataset in one SQLite file: the embedded default, with no server to install."""

from burnish_tools.runtime.sqlite.runtime import SqliteRuntime
from burnish_tools.runtime.sqlite.store import SqliteStore

__all__ = ["SqliteRuntime", "SqliteStore"]

"""The function-level dataset: the window format, the spool, and the store."""

from burnish_tools.runtime.settings import RuntimeSettings
from burnish_tools.runtime.sqlite_store import SqliteRuntime

__all__ = ["RuntimeSettings", "SqliteRuntime"]

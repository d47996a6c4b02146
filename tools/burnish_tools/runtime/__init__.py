"""The function-level dataset: the window format, the spool, and the stores."""

from burnish_tools.runtime.opening import is_server, open_store
from burnish_tools.runtime.settings import RuntimeSettings
from burnish_tools.runtime.sqlite import SqliteRuntime, SqliteStore
from burnish_tools.runtime.store import Store, Taken

__all__ = ["RuntimeSettings", "SqliteRuntime", "SqliteStore", "Store", "Taken", "is_server", "open_store"]

"""The dataset of any number of services in ClickHouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from burnish.profile import Deployment
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.ingest import Ingest
from burnish_tools.runtime.clickhouse.runtime import ClickHouseRuntime
from burnish_tools.runtime.clickhouse.schema import migrate
from burnish_tools.runtime.clickhouse.tables import NAME
from burnish_tools.runtime.clickhouse.tidy import tidy
from burnish_tools.runtime.format import Window
from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.store import Seen, Taken

_DEPLOYMENT = {
    "service": NAME,
    "environment": NAME,
    "unix_ns": "Int64",
    "release": "String",
    "marked_by": "String",
    "marked_ns": "Int64",
}


class ClickHouseStore:
    """Satisfies `burnish_tools.runtime.store.Store`. What it guarantees of windows is said in `ingest.py`."""

    def __init__(self, connection: Connection, keep: KeepSettings | None = None) -> None:
        """Makes the tables, or brings them up to date. Raises DataError where a newer Burnish made them."""
        migrate(connection)
        self._connection, self._keep = connection, keep or KeepSettings()
        self._ingest, self._lock = Ingest(connection), threading.Lock()

    def add(self, windows: Sequence[Window]) -> Taken:
        """Takes windows in, each once."""
        with self._lock:
            return self._ingest.take(windows, time.time())

    def mark(self, deployment: Deployment, service: str, environment: str) -> None:
        """Notes a deployment; who marked it last is named."""
        d = deployment
        row = service, environment, d.unix_ns, d.release, d.by, time.time_ns()
        self._connection.insert("deployments", _DEPLOYMENT, [row])

    def tidy(self, now: float) -> bool:
        """Drops what is past its time, all at once: adding up is the server's. False: there is no more to do."""
        with self._lock:
            self._ingest.catch_up()
            tidy(self._connection, now, self._keep)
        return False

    def services(self) -> Sequence[Seen]:
        """What is in it, in order of service and environment."""
        query = "SELECT service, environment, max(end_ns) FROM windows GROUP BY service, environment ORDER BY 1, 2"
        return [Seen(*row) for row in self._connection.read(query)]

    def runtime(self, service: str, environment: str, spool: Path | None = None) -> ClickHouseRuntime:
        """The dataset of one service; shares the store's connection. `refresh` reads `spool`, where one is named."""
        return ClickHouseRuntime(self._connection, service, environment, self.add, spool)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

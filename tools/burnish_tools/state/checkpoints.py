"""The graph's checkpoints in PostgreSQL: a job that one machine left in the middle goes on at another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from burnish_tools.state.server import SECONDS, Server
from burnish_tools.state.store import LOCK

CONNECTIONS = 2
"""Steps of a cycle run one after the other."""


def postgres_checkpoints(url: str, serde: SerializerProtocol) -> PostgresSaver:
    """With its tables made or migrated. Raises Unavailable, DataError."""
    server = Server(url)
    with server.connected() as db:
        db.execute("SELECT pg_advisory_lock(%s)", (LOCK + 2,))  # two that begin at once; ends with the connection
        saver = PostgresSaver(_Pool(server), serde=serde)
        saver.setup()
    return saver


class _Pool(ConnectionPool[Any]):
    """Connections that are looked at before use: the server may have been restarted while a job waited."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(
            server.url,
            kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, "connect_timeout": SECONDS},
            min_size=0,
            max_size=CONNECTIONS,
            timeout=SECONDS,
            check=ConnectionPool.check_connection,
            open=True,
        )

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Any]:
        """As the pool's own. Raises Unavailable, DataError."""
        with self._server.errors(), super().connection(timeout) as db:
            yield db

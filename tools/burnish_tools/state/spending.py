"""What the model has cost, in PostgreSQL: one limit for all machines."""

from __future__ import annotations

from typing import LiteralString

from burnish_tools.model.budget import Spent
from burnish_tools.state.server import Server
from burnish_tools.state.store import LOCK

_SCHEMA: LiteralString = """CREATE TABLE IF NOT EXISTS spend (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, day date NOT NULL, at_unix double precision NOT NULL,
    job text NOT NULL, model text NOT NULL, prompt text NOT NULL, input_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL, cache_read_tokens bigint NOT NULL, output_tokens bigint NOT NULL,
    usd double precision NOT NULL, stop_reason text NOT NULL, answer text NOT NULL);
CREATE INDEX IF NOT EXISTS spend_by_day ON spend (day);
"""
_COLUMNS: LiteralString = (
    "day, at_unix, job, model, prompt, input_tokens, cache_write_tokens, cache_read_tokens, output_tokens, usd,"
    " stop_reason, answer"
)


class PostgresSpending:
    """A `Spending` that machines share. Two that ask at the same moment may both be allowed: the limit is per day."""

    def __init__(self, url: str) -> None:
        self._server = Server(url)
        with self._server.connected() as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK + 1,))
            db.execute(_SCHEMA)

    def total(self, day: str) -> float:
        """US dollars of a day. Raises Unavailable, DataError."""
        with self._server.connected() as db:
            ((usd,),) = db.execute("SELECT coalesce(sum(usd), 0) FROM spend WHERE day = %s", (day,)).fetchall()
        return float(usd)

    def add(self, spent: Spent) -> None:
        """Writes down a call. Raises Unavailable, DataError."""
        values = (spent.day, spent.at_unix, spent.job, spent.model, spent.prompt, *spent.usage, spent.usd)
        statement = "INSERT INTO spend (" + _COLUMNS + ") VALUES (" + ", ".join(["%s"] * 12) + ")"
        with self._server.connected() as db:
            db.execute(statement.encode(), (*values, spent.stop_reason, spent.answer))

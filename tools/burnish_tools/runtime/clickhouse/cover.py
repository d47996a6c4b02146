"""Which rows together are a stretch of time: whole days, whole hours, and minutes at its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.tables import DAY_NS, HOUR_NS, MINUTE_NS, Table
from burnish_tools.runtime.sqlite.cover import MOST

OWNED = "service = {service:String} AND environment = {environment:String}"
RELEASED = f"{OWNED} AND release = {{release:String}}"
_SINCE = """(level = 2 AND start_ns >= {day:Int64}
    OR level = 1 AND start_ns >= {hour:Int64} AND start_ns < {day:Int64}
    OR level = 0 AND start_ns >= {minute:Int64} AND start_ns < {hour:Int64})"""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Cover:
    """The rows of one release since a time, and how they are asked for."""

    connection: Connection
    values: Mapping[str, Any]
    """Of the condition: the owner, and the beginnings of the first day, hour and minute."""

    @classmethod
    def since(cls, connection: Connection, owner: Mapping[str, str], since: int) -> Cover:
        """The fewest rows that together are all windows since then, from the next full minute on."""
        starts = {
            name: up(since, length) for name, length in (("day", DAY_NS), ("hour", HOUR_NS), ("minute", MINUTE_NS))
        }
        return cls(connection, {**owner, **starts})

    def condition(self, also: str = "") -> str:
        """The condition on a table's rows, with `also`."""
        return f"{RELEASED} AND {_SINCE}{f' AND {also}' if also else ''}"

    def merged(
        self, table: Table, keys: str, columns: Sequence[str] = (), more: str = "", also: str = ""
    ) -> Sequence[Row]:
        """Rows by some keys: the keys, then the columns (default: all) added up, then `more` aggregates."""
        chosen = ", ".join(part for part in (keys, table.merged(*columns), more) if part)
        query = f"SELECT {chosen} FROM {table.name} WHERE {self.condition(also)} GROUP BY {keys} ORDER BY {keys}"
        return self.connection.read(query, self.values)

    def dearest(self, table: Table, keys: str, costs: Sequence[str]) -> tuple[str, int]:
        """The condition that a row has one of the keys that cost most, each cost having its share of the places; `""`
        where there is place for all. And how many keys there are."""
        query = f"SELECT uniqExact({keys}) FROM {table.name} WHERE {self.condition()}"
        ((n,),) = self.connection.read(query, self.values)
        if n <= MOST:
            return "", n
        ranks = ", ".join(
            f"row_number() OVER (ORDER BY {table.merged(cost)} DESC, {keys}) AS rank_{i}"
            for i, cost in enumerate(costs)
        )
        among = " OR ".join(f"rank_{i} <= {MOST // len(costs)}" for i in range(len(costs)))
        ranked = f"SELECT {keys}, {ranks} FROM {table.name} WHERE {self.condition()} GROUP BY {keys}"
        return f"({keys}) IN (SELECT {keys} FROM ({ranked}) WHERE {among})", n


def up(at: int, length: int) -> int:
    """The next beginning of a stretch of this length, at the earliest `at`."""
    return -(-at // length) * length

"""Which spans together are a stretch of time: whole days, whole hours, and single windows at its beginning."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from burnish_tools.runtime.sqlite.rows import CALL_ROWS, DRIVER_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Key, Table
from burnish_tools.runtime.sqlite.sums import DAY_NS, HOUR_NS

MOST = 2_000
"""Functions (and statements) of which a profile has all; of more it has those that cost most: a share of the places for
each kind of cost. A judgement: it bounds what a look at the dataset takes, and what is left out is counted."""

Owner = tuple[str, str, str]
"""service, environment, release"""


@dataclass
class Dearest:
    """The rows that cost most, where there are very many."""

    chosen: dict[str, set[Key]] = field(default_factory=dict)
    """By table the leading keys of the rows that are read; a table that is read as a whole is not named."""
    left: dict[str, int] = field(default_factory=dict)
    """How many keys were left out, by kind."""
    totals: dict[str, float] = field(default_factory=dict)
    """By table the first cost of all its rows, left out or not."""


@dataclass(frozen=True)
class Cover:
    """Spans whose rows add up to a stretch of time."""

    sums: tuple[int, ...]
    windows: tuple[int, ...]

    @classmethod
    def since(cls, db: sqlite3.Connection, owner: Owner, since: int) -> Cover:
        """The fewest spans that together are all windows since then."""
        from_hour = -(-since // HOUR_NS) * HOUR_NS
        from_day = -(-since // DAY_NS) * DAY_NS
        sums = db.execute(
            "SELECT id FROM spans WHERE service = ? AND environment = ? AND release = ?"
            " AND ((level = 2 AND start_unix_ns >= ?) OR (level = 1 AND start_unix_ns >= ? AND start_unix_ns < ?))",
            (*owner, from_day, from_hour, from_day),
        )
        windows = db.execute(
            "SELECT id FROM spans WHERE service = ? AND environment = ? AND release = ?"
            " AND level = 0 AND summed AND start_unix_ns >= ? AND start_unix_ns < ?",
            (*owner, since, from_hour),
        )
        return cls(tuple(row[0] for row in sums), tuple(row[0] for row in windows))

    def condition(self, table: Table, chosen: Collection[Key] | None) -> tuple[str, tuple[Any, ...]]:
        """Condition on a table's rows of the sums, with its values; `chosen` are leading keys."""
        spans = f"span_id IN ({', '.join(map(str, self.sums))})"
        if chosen is None:
            return spans, ()
        columns = table.keys[: len(next(iter(chosen), ("",)))]
        each = ", ".join(f"json_extract(value, '$[{i}]')" for i in range(len(columns)))
        return f"{spans} AND ({', '.join(columns)}) IN (SELECT {each} FROM json_each(?))", (json.dumps(list(chosen)),)

    def details(self, db: sqlite3.Connection) -> Iterator[bytes]:
        """The details of the windows."""
        for span in self.windows:
            for (rows,) in db.execute("SELECT rows FROM details WHERE span_id = ?", (span,)):
                yield rows

    def dearest(self, db: sqlite3.Connection) -> Dearest:
        """What a profile of very many functions and statements is read from."""
        found = Dearest()
        for table, keys, costs in _RANKED:
            (*_, n, total), *rows = db.execute(self._ranking(table, keys, costs)).fetchall()
            if n <= MOST:
                continue
            chosen = found.chosen[table.name] = {tuple(row[: len(keys)]) for row in rows}
            found.totals[table.name] = total
            if table is FAN_OUT_ROWS:
                found.chosen[DRIVER_ROWS.name] = chosen
            found.left[f"rare_{table.name.removesuffix('_rows')}s"] = n - len(chosen)
        if CALL_ROWS.name in found.chosen:
            found.chosen[CALL_ROWS.name] |= _callers(found.chosen)
            found.chosen[CALL_ROWS.name] |= _versions(db, found.chosen)
        return found

    def _ranking(self, table: Table, keys: Sequence[str], costs: Sequence[str]) -> str:
        """The number of keys and the total of the first cost, then the keys of the dearest by each cost.

        All rows are summed once, and only the dearest leave the database.
        """
        columns = ", ".join(keys)
        totals = ", ".join(f"sum({cost}) AS cost_{i}" for i, cost in enumerate(costs))
        spans, _ = self.condition(table, None)
        most = (
            f"SELECT * FROM (SELECT {columns}, 0, 0 FROM sums"
            f" ORDER BY cost_{i} DESC, {columns} LIMIT {MOST // len(costs)})"
            for i in range(len(costs))
        )
        return (
            f"WITH sums AS MATERIALIZED (SELECT {columns}, {totals} FROM {table.name} WHERE {spans} GROUP BY {columns})"
            f" SELECT {', '.join('NULL' for _ in keys)}, count(*), sum(cost_0) FROM sums"
            f" UNION ALL {' UNION ALL '.join(most)}"
        )


def _callers(chosen: dict[str, set[Key]]) -> set[Key]:
    """The functions whose statements were chosen."""
    return {(key[0],) for key in chosen.get(FAN_OUT_ROWS.name, ())}


def _versions(db: sqlite3.Connection, chosen: dict[str, set[Key]]) -> set[Key]:
    """The chosen functions as their code was at other times, and those at whose places chosen statements are."""
    same = (
        "SELECT other.id FROM functions f JOIN functions other ON other.name = f.name"
        " WHERE f.id IN (SELECT value FROM json_each(?))"
    )
    there = (
        "SELECT f.id FROM sites s JOIN functions f ON f.name = s.function"
        " WHERE s.id IN (SELECT value FROM json_each(?))"
    )
    sites = [key[1] for key in chosen.get(QUERY_ROWS.name, ())]
    numbers = [number for (number,) in chosen[CALL_ROWS.name]]
    return {*db.execute(same, (json.dumps(numbers),)), *db.execute(there, (json.dumps(sites),))}


_RANKED: tuple[tuple[Table, tuple[str, ...], tuple[str, ...]], ...] = (
    (CALL_ROWS, ("function_id",), ("own_ns", "wall_ns", "queries", "calls")),
    (QUERY_ROWS, ("statement_id", "site_id"), ("time_ns", "executions")),
    (FAN_OUT_ROWS, ("function_id", "statement_id", "site_id"), ("time_ns", "executions")),
)
"""What is ranked by which costs: each has its share of the places."""

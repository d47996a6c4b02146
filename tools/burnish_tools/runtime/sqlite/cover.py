"""Which spans together are a stretch of time: whole days, whole hours, and single windows at its beginning."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from burnish_tools.runtime.sqlite.rows import CALL_ROWS, DRIVER_ROWS, FAN_OUT_ROWS, QUERY_ROWS, Key, Table
from burnish_tools.runtime.sqlite.sums import DAY_NS, HOUR_NS

MOST = 2_000
"""Functions (and statements) of which a profile has all; of more it has those that cost most: a share of the places for
each kind of cost. A judgement: it bounds what a look at the dataset takes, and what is left out is counted."""

Owner = tuple[str, str, str]
"""service, environment, release"""


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

    def dearest(self, db: sqlite3.Connection) -> tuple[dict[str, set[Key]], dict[str, int]]:
        """By table the keys of the rows that cost most, and how many keys were left out; a table that is read as a
        whole is not named."""
        chosen, left = dict[str, set[Key]](), dict[str, int]()
        for table, keys, costs in _RANKED:
            columns = ", ".join(keys)
            totals = ", ".join(f"sum({cost})" for cost in costs)
            spans, _ = self.condition(table, None)
            rows = db.execute(
                f"SELECT {columns}, {totals} FROM {table.name} WHERE {spans} GROUP BY {columns}"
            ).fetchall()
            if len(rows) <= MOST:
                continue
            chosen[table.name] = {
                tuple(row[: len(keys)])
                for cost in range(len(keys), len(keys) + len(costs))
                for row in sorted(rows, key=lambda row: -row[cost])[: MOST // len(costs)]
            }
            if table is FAN_OUT_ROWS:
                chosen[DRIVER_ROWS.name] = chosen[table.name]
            left[f"rare_{table.name.removesuffix('_rows')}s"] = len(rows) - len(chosen[table.name])
        if CALL_ROWS.name in chosen:
            chosen[CALL_ROWS.name] |= _callers(chosen)
            chosen[CALL_ROWS.name] |= _versions(db, chosen)
        return chosen, left


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

"""A profile out of ClickHouse: what a release did in a span of time. The server merges; here are only sums."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import PrivateAttr

from burnish.profile import EntryStats, FunctionStats, LeftOut, Profile, QueryStats
from burnish_tools.runtime.clickhouse import statements
from burnish_tools.runtime.clickhouse.buckets import COLUMNS, histogram
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.cover import OWNED, RELEASED, Cover, Row, up
from burnish_tools.runtime.clickhouse.tables import (
    CALL_ROWS,
    DAY_NS,
    ENTRY_ROWS,
    FAN_OUT_ROWS,
    HOUR_NS,
    MINUTE_NS,
    QUERY_ROWS,
    Table,
)

_WIDTH = len(COLUMNS)
_CODE = "function, file, line, end_line, body, kind"


@dataclass(frozen=True)
class Finder:
    """Reads one function of a release that a profile left out."""

    cover: Cover

    def find(self, name: str) -> FunctionStats | None:
        """The function; None where it was not seen."""
        cover = Cover(self.cover.connection, {**self.cover.values, "function": name})
        return next(iter(_functions(cover, "function = {function:String}")), None)


class StoredProfile(Profile):
    """A profile of very many functions, which looks those up that it does not hold."""

    _finder: Finder | None = PrivateAttr(default=None)

    def function(self, name: str) -> FunctionStats | None:
        """By name; None where it was not seen."""
        found = super().function(name)
        return self._finder.find(name) if found is None and self._finder else found


def read(connection: Connection, owner: Mapping[str, str], since: int) -> Profile | None:
    """The profile of the windows that began from `since` on; None where there is none.

    It begins at a full minute, and at a full hour where minutes are not kept any more.
    """
    since = _possible(connection, since)
    (seen,) = connection.read(_SEEN, {**owner, "since": since})
    windows, start, end, covered, instances, dropped = seen
    if not windows:
        return None
    cover = Cover.since(connection, owner, since)
    also, n = _dearest(cover)
    functions = _functions(cover, also)
    queries, rare_queries = statements.queries(cover)
    fan_outs, rare_fan_outs = statements.fan_outs(cover)
    left = {"rare_calls": n - len(functions), "rare_querys": rare_queries, "rare_fan_outs": rare_fan_outs}
    profile = (StoredProfile if also else Profile)(
        **owner,
        start_unix_ns=start,
        end_unix_ns=end,
        observed_seconds=covered / 1e9,
        windows=windows,
        instances=instances,
        entries=_entries(cover),
        functions=functions,
        queries=queries,
        fan_outs=fan_outs,
        dependencies=statements.dependencies(cover),
        dropped={kind: n for kind, n in sorted((dropped | left).items()) if n},
        left_out=_left_out(cover, left, functions, queries),
    )
    if isinstance(profile, StoredProfile):
        profile._finder = Finder(cover)
    return profile


def _left_out(
    cover: Cover, left: Mapping[str, int], functions: Sequence[FunctionStats], queries: Sequence[QueryStats]
) -> LeftOut | None:
    if not any(left.values()):
        return None

    def share(table: Table, column: str, held: float) -> float:
        ((total,),) = cover.connection.read(
            f"SELECT sum({column}) FROM {table.name} WHERE {cover.condition()}", cover.values
        )
        return max(0.0, 1 - held / total) if total else 0.0

    rare, statements_left = left["rare_calls"], left["rare_querys"]
    return LeftOut(
        functions=rare,
        own_share=share(CALL_ROWS, "own_sum", sum(f.own.sum for f in functions)) if rare else 0.0,
        statements=statements_left,
        statement_share=share(QUERY_ROWS, "wall_sum", sum(q.wall.sum for q in queries)) if statements_left else 0.0,
    )


def _dearest(cover: Cover) -> tuple[str, int]:
    """The condition that leaves the dearest functions, with those that run or issue the dearest statements, where there
    are very many; and how many there are."""
    also, n = cover.dearest(CALL_ROWS, "function", ("own_sum", "wall_sum", "queries", "calls"))
    if also:
        for (there, _), table, column in (
            (statements.dearest_fan_outs(cover), FAN_OUT_ROWS, "caller"),
            (statements.dearest_queries(cover), QUERY_ROWS, "function"),
        ):
            if there:
                also += f" OR function IN (SELECT {column} FROM {table.name} WHERE {cover.condition(there)})"
        also = f"({also})"
    return also, n


def _possible(connection: Connection, since: int) -> int:
    """Not before windows were dropped; a full minute, or a full hour where minutes were dropped."""
    rows = connection.read("SELECT name, max(unix_ns) FROM horizon GROUP BY name")
    horizon: dict[str, int] = dict(rows)
    since = up(max(since, horizon.get("windows", 0)), MINUTE_NS)
    return since if since >= horizon.get("minutes", 0) else up(since, HOUR_NS)


def _entries(cover: Cover) -> tuple[EntryStats, ...]:
    return tuple(
        EntryStats(
            entry=entry,
            kind=kind,
            calls=calls,
            errors=in_order(errors),
            wall=histogram(rest[:_WIDTH]),
            queries=histogram(rest[_WIDTH:]),
        )
        for entry, kind, calls, errors, _, *rest in cover.merged(ENTRY_ROWS, "entry, kind")
    )


def _functions(cover: Cover, also: str = "") -> tuple[FunctionStats, ...]:
    """All functions, in order of name; file, lines and body are those that ran last."""
    codes = f"SELECT {_CODE} FROM functions FINAL WHERE {RELEASED}" + (f" AND {also}" if also else "")
    code = {row[0]: row for row in cover.connection.read(codes, cover.values)}
    entries = "sumMap(map(toString(entry), calls))"
    rows = cover.merged(CALL_ROWS, "function", more=entries, also=also)
    return tuple(_function(code.get(row[0], (row[0], "", 0, 0, "", "")), row[1:-1], row[-1]) for row in rows)


def _function(code: Row, sums: Row, entries: Mapping[str, int]) -> FunctionStats:
    name, file, line, end_line, body, kind = code
    calls, _, calls_variance, wall_variance, errors, callers, *rest = sums
    return FunctionStats(
        function=name,
        file=file,
        line=line,
        end_line=end_line,
        body=body,
        kind=kind,
        calls=calls,
        errors=in_order(errors),
        wall=histogram(rest[:_WIDTH]),
        own=histogram(rest[_WIDTH:]),
        entries=in_order(entries),
        callers=in_order(callers),
        errors_of_sampling=(math.sqrt(calls_variance), math.sqrt(wall_variance)),
    )


def by_entry(
    connection: Connection, owner: Mapping[str, str], release: str | None, function: str, span: tuple[int, int]
) -> dict[str, FunctionStats]:
    """One function by entry, out of the hours that begin in a span; whole days are read as such."""
    first, last = up(span[0], DAY_NS), span[1] // DAY_NS * DAY_NS
    values: dict[str, Any] = {**owner, "function": function, "start": span[0], "end": span[1]}
    values |= {"first": first, "last": max(first, last)}
    released = ""
    if release is not None:
        released, values["release"] = " AND release = {release:String}", release
    codes = connection.read(_CODE_OF.format(released=released), values)
    query = _BY_ENTRY.format(columns=CALL_ROWS.merged(), released=released)
    return {
        entry: _function(codes[0] if codes else (function, "", 0, 0, "", ""), tuple(sums), {entry: sums[0]})
        for entry, *sums in connection.read(query, values)
    }


def in_order(counter: Mapping[str, int]) -> dict[str, int]:
    """A counter in order of its names."""
    return dict(sorted(counter.items()))


_SEEN = f"""
SELECT count(), min(start_ns), max(end_ns), intervalLengthSum(start_ns, end_ns), uniqExact(instance), sumMap(dropped)
FROM windows FINAL
WHERE {RELEASED} AND start_ns >= {{since:Int64}}
"""
_CODE_OF = (
    f"""
SELECT {_CODE} FROM functions FINAL
WHERE {OWNED} AND function = {{function:String}}{{released}}
ORDER BY seen_ns DESC LIMIT 1
""".replace("{service:String}", "{{service:String}}")
    .replace("{environment:String}", "{{environment:String}}")
    .replace("{function:String}", "{{function:String}}")
)
_BY_ENTRY = """
SELECT entry, {columns} FROM call_rows
WHERE service = {{service:String}} AND environment = {{environment:String}} AND function = {{function:String}}{released}
    AND (level = 2 AND start_ns >= {{first:Int64}} AND start_ns < {{last:Int64}}
      OR level = 1 AND start_ns >= {{start:Int64}} AND start_ns < {{end:Int64}}
          AND NOT (start_ns >= {{first:Int64}} AND start_ns < {{last:Int64}}))
GROUP BY entry ORDER BY entry
"""

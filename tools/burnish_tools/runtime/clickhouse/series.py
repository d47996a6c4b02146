"""Functions over time: window by window, hour by hour, and what was deployed meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from burnish.errors import UsageError
from burnish.profile import Deployment, Point, Release, Stretch
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.cover import OWNED, RELEASED
from burnish_tools.runtime.clickhouse.tables import CALL_ROWS, DAY, ENTRY_ROWS, HOUR, Table

STRETCHES = {"hour": HOUR, "day": DAY}
"""Level of the sums, by the name that `Runtime.history` has for it."""


def points(connection: Connection, owner: Mapping[str, str], function: str) -> tuple[Point, ...]:
    """A function (`""`: all entries) window by window, oldest first; minute by minute where windows were dropped."""
    return tuple(
        Point(
            start_unix_ns=start,
            seconds=length / 1e9,
            instance=instance,
            entry=entry,
            calls=calls,
            wall_ns=wall,
            queries=queries,
        )
        for start, instance, _, entry, calls, wall, queries, length in connection.read(
            _POINTS, {**owner, "function": function}
        )
    )


def history(
    connection: Connection, owner: Mapping[str, str], level: str, since_unix_ns: int, functions: Collection[str] | None
) -> list[Stretch]:
    """Sums by hour or day of all releases, in order of time, release, function and entry."""
    if level not in STRETCHES:
        raise UsageError(f"there is no history by {level!r}: ask for one of {', '.join(STRETCHES)}")
    values: dict[str, Any] = {**owner, "level": STRETCHES[level], "since": since_unix_ns}
    named = ""
    if functions is not None:
        named, values["functions"] = " AND function IN {functions:Array(String)}", sorted(functions)
    parts = [_sums(CALL_ROWS, "function", "sum(own_sum)", "sum(queries)") + named + _GROUPED]
    if functions is None or "" in functions:
        parts.append(_sums(ENTRY_ROWS, "''", "0.", "sum(queries_sum)") + _GROUPED)
    query = f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY start_ns, version, name, by"
    return [Stretch(*row) for row in connection.read(query, values)]


def _sums(table: Table, function: str, own: str, queries: str) -> str:
    return (
        f"SELECT start_ns, toString(release) AS version, toString({function}) AS name, toString(entry) AS by,"
        f" sum(calls), sum(wall_sum), {own}, {queries}, sum(arraySum(mapValues(errors)))"
        f" FROM {table.name} WHERE {OWNED} AND level = {{level:UInt8}} AND start_ns >= {{since:Int64}}"
    )


def releases(connection: Connection, owner: Mapping[str, str]) -> list[Release]:
    """All releases seen, oldest first."""
    calls: dict[str, int] = dict(connection.read(_CALLS, owner))
    return [
        Release(name=name, first_unix_ns=first, last_unix_ns=last, windows=n, calls=calls.get(name, 0))
        for name, first, last, n in connection.read(_RELEASES, owner)
    ]


def deployments(connection: Connection, owner: Mapping[str, str]) -> list[Deployment]:
    """What was marked, oldest first."""
    return [Deployment(release=release, unix_ns=at, by=by) for release, at, by in connection.read(_DEPLOYMENTS, owner)]


_GROUPED = " GROUP BY start_ns, version, name, by"
_POINTS = f"""
SELECT start_ns, instance, sequence, entry, sum(calls), sum(wall_ns), sum(queries), sum(length_ns)
FROM points
WHERE {RELEASED} AND function = {{function:String}} AND (
    level = 0 AND start_ns >= (SELECT max(unix_ns) FROM horizon WHERE name = 'points')
    OR level = 1 AND start_ns < (SELECT max(unix_ns) FROM horizon WHERE name = 'points'))
GROUP BY start_ns, instance, sequence, entry
ORDER BY start_ns, instance, sequence, entry
"""
_RELEASES = f"""
SELECT release, min(start_ns), max(end_ns), count() FROM windows FINAL
WHERE {OWNED}
GROUP BY release ORDER BY 2, 1
"""
_CALLS = f"SELECT release, sum(calls) FROM entry_rows WHERE {OWNED} AND level = 2 GROUP BY release"
_DEPLOYMENTS = f"""
SELECT release, unix_ns, marked_by FROM deployments FINAL
WHERE {OWNED}
ORDER BY unix_ns, release
"""

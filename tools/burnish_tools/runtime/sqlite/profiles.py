"""A profile out of the file: what a release did in a span of time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import PrivateAttr

from burnish.profile import FunctionStats, LeftOut, Profile, QueryStats
from burnish_tools.runtime.sqlite import functions, statements
from burnish_tools.runtime.sqlite.cover import Cover, Dearest
from burnish_tools.runtime.sqlite.database import Database
from burnish_tools.runtime.sqlite.named import Named
from burnish_tools.runtime.sqlite.rows import CALL_ROWS, QUERY_ROWS, Table
from burnish_tools.runtime.sqlite.sums import HOUR_NS


@dataclass(frozen=True)
class Finder:
    """Reads one function of a release that a profile left out."""

    database: Database
    owner: tuple[str, str, str]

    def find(self, name: str, since: int) -> FunctionStats | None:
        """The function since then; None where it was not seen."""
        with self.database.reading() as db:
            ids = set(db.execute("SELECT id FROM functions WHERE name = ?", (name,)))
            if not ids:
                return None
            named = Named(db, self.owner, Cover.since(db, self.owner, since), {CALL_ROWS.name: ids})
            return next(iter(functions.functions(named)), None)


class StoredProfile(Profile):
    """A profile of very many functions, which looks those up that it does not hold."""

    _finder: Finder | None = PrivateAttr(default=None)
    _since: int = PrivateAttr(default=0)

    def function(self, name: str) -> FunctionStats | None:
        """By name; None where it was not seen."""
        found = super().function(name)
        return self._finder.find(name, self._since) if found is None and self._finder else found


def read(db: sqlite3.Connection, finder: Finder, since: int) -> Profile | None:
    """The profile of the windows that began from `since` on; None where there is none."""
    since = _possible(db, finder.owner, since)
    windows = db.execute(_WINDOWS, (*finder.owner, since)).fetchall()
    if not windows:
        return None
    cover = Cover.since(db, finder.owner, since)
    dearest = cover.dearest(db)
    named = Named(db, finder.owner, cover, dearest.chosen)
    service, environment, release = finder.owner
    found, asked = functions.functions(named), statements.queries(named)
    profile = (StoredProfile if dearest.chosen else Profile).model_construct(
        service=service,
        environment=environment,
        release=release,
        start_unix_ns=windows[0][0],
        end_unix_ns=max(row[1] for row in windows),
        observed_seconds=union_ns((start, end) for start, end, *_ in windows) / 1e9,
        windows=len(windows),
        instances=len({row[2] for row in windows}),
        entries=functions.entries(named),
        functions=found,
        queries=asked,
        fan_outs=statements.fan_outs(named),
        dependencies=statements.dependencies(named),
        dropped=_dropped((row[3] for row in windows), dearest.left),
        left_out=_left_out(dearest, named, found, asked),
    )
    if isinstance(profile, StoredProfile):
        profile._finder, profile._since = finder, since
    return profile


def _left_out(
    dearest: Dearest, named: Named, found: Sequence[FunctionStats], asked: Sequence[QueryStats]
) -> LeftOut | None:
    if not dearest.left:
        return None

    def share(table: Table, number: str, held: float) -> float:
        total = dearest.totals.get(table.name, 0.0) + named.of_windows(table, number)
        return max(0.0, 1 - held / total) if table.name in dearest.totals and total else 0.0

    return LeftOut(
        functions=dearest.left.get("rare_calls", 0),
        own_share=share(CALL_ROWS, "own_ns", sum(stats.own.sum for stats in found)),
        statements=dearest.left.get("rare_querys", 0),
        statement_share=share(QUERY_ROWS, "time_ns", sum(query.wall.sum for query in asked)),
    )


def _possible(db: sqlite3.Connection, owner: tuple[str, str, str], since: int) -> int:
    """Not before windows were dropped; where windows have lost their detail, the next full hour."""
    (horizon,) = db.execute("SELECT windows_unix_ns FROM horizon").fetchone()
    since = max(since, horizon)
    hour = -(-since // HOUR_NS) * HOUR_NS
    bare = db.execute(
        "SELECT 1 FROM spans WHERE service = ? AND environment = ? AND release = ? AND level = 0 AND NOT detailed"
        " AND start_unix_ns >= ? AND start_unix_ns < ? LIMIT 1",
        (*owner, since, hour),
    ).fetchone()
    return hour if bare else since


def union_ns(spans: Iterable[tuple[int, int]]) -> int:
    """Time covered by at least one of the spans, which come in order of their start."""
    covered, reached = 0, 0
    for start, end in spans:
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _dropped(sensors: Iterable[str], left: dict[str, int]) -> dict[str, int]:
    total = dict(left)
    for sensor in sensors:
        for kind, n in json.loads(sensor)["dropped"].items():
            total[kind] = total.get(kind, 0) + n
    return {kind: n for kind, n in sorted(total.items()) if n}


_WINDOWS = """
SELECT start_unix_ns, end_unix_ns, instance, sensor FROM spans
WHERE service = ? AND environment = ? AND release = ? AND level = 0 AND summed AND start_unix_ns >= ?
ORDER BY start_unix_ns
"""

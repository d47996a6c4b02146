"""Which index a statement lacks: candidates from its text, tried where that is possible, weighed against the writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from burnish.profile import Profile, QueryStats
from burnish.protocols import Database, Index, QueryPlan
from burnish.why import Why
from burnish_tools.databases.statement import condition, quoted
from burnish_tools.detectors._measure import MS
from burnish_tools.detectors._sql import IndexColumns, index_columns, written

Reason = tuple[Why, str]


@dataclass(frozen=True)
class Writes:
    """How often a table is written and what a write takes."""

    per_minute: float
    mean_ns: float | None
    """Mean time of the writes that were seen; None where none was."""
    counted_by: str
    """Who says so."""


@dataclass(frozen=True)
class Wanted:
    """An index that is missing, and the plans without and with it."""

    index: Index
    rows: int
    plan: QueryPlan
    trial: QueryPlan


def table_writes(table: str, system: str, profile: Profile, database: Database) -> Writes:
    """By the database's own count, which sees every writer; else by the write statements of the profile."""
    seen = [q for q in profile.queries if q.system == system and written(q.statement, q.system) == table]
    executions = sum(q.executions for q in seen)
    mean = sum(q.wall.sum for q in seen) / executions if executions else None
    counted = database.writes(table)
    rate = executions / profile.minutes
    if counted is not None and counted.writes_per_minute >= rate:
        return Writes(counted.writes_per_minute, mean, "by the database's count")
    return Writes(rate, mean, "by the statements that were seen")


def candidates(query: QueryStats, table: str, existing: Mapping[str, tuple[str, ...]]) -> list[IndexColumns] | Reason:
    """By its own conditions, and by those that join it to other tables; a reason where there is no candidate."""
    own = index_columns(query.statement, query.system, table)
    joined = index_columns(query.statement, query.system, table, joined=True)
    found = [each for each in (own, joined) if isinstance(each, IndexColumns)]
    if not found:
        return Why.NO_PATTERN, str(own)
    for each in found:
        there = next((name for name, has in existing.items() if serves(has, each)), None)
        if there:
            return Why.INDEX_EXISTS, f"{there} on {table} serves it, but the database reads the whole table"
    return list(dict.fromkeys(found))


def serves(existing: tuple[str, ...], wanted: IndexColumns) -> bool:
    """Equality columns first in any order, then the rest in the wanted direction or all the other way round."""
    head, tail = existing[: wanted.equal], existing[wanted.equal : len(wanted.columns)]
    if {name.lstrip("-") for name in head} != set(wanted.columns[: wanted.equal]):
        return False
    rest = wanted.columns[wanted.equal :]
    turned = tuple(name[1:] if name.startswith("-") else f"-{name}" for name in rest)
    return tail in (rest, turned)


@dataclass(frozen=True)
class Trial:
    """Tries candidates for one table and statement. The last two are settings of the detector."""

    database: Database
    query: QueryStats
    plan: QueryPlan
    table: str
    rows: int
    max_cost_left: float
    partial_below: float

    def best(self, found: list[IndexColumns]) -> Wanted | Reason:
        """The cheapest that the database uses instead of reading the table; of equals the first."""
        tried = [(each, self._tried(Index(self.table, each.columns))) for each in found]
        plans = [(each, wanted) for each, wanted in tried if isinstance(wanted, Wanted)]
        if not plans:
            return next(reason for _, reason in tried if isinstance(reason, tuple))
        columns, wanted = min(plans, key=lambda pair: pair[1].trial.cost or 0.0)
        return self._partial(columns, wanted)

    def _tried(self, index: Index) -> Wanted | Reason:
        trial = self.database.plan_with(self.query.statement, index)
        text = shown(index)
        if trial is None:
            return Why.INDEX_UNTRIED, f"{text}; on PostgreSQL install HypoPG, or name a snapshot in [proof] database"
        if self.table in trial.full_scans:
            return Why.PLAN_UNCHANGED, f"with {text} it still reads all of {self.table} (tried on {trial.tried_on})"
        if self.plan.cost and trial.cost is not None and trial.cost > self.max_cost_left * self.plan.cost:
            left = trial.cost / self.plan.cost
            return Why.PLAN_UNCHANGED, f"with {text} the planner expects {left:.0%} of the cost (on {trial.tried_on})"
        return Wanted(index, self.rows, self.plan, trial)

    def _partial(self, columns: IndexColumns, full: Wanted) -> Wanted:
        """Only the rows of a constant condition, where these are few and the plan does not become dearer."""
        best, least = full, self.partial_below
        for index, share in self._partials(columns):
            tried = self._tried(index) if share < least else None
            if isinstance(tried, Wanted) and (tried.trial.cost or 0.0) <= 1.05 * (full.trial.cost or 0.0):
                best, least = tried, share
        return best

    def _partials(self, columns: IndexColumns) -> Iterator[tuple[Index, float]]:
        """With the share of the rows that each would hold, where the planner tells it."""
        for column, where in columns.constants:
            rest = tuple(each for each in columns.columns if each.lstrip("-") != column)
            if not rest or not re.fullmatch(r"\w+", column):
                continue
            plan = self.database.plan(f"SELECT * FROM {quoted(self.table)} WHERE {condition(where)}")
            if plan is not None and plan.rows is not None:
                yield Index(self.table, rest, where), plan.rows / max(self.rows, 1)


def shown(index: Index) -> str:
    """`an index on movement (kind, -at) WHERE gone IS NULL`."""
    where = f" WHERE {index.where}" if index.where else ""
    return f"an index on {index.table} ({', '.join(index.columns)}){where}"


def trade(reads: float, saved_ns: float, writes: Writes, upkeep_ns: float) -> str:
    """What is gained and what is paid, per minute."""
    return (
        f"It is read {reads:,.1f} times a minute, which would save at least {reads * saved_ns / MS:,.0f} ms; the table "
        f"is written {writes.per_minute:,.1f} times a minute ({writes.counted_by}), for which at most "
        f"{writes.per_minute * upkeep_ns / MS:,.0f} ms are reckoned with."
    )

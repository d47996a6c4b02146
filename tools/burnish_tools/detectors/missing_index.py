"""Missing indexes: a statement that production runs often makes the database read a whole table.

Definition: a SELECT whose plan scans one table of some size in full, though its conditions are AND-ed comparisons of
that table's own columns, for which no index exists.

    SELECT … FROM movement WHERE kind = ? AND sku = ? AND at > ? ORDER BY at DESC LIMIT ?

    today   ░░░░░░░░░░░░░░░░░░█░░░░░░░░░░░░░░  reads 200,000 rows
    index   (kind, sku, -at) ──▶ █             reads those that match, in order

Columns: those compared for equality, then one range, else the order; this is the order in which a B-tree can use all of
them (Winand, *SQL Performance Explained*, ch. 2).

What an index leaves of the time is unknown beforehand. As *floor* counts the median of the mean times of the single-row
statements of the same system that use an index: what a lookup costs there, with the driver's share. Or the share of the
table that is returned, if that is more. Without any such statement, half of the time counts as floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from burnish.errors import Unavailable
from burnish.job import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile, QueryStats
from burnish.protocols import Database, QueryPlan, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import MS, finding, mean_low
from burnish_tools.detectors._sql import IndexColumns, index_columns, is_select, written

Reason = tuple[Why, str]


@dataclass(frozen=True)
class _Wanted:
    """An index that is missing."""

    table: str
    columns: tuple[str, ...]
    rows: int
    plan: QueryPlan
    writes_per_minute: float


class MissingIndex:
    """Satisfies `burnish.protocols.Detector`."""

    name = "missing_index"

    class Settings(Section):
        """Missing indexes."""

        min_mean_ms: float = 1.0
        """Mean time of the statement. PgHero begins at 20 ms; since the rate is known here, far less can matter, but
        below a millisecond the way to the database is most of it."""
        min_executions: int = 30
        """Executions of the statement."""
        min_rows: int = 1000
        """Rows of the table. Reading less is as fast as an index (PgHero: 500; a few dozen pages)."""
        max_writes_per_read: float = 1.0
        """Writes to the table per execution of the statement, above which the index is not worth its upkeep."""
        max_share_returned: float = 0.2
        """Share of the table that one execution returns, above which an index would not help; planners prefer the
        full scan from somewhere between 5 % and 30 % on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """From the query rows, the dearest first; each index is proposed once."""
        look = _Look(self.settings, profile, database)
        found: dict[tuple[str, ...], Finding] = {}
        for query in sorted(profile.queries, key=lambda q: (-q.wall.sum, q.site.function, q.site.line, q.statement_id)):
            if not is_select(query.statement):
                continue
            function = query.site.function
            stats = profile.function(function)
            wanted = look.wanted(query)
            if isinstance(wanted, tuple):
                if self._worth_telling(query, wanted[0]):
                    yield Passed(function=function, by=self.name, why=wanted[0], detail=f"{_what(query)}: {wanted[1]}")
            elif stats is None:
                yield Passed(function=function, by=self.name, why=Why.NOT_ENOUGH_CALLS, detail=_what(query))
            elif other := found.get((wanted.table, *wanted.columns)):
                detail = f"{_what(query)}: the index for {other.function} on {wanted.table} serves it too"
                yield Passed(
                    function=function, by=self.name, why=Why.DUPLICATE, detail=detail, fingerprint=other.fingerprint
                )
            else:
                one = self._finding(query, wanted, stats, look.floor(query, wanted), profile, runtime)
                found[wanted.table, *wanted.columns] = one
                yield one

    def _worth_telling(self, query: QueryStats, why: Why) -> bool:
        """A fast statement that does nothing remarkable is not mentioned."""
        slow = query.wall.mean >= self.settings.min_mean_ms * MS
        return slow or why in (Why.TABLE_TOO_SMALL, Why.WRITE_HEAVY)

    def _finding(
        self,
        query: QueryStats,
        wanted: _Wanted,
        stats: FunctionStats,
        floor: float,
        profile: Profile,
        runtime: Runtime,
    ) -> Finding:
        per_call = query.executions / max(stats.calls, 1)
        low = mean_low(query.wall)
        evidence = Evidence(
            statement=query.statement,
            statement_id=query.statement_id,
            site=query.site,
            path=(query.site.function,),
            executions_per_call=per_call,
            table=wanted.table,
            columns=wanted.columns,
            table_rows=wanted.rows,
            writes_per_minute=wanted.writes_per_minute,
            plan=wanted.plan.lines,
            notes=(f"It takes at least {low / MS:.2f} ms; an indexed lookup would leave about {floor / MS:.2f} ms.",),
        )
        return finding(self.name, stats, profile, runtime, evidence, removable_ns=per_call * max(0.0, low - floor))


class _Look:
    """One look at the database, for all statements of a profile."""

    def __init__(self, settings: MissingIndex.Settings, profile: Profile, database: Database | None) -> None:
        self._settings, self._profile, self._database = settings, profile, database
        self._gone = ""
        self._floor: float | None = None
        self._floor_known = False

    def wanted(self, query: QueryStats) -> _Wanted | Reason:
        """The index that the statement lacks, or why none is proposed."""
        if query.executions < self._settings.min_executions:
            return Why.NOT_ENOUGH_CALLS, f"{self._settings.min_executions} executions are needed"
        database = self._database
        if database is None:
            return Why.NO_DATABASE, "its plan could not be read"
        if database.system != query.system:
            return Why.NO_DATABASE, f"it runs on {query.system}, the configured database is {database.system}"
        if self._gone:
            return Why.NO_DATABASE, self._gone
        try:
            return self._read(query, database)
        except Unavailable as error:
            self._gone = str(error)
            return Why.NO_DATABASE, self._gone

    def _read(self, query: QueryStats, database: Database) -> _Wanted | Reason:
        plan = database.plan(query.statement)
        if plan is None or len(plan.full_scans) != 1:
            return _not_one_scan(plan)
        table = plan.full_scans[0]
        rows = database.rows(table)
        if rows < self._settings.min_rows:
            return Why.TABLE_TOO_SMALL, f"{table} has {rows} rows, {self._settings.min_rows} are needed"
        wanted = index_columns(query.statement, query.system, table)
        if isinstance(wanted, str):
            return Why.NO_PATTERN, wanted
        existing = next((name for name, has in database.indexes(table).items() if _serves(has, wanted)), None)
        if existing:
            return Why.INDEX_EXISTS, f"{existing} on {table} serves it, but the database reads the whole table"
        return self._weighed(query, _Wanted(table, wanted.columns, rows, plan, self._writes_per_minute(table, query)))

    def _weighed(self, query: QueryStats, wanted: _Wanted) -> _Wanted | Reason:
        reads = query.executions / self._profile.minutes
        if wanted.writes_per_minute > reads * self._settings.max_writes_per_read:
            return (
                Why.WRITE_HEAVY,
                f"{wanted.table} has {wanted.writes_per_minute:.1f} writes a minute, {reads:.1f} reads",
            )
        share = _returned(query) / wanted.rows
        if share > self._settings.max_share_returned:
            return Why.NO_PATTERN, f"it returns {share:.0%} of {wanted.table}, for which an index does not help"
        if query.wall.mean < self._settings.min_mean_ms * MS:
            return Why.NOT_WORTH_IT, f"a mean time of {self._settings.min_mean_ms:g} ms is needed"
        if mean_low(query.wall) <= self.floor(query, wanted):
            return Why.NOT_WORTH_IT, "it is as fast as an indexed lookup here"
        return wanted

    def _writes_per_minute(self, table: str, read: QueryStats) -> float:
        writes = (q for q in self._profile.queries if q.system == read.system)
        total = sum(q.executions for q in writes if written(q.statement, q.system) == table)
        return total / self._profile.minutes

    def floor(self, query: QueryStats, wanted: _Wanted) -> float:
        """Time that would be left of one execution, in ns."""
        if not self._floor_known:
            self._floor, self._floor_known = self._indexed_lookup(query.system), True
        lookup = query.wall.mean / 2 if self._floor is None else self._floor
        return max(lookup, query.wall.mean * _returned(query) / wanted.rows)

    def _indexed_lookup(self, system: str) -> float | None:
        means = [q.wall.mean for q in self._profile.queries if q.system == system and self._is_lookup(q)]
        return median(means) if means else None

    def _is_lookup(self, query: QueryStats) -> bool:
        if self._database is None or not is_select(query.statement) or query.rows is None:
            return False
        if query.executions < self._settings.min_executions or query.rows > query.executions:
            return False
        plan = self._database.plan(query.statement)
        return plan is not None and bool(plan.indexes) and not plan.full_scans


def _not_one_scan(plan: QueryPlan | None) -> Reason:
    if plan is None:
        return Why.PLAN_UNREADABLE, "the database cannot plan it"
    if plan.full_scans:
        return Why.NO_PATTERN, f"it reads {' and '.join(plan.full_scans)} as a whole"
    return Why.INDEX_EXISTS, f"it uses {', '.join(plan.indexes) or 'no table'}"


def _returned(query: QueryStats) -> float:
    return (query.rows or 0) / max(query.executions, 1)


def _serves(existing: tuple[str, ...], wanted: IndexColumns) -> bool:
    """Equality columns first in any order, then the rest in the wanted direction or all the other way round."""
    head, tail = existing[: wanted.equal], existing[wanted.equal : len(wanted.columns)]
    if {name.lstrip("-") for name in head} != set(wanted.columns[: wanted.equal]):
        return False
    rest = wanted.columns[wanted.equal :]
    turned = tuple(name[1:] if name.startswith("-") else f"-{name}" for name in rest)
    return tail in (rest, turned)


def _what(query: QueryStats) -> str:
    return f"{query.wall.mean / MS:.2f} ms, {query.executions} executions at {query.site.function}:{query.site.line}"

"""Missing indexes: a statement that production runs often makes the database read a whole table.

Definition: a SELECT whose plan scans a table of some size in full, though its conditions are AND-ed comparisons of
that table's columns with values or with those of a table that it is joined to, for which no index exists; and which
with the index no longer does. That is tried: on SQLite on a copy of the schema and its statistics, on PostgreSQL by
HypoPG or on a scratch copy of the snapshot in `[proof] database`. What cannot be tried is not proposed.

    SELECT … FROM movement WHERE kind = ? AND sku = ? AND at > ? ORDER BY at DESC LIMIT ?

    today   ░░░░░░░░░░░░░░░░░░█░░░░░░░░░░░░░░  reads 200,000 rows
    index   (kind, sku, -at) ──▶ █             reads those that match, in order

Columns: those compared for equality, then one range, else the order; this is the order in which a B-tree can use all of
them (Winand, *SQL Performance Explained*, ch. 2). Where the table is joined, the columns of the join count as compared
for equality in a second candidate, and the cheaper plan decides. A condition without a parameter (`deleted_at IS NULL`)
makes the index partial where the planner expects it to hold for few rows.

Every write to the table pays for the index. How often it is written says the database's own count where it has one,
else the write statements that were seen; an index that does not save a multiple of its upkeep is not proposed.

What an index leaves of the time is unknown beforehand. As *floor* counts the median of the mean times of the single-row
statements of the same system that use an index: what a lookup costs there, with the driver's share. Or the share of the
table that is returned, if that is more. Without any such statement, half of the time counts as floor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from burnish.errors import Unavailable
from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile, QueryStats
from burnish.protocols import Database, Index, QueryPlan, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._index import Reason, Trial, Wanted, Writes, candidates, table_writes, trade
from burnish_tools.detectors._measure import MS, finding, mean_low
from burnish_tools.detectors._sql import is_select


@dataclass(frozen=True)
class _Weighed:
    """What an index would save and cost."""

    rows: int
    floor_ns: float
    """Time that would be left of one execution."""
    writes: Writes
    trade: str


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
        min_gain_per_upkeep: float = 2.0
        """Time that the index must save for each second that its upkeep may cost: the upkeep is only reckoned."""
        write_share: float = 0.5
        """Part of a write's time that one more index is taken to add. On purpose too much: the way to the database and
        the commit are in that time too, and do not grow."""
        unseen_write_ms: float = 0.5
        """Time of a write, where the database counts writes and none was seen: those of other programs."""
        max_cost_left: float = 0.5
        """Share of the planner's cost that may be left with the index, where it tells costs (dexter: 50 %)."""
        partial_below: float = 0.3
        """Share of the rows that a constant condition may hold for, below which the index holds only these: it is then
        a third of the size at most, and most writes need not touch it."""
        max_share_returned: float = 0.2
        """Share of the table that one execution returns, above which an index would not help; planners prefer the
        full scan from somewhere between 5 % and 30 % on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """From the query rows, the dearest first; each index is proposed once."""
        look = _Look(self.settings, profile, database)
        found: dict[Index, Finding] = {}
        for query in sorted(profile.queries, key=lambda q: (-q.wall.sum, q.site.function, q.site.line, q.statement_id)):
            if not is_select(query.statement):
                continue
            function = query.site.function
            stats = profile.function(function)
            wanted = look.wanted(query)
            if isinstance(wanted[0], Why):
                if self._worth_telling(query, wanted[0]):
                    yield Passed(function=function, by=self.name, why=wanted[0], detail=f"{_what(query)}: {wanted[1]}")
            elif stats is None:
                yield Passed(function=function, by=self.name, why=Why.NOT_ENOUGH_CALLS, detail=_what(query))
            elif other := found.get(wanted[0].index):
                detail = f"{_what(query)}: the index for {other.function} on {wanted[0].index.table} serves it too"
                yield Passed(
                    function=function, by=self.name, why=Why.DUPLICATE, detail=detail, fingerprint=other.fingerprint
                )
            else:
                found[wanted[0].index] = self._finding(query, *wanted, stats, profile, runtime)
                yield found[wanted[0].index]

    def _worth_telling(self, query: QueryStats, why: Why) -> bool:
        """A fast statement that does nothing remarkable is not mentioned."""
        slow = query.wall.mean >= self.settings.min_mean_ms * MS
        return slow or why in (Why.TABLE_TOO_SMALL, Why.WRITE_HEAVY)

    def _finding(
        self,
        query: QueryStats,
        wanted: Wanted,
        weighed: _Weighed,
        stats: FunctionStats,
        profile: Profile,
        runtime: Runtime,
    ) -> Finding:
        per_call = query.executions / max(stats.calls, 1)
        low, floor = mean_low(query.wall), weighed.floor_ns
        table, columns, where = wanted.index
        evidence = Evidence(
            statement=query.statement,
            statement_id=query.statement_id,
            site=query.site,
            path=(query.site.function,),
            executions_per_call=per_call,
            table=table,
            columns=columns,
            index_where=where,
            table_rows=wanted.rows,
            writes_per_minute=weighed.writes.per_minute,
            plan=wanted.plan.lines,
            notes=(
                f"It takes at least {low / MS:.2f} ms; an indexed lookup would leave about {floor / MS:.2f} ms.",
                weighed.trade,
                f"With the index the plan is: {'; '.join(wanted.trial.lines)} (tried on {wanted.trial.tried_on}).",
            ),
        )
        return finding(self.name, stats, profile, runtime, evidence, removable_ns=per_call * max(0.0, low - floor))


class _Look:
    """One look at the database, for all statements of a profile."""

    def __init__(self, settings: MissingIndex.Settings, profile: Profile, database: Database | None) -> None:
        self._settings, self._profile, self._database = settings, profile, database
        self._gone = ""
        self._floor: float | None = None
        self._floor_known = False

    def wanted(self, query: QueryStats) -> tuple[Wanted, _Weighed] | Reason:
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

    def _read(self, query: QueryStats, database: Database) -> tuple[Wanted, _Weighed] | Reason:
        plan = database.plan(query.statement)
        if plan is None or not plan.full_scans:
            return _no_scan(plan)
        rows = {table: database.rows(table) for table in plan.full_scans}
        large = sorted((table for table in rows if rows[table] >= self._settings.min_rows), key=lambda t: (-rows[t], t))
        if not large:
            table, most = max(rows.items(), key=lambda item: item[1])
            return Why.TABLE_TOO_SMALL, f"{table} has {most} rows, {self._settings.min_rows} are needed"
        answers = (self._for_table(query, database, plan, table, rows[table]) for table in large)
        reasons: list[Reason] = []
        for answer in answers:
            if isinstance(answer[0], Wanted):
                return answer
            reasons.append(answer)
        return reasons[0]

    def _for_table(
        self, query: QueryStats, database: Database, plan: QueryPlan, table: str, rows: int
    ) -> tuple[Wanted, _Weighed] | Reason:
        found = candidates(query, table, database.indexes(table))
        if isinstance(found, tuple):
            return found
        weighed = self._weighed(query, table, rows, database)
        if isinstance(weighed, tuple):
            return weighed
        settings = self._settings
        trial = Trial(database, query, plan, table, rows, settings.max_cost_left, settings.partial_below)
        best = trial.best(found)
        return (best, weighed) if isinstance(best, Wanted) else best

    def _weighed(self, query: QueryStats, table: str, rows: int, database: Database) -> _Weighed | Reason:
        settings, reads = self._settings, query.executions / self._profile.minutes
        writes = table_writes(table, query.system, self._profile, database)
        if writes.per_minute > reads * settings.max_writes_per_read:
            return Why.WRITE_HEAVY, f"{table} has {writes.per_minute:.1f} writes a minute, {reads:.1f} reads"
        share = _returned(query) / rows
        if share > settings.max_share_returned:
            return Why.NO_PATTERN, f"it returns {share:.0%} of {table}, for which an index does not help"
        if query.wall.mean < settings.min_mean_ms * MS:
            return Why.NOT_WORTH_IT, f"a mean time of {settings.min_mean_ms:g} ms is needed"
        floor = self._floor_of(query, rows)
        saved = mean_low(query.wall) - floor
        if saved <= 0:
            return Why.NOT_WORTH_IT, "it is as fast as an indexed lookup here"
        each = writes.mean_ns if writes.mean_ns is not None else settings.unseen_write_ms * MS
        upkeep = settings.write_share * each
        told = trade(reads, saved, writes, upkeep)
        if reads * saved < settings.min_gain_per_upkeep * writes.per_minute * upkeep:
            return Why.WRITE_HEAVY, told
        return _Weighed(rows, floor, writes, told)

    def _floor_of(self, query: QueryStats, rows: int) -> float:
        """Time that would be left of one execution, in ns."""
        if not self._floor_known:
            self._floor, self._floor_known = self._indexed_lookup(query.system), True
        lookup = query.wall.mean / 2 if self._floor is None else self._floor
        return max(lookup, query.wall.mean * _returned(query) / rows)

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


def _no_scan(plan: QueryPlan | None) -> Reason:
    if plan is None:
        return Why.PLAN_UNREADABLE, "the database cannot plan it"
    return Why.INDEX_EXISTS, f"it uses {', '.join(plan.indexes) or 'no table'}"


def _returned(query: QueryStats) -> float:
    return (query.rows or 0) / max(query.executions, 1)


def _what(query: QueryStats) -> str:
    return f"{query.wall.mean / MS:.2f} ms, {query.executions} executions at {query.site.function}:{query.site.line}"

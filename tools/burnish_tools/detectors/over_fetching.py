"""Over-fetching: a function fetches hundreds of rows, and one value or a handful of items leaves it.

Definition: in most of its calls a function runs a SELECT that returns at least a hundred rows, and what it returns is
a single value, or a list or set of at most a tenth as many items, in 95 % of the calls that were looked at:

    open_orders()                                  40 calls a minute
    │  SELECT … 23 columns … FROM orders …         640 rows each: 25,600 a minute
    └─ returns int                                 ◀── one number leaves: count(), sum() or exists() in SQL?

Measured are the rows per execution (the driver's count), and type and size class of results (a sample of calls). Not
known is what the function does with the rows in between: `len()` of them and a missing `count()` look like a sum of a
computed value, so that the finding names the likely mends and leaves the choice to people. Which *columns* are used
cannot be told at all; a wide SELECT list is mentioned.

Left alone is what may need the rows: a call that also writes, locks or talks to other services, one that hands the rows
on one by one (a callee that is called about once for each), one that fetches only now and then and keeps the result,
and what returns nothing or an object, which may hold them all. What is at stake is a stated share of the statement's
time: the database still has to find the rows, and only an edit that was measured says what can be saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from burnish.conditions import Exemplar, Sample, weigh
from burnish.finding import Evidence, Finding, Interval, Passed
from burnish.profile import FunctionStats, Profile, QueryStats
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.stats import wilson
from burnish.why import Why
from burnish_tools.detectors._measure import MS, finding, mean_low
from burnish_tools.detectors._repeat import once, writes
from burnish_tools.detectors._sql import is_select, locks, width

_MENDS = {
    "bool": "exists(), where only the presence of a row matters",
    "int": "count() instead of the length, or SUM, MIN, MAX in SQL where it adds up in Python",
    "float": "an aggregate (SUM, AVG, MIN, MAX) in SQL",
    "decimal.Decimal": "an aggregate (SUM, AVG, MIN, MAX) in SQL",
    "datetime.date": "MIN or MAX in SQL",
    "datetime.datetime": "MIN or MAX in SQL",
    "list": "a condition, DISTINCT or LIMIT in SQL, where items are chosen in Python",
    "set": "DISTINCT or a condition in SQL, where items are chosen in Python",
    "frozenset": "DISTINCT or a condition in SQL, where items are chosen in Python",
}
"""The likely mend by the type of the result; results of other types may hold all rows."""


@dataclass(frozen=True)
class _Read:
    """A statement at one site, with the function that issues it."""

    query: QueryStats
    stats: FunctionStats
    rows: float
    """Fetched by one execution, on average."""
    per_call: float
    """Executions in one call of the function."""


@dataclass(frozen=True)
class _Result:
    """What leaves the function in most of its calls."""

    kind: str
    most: int
    """Values at most: 1, or the upper end of the largest size class."""
    share: Interval
    """Of the calls that were looked at."""


class OverFetching:
    """Satisfies `burnish.protocols.Detector`."""

    name = "over_fetching"

    class Settings(Section):
        """Over-fetching."""

        min_rows: float = 100.0
        """Rows of one execution, on average: fewer come in one packet and cost about as much as one."""
        times: float = 10.0
        """How many times as many rows as values that leave the function: a filter that keeps every third row may well
        be one that SQL cannot express."""
        min_calls: int = 30
        """Executions: with fewer the mean is that of a few large customers."""
        min_looked_at: int = 20
        """Calls of which the result is known: 20 without an exception leave at most one in six (Wilson, 95 %)."""
        min_share: float = 0.95
        """Share of those calls with such a result: the others may be what the rows are for."""
        min_fetching: float = 0.5
        """Executions per call of the function: with fewer it keeps the rows for later calls, as a cache does."""
        handed_on: float = 0.2
        """Calls of another function per row from which the rows are taken to be handed on one by one."""
        removable_share: float = 0.3
        """Part of the statement's time that counts as removable before there is an edit to measure. Conservative on
        purpose: counting in SQL still finds the rows, and hands over none."""
        most_reads: int = 50
        """Statements of which the results are looked at, those with the most rows first: bounds the time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each statement that returns so many rows."""
        reads = nlargest(
            self.settings.most_reads,
            self._reads(profile),
            key=lambda read: (read.query.rows or 0, read.query.statement),
        )
        if reads:
            yield from once(self.name, self._judged(reads, profile, runtime))

    def _judged(self, reads: Sequence[_Read], profile: Profile, runtime: Runtime) -> Iterator[Finding | Passed]:
        written, called = writes(profile), _most_called(profile, {read.stats.function for read in reads})
        asked = {row.site.function for row in profile.dependencies}
        samples: dict[str, Sequence[Sample]] = {}
        for read in reads:
            name = read.stats.function
            reason = self._rarely(read) or self._needed(read, written.get(name, {}), name in asked, called.get(name, 0))
            if reason is None:
                if name not in samples:
                    samples[name] = runtime.samples(name, profile.release, since_unix_ns=profile.start_unix_ns)
                result = self._result(samples[name], read.rows * max(1.0, read.per_call))
                if isinstance(result, _Result):
                    yield self._finding(read, result, profile, runtime)
                    continue
                reason = result
            detail = f"{read.rows:,.0f} rows an execution at line {read.query.site.line}; {reason[1]}"
            yield Passed(function=name, by=self.name, why=reason[0], detail=detail)

    def _reads(self, profile: Profile) -> Iterator[_Read]:
        some = self.settings
        queries = [
            query
            for query in profile.queries
            if query.rows and query.executions and query.rows >= some.min_rows * query.executions
        ]
        functions = {stats.function: stats for stats in profile.functions} if queries else {}
        for query in queries:
            stats = functions.get(query.site.function)
            if stats is not None and stats.calls and is_select(query.statement):
                yield _Read(query, stats, (query.rows or 0) / query.executions, query.executions / stats.calls)

    def _rarely(self, read: _Read) -> tuple[Why, str] | None:
        some = self.settings
        if min(read.query.executions, read.stats.calls) < some.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{read.query.executions} executions, {some.min_calls} are needed"
        if read.per_call < some.min_fetching:
            return Why.ALREADY_DONE, f"it is run in every {1 / read.per_call:.0f}th call only: the rows are kept"
        return None

    def _needed(
        self, read: _Read, written: Mapping[str, str], asks_others: bool, called: float
    ) -> tuple[Why, str] | None:
        """Why the call may need the rows."""
        if locks(read.query.statement):
            return Why.LOAD_BEARING, "it takes row locks"
        if written:
            return Why.LOAD_BEARING, f"the same call writes to {min(written) or 'a table that could not be read'}"
        if asks_others:
            return Why.LOAD_BEARING, "the same function calls another service"
        if called >= self.settings.handed_on * read.rows * read.query.executions:
            return Why.LOAD_BEARING, "another function is called about once for each row"
        return None

    def _result(self, samples: Iterable[Sample], rows: float) -> _Result | tuple[Why, str]:
        """What leaves the function while so many rows come in."""
        weights: dict[str, float] = {}
        sizes: dict[str, int] = {}
        looked_at = 0
        for row, weight in (each for sample in samples for each in weigh(sample)):
            kind = row.facts.get("result.type")
            if isinstance(kind, str):
                looked_at += 1
                weights[kind] = weights.get(kind, 0.0) + weight
                sizes[kind] = max(sizes.get(kind, 1), _most(row))
        if looked_at < self.settings.min_looked_at or not any(weights.values()):
            return Why.NOT_ENOUGH_CALLS, f"what it returns was looked at in {looked_at} calls"
        kind = max(weights, key=lambda name: (weights[name], name))
        seen = wilson(looked_at * weights[kind] / sum(weights.values()), looked_at)
        if kind not in _MENDS:
            return Why.NO_PATTERN, f"it returns {kind}, which may hold them or need them"
        if seen.value < self.settings.min_share:
            return Why.NO_PATTERN, f"it returns {kind} in {seen.value:.0%} of its calls only"
        if sizes[kind] * self.settings.times > rows:
            return Why.NO_PATTERN, f"it returns {kind} of up to {sizes[kind]:,} items"
        return _Result(kind, sizes[kind], seen)

    def _finding(self, read: _Read, result: _Result, profile: Profile, runtime: Runtime) -> Finding:
        query = read.query
        share = self.settings.removable_share * (1 - result.most / (read.rows * max(1.0, read.per_call)))
        evidence = Evidence(
            statement=query.statement,
            statement_id=query.statement_id,
            site=query.site,
            executions_per_call=read.per_call,
            notes=tuple(self._notes(read, result, (query.rows or 0) / profile.minutes)),
        )
        told = finding(
            self.name, read.stats, profile, runtime, evidence, removable_ns=share * read.per_call * mean_low(query.wall)
        )
        return told.model_copy(update={"informs": True})

    def _notes(self, read: _Read, result: _Result, minute: float) -> Iterator[str]:
        leaves = f"one {result.kind}" if result.most == 1 else f"a {result.kind} of at most {result.most:,} items"
        yield (
            f"{read.rows:,.0f} rows an execution, {minute:,.0f} a minute; {leaves} leaves the function, in "
            f"{result.share.value:.0%} of the calls that were looked at (at least {result.share.low:.0%} of all)."
        )
        yield f"Likely mend: {_MENDS[result.kind]}."
        columns = width(read.query.statement, read.query.system)
        wide = f"Each row has {columns} columns; which of them are used is not known. " if columns else ""
        yield f"{wide}What it does with the rows, beside what it returns, cannot be told from the data."
        yield (
            f"One execution takes at least {mean_low(read.query.wall) / MS:.2f} ms in the database; "
            f"{self.settings.removable_share:.0%} of it counts, as the rows still have to be found."
        )


def _most(row: Exemplar) -> int:
    """Values that the result holds at most: a size class ends below the next one."""
    size = row.facts.get("result.size")
    return max(1, 2 * size - 1) if type(size) is int else 1


def _most_called(profile: Profile, functions: set[str]) -> dict[str, int]:
    """Calls of the callee that each of these functions calls most."""
    most: dict[str, int] = {}
    for stats in profile.functions:
        for caller in functions & stats.callers.keys():
            most[caller] = max(most.get(caller, 0), stats.callers[caller])
    return most

"""Repeated queries: one call of a function asks the database the same question again.

Definition: within one call, a SELECT runs again with parameters that it already had in that call. The function is the
innermost whose one call does so.

    statement()
    │  SELECT … FROM settings WHERE key = ?   ('currency')
    │  SELECT … FROM settings WHERE key = ?   ('currency')    identical
    └─ SELECT … FROM settings WHERE key = ?   ('currency')    identical   → 2 per call

After a write the same question may have another answer. The data do not hold the order of statements, so that any write
to one of the tables in the same call makes the repetition load-bearing; so does a row lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FanOut, FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import finding
from burnish_tools.detectors._repeat import Cost, Reason, different, judged, load_bearing, once, told, writes
from burnish_tools.detectors._stack import Owner


class RepeatedQuery:
    """Satisfies `burnish.protocols.Detector`."""

    name = "repeated_query"

    class Settings(Section):
        """Repeated queries."""

        min_identical: float = 2.0
        """Executions per call that repeat earlier parameters. One may be a harmless second look (a permission check
        and a view that fetch the same user); two or more are a loop or a forgotten local variable."""
        max_different: float = 3.0
        """Executions per call with new parameters; from here on it is a loop over different things (see N+1)."""
        min_calls: int = 30
        """Calls in which the statement ran."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """From the statements-per-call rows."""
        written_in = writes(profile)

        def against(row: FanOut, stats: FunctionStats | None) -> Reason | None:
            return self._reason(row, stats, written_in)

        def found(owner: Owner, stats: FunctionStats, cost: Cost) -> Finding:
            return self._finding(owner, stats, cost, profile, runtime)

        yield from once(self.name, judged(self.name, profile, self._repeats, against, found))

    def _repeats(self, row: FanOut) -> bool:
        many = row.calls > 0 and row.identical / row.calls >= self.settings.min_identical
        return many and different(row) < self.settings.max_different

    def _reason(
        self, row: FanOut, stats: FunctionStats | None, written_in: Mapping[str, Mapping[str, str]]
    ) -> Reason | None:
        times = f"{row.identical / row.calls:.1f} × per call with the same parameters"
        what = f"{times} at {row.site.function}:{row.site.line}"
        if stats is None or min(stats.calls, row.calls) < self.settings.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{what}, in {row.calls} calls; {self.settings.min_calls} are needed"
        reason = load_bearing(row, written_in)
        return (reason[0], f"{what}; {reason[1]}") if reason else None

    def _finding(self, owner: Owner, stats: FunctionStats, cost: Cost, profile: Profile, runtime: Runtime) -> Finding:
        row = owner.fan_out
        spared = row.identical / max(stats.calls, row.calls)
        evidence = Evidence(
            statement=row.statement,
            statement_id=row.statement_id,
            site=row.site,
            path=owner.path,
            executions_per_call=row.executions.mean,
            executions_p90=row.executions.quantile(0.9),
            identical_per_call=row.identical / row.calls,
            notes=(told(cost),),
        )
        return finding(
            self.name,
            stats,
            profile,
            runtime,
            evidence,
            removable_ns=spared * sum(cost),
            removable_queries=spared,
        )

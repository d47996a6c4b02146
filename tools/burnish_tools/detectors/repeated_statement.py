"""Repeated statements under stock OpenTelemetry: one span in whose time the same SELECT runs many times.

Definition: of a span that no code is known of (a request, mostly), one call runs one SELECT at least five times on
average, without a row lock, and without writing to a table that it reads. The innermost such span owns it.

    GET products/                                    60 × in each call, 230 calls a minute
    │  SELECT … FROM category WHERE id = ?           13,800 queries a minute
    │  SELECT … FROM category WHERE id = ?           ▲ another row each time: N+1
    │  SELECT … FROM category WHERE id = ?           ▲ or the same again: a repeated query
    └─ …

Spans tell neither how many rows a statement returned nor, as ORMs send placeholders, with which parameters it ran. So
`n_plus_one` (growth with the rows) and `repeated_query` (same parameters) have to decline, and this says what is left:
that it repeats, how often, and what that costs. How much the number varies between calls is told, and decides nothing:
a fixed page of rows is as constant as a fixed list of settings. Where rows or parameters are known, those two judge.

What is at stake is the database's time of all executions but one per call, at the lower end of their mean; the time
around them is not known. A report that is rarely asked for costs little, however often it repeats. It informs: without
a file there is nothing to edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FanOut, FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import MS, SPAN, finding, variation
from burnish_tools.detectors._repeat import Cost, Reason, different, judged, load_bearing, once, writes
from burnish_tools.detectors._stack import Owner


class RepeatedStatement:
    """Satisfies `burnish.protocols.Detector`."""

    name = "repeated_statement"

    class Settings(Section):
        """Repeated statements of services that only OpenTelemetry sees."""

        min_executions: float = 5.0
        """Executions in one call, on average. Sentry, Scout and Digma begin at 5; neither growth nor parameters are
        known here, so that fewer would be a guess."""
        min_calls: int = 30
        """Calls in which the statement ran: with fewer one large request decides the mean."""
        min_ms_per_minute: float = 5.0
        """Time in the database that would go, in a minute of the service, at the lower ends of rate and time: below it
        nobody would gain. It is what keeps a report that is asked for once a day out."""
        varies: float = 0.2
        """Standard deviation ÷ mean of the executions per call from which they count as varying. Buckets alone make up
        to 0.05 of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """From the statements-per-call rows of spans."""
        spans = {stats.function for stats in profile.functions if stats.kind == SPAN}
        if not spans:
            return
        written_in = writes(profile)

        def repeats(row: FanOut) -> bool:
            return row.function in spans and row.executions.mean >= self.settings.min_executions

        def against(row: FanOut, stats: FunctionStats | None) -> Reason | None:
            return self._reason(row, stats, written_in)

        def found(owner: Owner, stats: FunctionStats, cost: Cost) -> Finding:
            return self._finding(owner, stats, cost, profile, runtime)

        for one in once(self.name, judged(self.name, profile, repeats, against, found)):
            yield self._worth_it(one) if isinstance(one, Finding) else one

    def _reason(
        self, row: FanOut, stats: FunctionStats | None, written_in: Mapping[str, Mapping[str, str]]
    ) -> Reason | None:
        what = f"{row.executions.mean:.1f} × per call"
        if stats is None or min(stats.calls, row.calls) < self.settings.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{what}, in {row.calls} calls; {self.settings.min_calls} are needed"
        if row.driver is not None and row.driver.n * 2 >= row.calls:
            return Why.DUPLICATE, f"{what}; the rows before it are known, so that n_plus_one judges"
        if row.identical >= 2 * row.calls and different(row) < 3:
            return Why.DUPLICATE, f"{what}; its parameters are known, so that repeated_query judges"
        reason = load_bearing(row, written_in)
        return (reason[0], f"{what}; {reason[1]}") if reason else None

    def _finding(self, owner: Owner, stats: FunctionStats, cost: Cost, profile: Profile, runtime: Runtime) -> Finding:
        row = owner.fan_out
        spared = (row.executions.sum - row.calls) / max(stats.calls, row.calls)
        evidence = Evidence(
            statement=row.statement,
            statement_id=row.statement_id,
            path=owner.path,
            executions_per_call=row.executions.mean,
            executions_p90=row.executions.quantile(0.9),
            identical_per_call=row.identical / row.calls,
            notes=(
                "N+1 or the same question again: OpenTelemetry cannot tell which; the sensor would.",
                self._course(row),
                f"One execution takes at least {cost[0] / MS:.2f} ms in the database.",
            ),
        )
        told = finding(
            self.name,
            stats,
            profile,
            runtime,
            evidence,
            removable_ns=spared * cost[0],
            removable_queries=spared,
        )
        return told.model_copy(update={"informs": True})

    def _course(self, row: FanOut) -> str:
        seen, each = variation(row.executions), row.executions
        numbers = f"{each.min or 0:.0f} to {each.max or 0:.0f}, coefficient of variation {seen:.2f}"
        if seen >= self.settings.varies:
            return f"How often it runs varies with the call ({numbers}): something decides it, such as the rows found."
        return f"It runs about equally often in every call ({numbers}), as a page or a list of fixed length does."

    def _worth_it(self, found: Finding) -> Finding | Passed:
        saved = max(found.calls_per_minute.low, 0.0) * found.removable_ns / MS
        if saved >= self.settings.min_ms_per_minute:
            return found
        detail = (
            f"{found.evidence.executions_per_call:.1f} × per call, {found.calls_per_minute.value:.2f} calls a minute: "
            f"at least {saved:.1f} ms of database time in a minute, {self.settings.min_ms_per_minute:g} are needed"
        )
        return Passed(
            function=found.function,
            by=self.name,
            why=Why.NOT_WORTH_IT,
            detail=detail,
            fingerprint=found.fingerprint,
            kind=found.kind,
        )

"""Hot functions: much of the service's time is spent in a function's own code, not in what it calls.

Definition: *own* time is the running time of a function without the application functions that it calls and, here,
without the queries that it issues directly. Each query also costs its issuer time in the driver and the ORM, which no
edit of the function removes; the median of what the service's functions spend around a query is taken off for each.
Hot is a function whose own time is a large share of its wall time, and some share of what is the own time of all.

    recommend()   ████████████████████████████████  wall
    │ own         ███████████████████████           70 % of its wall, 4 % of all own time ◀── hot
    ├─ query      ████
    └─ score()    █████

The share is not one of the entries' wall time: a hundred requests that an asynchronous service waits for at once make a
hundred seconds of it in each second, of which no function that runs could ever be a share worth naming. Own time is
without suspended time and adds up: that of all functions is what the service's cores, or threads, are there for. Time
that belongs to no function of the application (a framework's, an idle worker's) is no part of it.

Own time holds what library code does, including waiting (a sleep, an HTTP call through a library); a finding says where
to look, and only an edit that was measured says what can be saved. Until then a stated share of the own time counts.
A span of stock OpenTelemetry is left alone: what is its own is all that nobody instrumented, waiting before all else.

Where a sampling profiler has looked at the release (`runtime.profiles`), the finding names the line that most samples
of the function fell on, with the interval of that share (Wilson 1927).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._lines import hottest_line
from burnish_tools.detectors._measure import MS, SPAN, around_queries, finding, mean_low, queries_by_function

_GENERATORS = ("generator", "async_generator")


@dataclass(frozen=True)
class _Whole:
    """What times are shares of, in ns."""

    own: float
    """Own time of all functions without their queries, those included that a large profile left out."""
    wall: float
    """Of all entries."""

    @classmethod
    def of(cls, profile: Profile, queries: Mapping[str, float]) -> _Whole:
        """`queries` is the time in and around queries by function."""
        own = sum(max(0.0, s.own.sum - queries.get(s.function, 0.0)) for s in profile.functions if s.kind != SPAN)
        left_out = profile.left_out.own_share if profile.left_out else 0.0
        return cls(own / (1 - left_out) if left_out < 1 else own, sum(entry.wall.sum for entry in profile.entries))

    def share(self, stats: FunctionStats, own: float) -> float:
        """Of a function's own time; a span's is mostly waiting, and a share of the entries' that wait for it."""
        total = self.wall if stats.kind == SPAN else self.own
        return own / total if total else 0.0


class CpuHot:
    """Satisfies `burnish.protocols.Detector`."""

    name = "cpu_hot"

    class Settings(Section):
        """Hot functions."""

        min_share: float = 0.02
        """Own time as a share of that of all functions, queries and spans left out. At most fifty functions can reach
        it: what is less is one of many. In a service that runs half of the time it is one percent of all that takes."""
        min_ms_per_minute: float = 20.0
        """Own time in a minute of the service: where functions mostly wait, what runs at all is a share of it. Below
        rank.min_saving_ms_per_minute nobody would gain."""
        min_own_share: float = 0.5
        """Own time as a share of the function's wall time: else the time is elsewhere."""
        min_own_share_of_generator: float = 0.25
        """The same for a generator, whose wall time contains what its consumer does between two values."""
        min_calls: int = 30
        """Calls: with fewer, one slow call decides the mean."""
        max_query_overhead_ms: float = 2.0
        """Most that counts as the driver's and the ORM's time around one query: where few functions issue queries,
        their median is no measure of it. Building and reading a query of Django's takes 0.2 to 1 ms on an idle core."""
        slow_ms: float = 50.0
        """Own time per call from which a function counts as slow though it runs rarely (it is then told as such)."""
        removable_share: float = 0.3
        """Part of the own time that counts as removable before there is an edit to measure. Conservative on purpose:
        an algorithm that is improved usually loses more than half of its time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function that ran."""
        queries = self._time_of_queries(profile)
        whole = _Whole.of(profile, queries)
        for stats in profile.functions:
            yield self._judge(stats, queries.get(stats.function, 0.0), whole, profile, runtime)

    def _time_of_queries(self, profile: Profile) -> dict[str, float]:
        """ns that each function spends in and around the queries that it issues."""
        around = around_queries(profile)
        each = min(median(around), self.settings.max_query_overhead_ms * MS) if around else 0.0
        return {function: within + each * n for function, (within, n) in queries_by_function(profile).items()}

    def _judge(
        self, stats: FunctionStats, queries_ns: float, whole: _Whole, profile: Profile, runtime: Runtime
    ) -> Finding | Passed:
        calls = max(stats.calls, 1)
        own = max(0.0, stats.own.sum - queries_ns)
        share = whole.share(stats, own)
        own_share = min(1.0, own / stats.wall.sum) if stats.wall.sum else 0.0
        numbers = (
            f"own time {own / calls / MS:.2f} ms a call ({own_share:.0%} of its wall time), "
            f"{share:.1%} of the {'entries' if stats.kind == SPAN else 'functions'}' time; "
            f"{stats.calls / profile.minutes:.1f} calls a minute"
        )
        why = self._reason(stats, own / calls, share, own_share, stats.wall.sum >= self.settings.min_share * whole.wall)
        if why is None and own < self.settings.min_ms_per_minute * MS * profile.minutes:
            why = Why.NOT_WORTH_IT
        if why is not None:
            return Passed(function=stats.function, by=self.name, why=why, detail=numbers)
        low = max(0.0, mean_low(stats.own) - queries_ns / calls)
        return finding(
            self.name,
            stats,
            profile,
            runtime,
            Evidence(own_share=own_share, notes=(f"Production: {numbers}.", *hottest_line(stats, profile.lines))),
            removable_ns=self.settings.removable_share * low,
        )

    def _reason(self, stats: FunctionStats, own_ns: float, share: float, own_share: float, is_long: bool) -> Why | None:
        need = self.settings
        least = need.min_own_share_of_generator if stats.kind in _GENERATORS else need.min_own_share
        if share < need.min_share:
            if is_long and own_share < least:
                return Why.TIME_IS_ELSEWHERE
            return Why.RARE if own_ns >= need.slow_ms * MS else Why.NOT_WORTH_IT
        if own_share < least:
            return Why.TIME_IS_ELSEWHERE
        if stats.kind == SPAN:
            return Why.WAITING_UNKNOWN
        return Why.NOT_ENOUGH_CALLS if stats.calls < need.min_calls else None

"""Flaky dependencies: calls of another service that fail or are retried so often that it costs time.

Definition: for each caller, peer and operation, the share of calls that end in an error (an exception, or an answer of
500 and above), with its interval by Wilson, and how many attempts the library adds:

    charge() ──▶ payments:443 POST    1,000 calls   40 fail ████  30 of them by timeout, after 5 s each
                                        260 retries         ──▶  1.26 attempts a call: the peer's load, amplified

It is flaky where the lower end of the share, or the retries per call, reach their bound. What is lost in a week, as a
lower bound: calls that time out are taken for the slowest of their caller and operation (any other call ended before
the timeout), other failures for the fastest; the time of attempts before a success is not known and not counted.

What the data do not tell: which window was bad (dependencies have no series), so that a storm of retries shows as its
mean only; and how long the library waited between attempts. One thing does follow: where fewer calls took the least
pause than there were calls with retries, some were retried at once, and the finding says so. Failures come in bursts,
so that the true interval of their share is wider than Wilson's. Retries by the application's own loop are calls.

It informs: whether a timeout, a circuit breaker, a queue or the peer itself is the mend is for people to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from burnish.finding import EntryShare, Evidence, Finding, Interval, Passed
from burnish.histogram import Histogram, merged
from burnish.profile import DependencyStats, FunctionStats, Profile, added
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.stats import wilson
from burnish.why import Why
from burnish_tools.detectors._lowest import at_least, highest_ns, lowest_ns
from burnish_tools.detectors._measure import MS, finding
from burnish_tools.detectors._text import duration, share

Key = tuple[str, str, str, str]
"""function, kind, peer, operation"""


@dataclass(frozen=True)
class _Use:
    """One operation of a peer as one function uses it, over its lines."""

    key: Key
    rows: tuple[DependencyStats, ...]
    calls: int
    errors: dict[str, int]
    timeouts: int
    retries: int
    wall: Histogram

    @property
    def failures(self) -> int:
        return min(self.calls, max(sum(self.errors.values()), self.timeouts))

    @property
    def failure_share(self) -> Interval:
        return wilson(self.failures, self.calls)

    @property
    def lost_ns(self) -> float:
        """Time of the calls that fail, as a lower bound."""
        timeouts = min(self.timeouts, self.calls)
        return highest_ns(self.wall, timeouts) + lowest_ns(self.wall, self.failures - timeouts)


class FlakyDependency:
    """Satisfies `burnish.protocols.Detector`."""

    name = "flaky_dependency"

    class Settings(Section):
        """Flaky dependencies."""

        min_calls: int = 100
        """Calls: with fewer, one failure is more than a percent."""
        min_failures: int = 5
        """Calls that failed: fewer may be one short outage of the network."""
        min_failure_share: float = 0.01
        """Share of calls that fail, lower end: services aim at far less than 1 % (99.9 % is a usual objective)."""
        min_retries_per_call: float = 0.05
        """Retries per call: each twentieth call is tried twice, which no error count shows if the second succeeds."""
        least_pause_ms: float = 50.0
        """The shortest pause that counts as backing off: clients begin at 50 to 100 ms where they do (AWS SDKs)."""
        most_attempts: int = 10
        """Attempts that one call is assumed to make at most, for the number of calls with retries as a lower bound."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """A finding for each caller and peer with a flaky operation; an answer for each other operation that fails."""
        flaky: dict[tuple[str, str, str], list[_Use]] = {}
        for use in _uses(profile.dependencies):
            why = self._reason(use)
            if why is None:
                flaky.setdefault(use.key[:3], []).append(use)
            elif use.failures or use.retries:
                yield Passed(function=use.key[0], by=self.name, why=why, detail=_numbers(use))
        functions = {stats.function: stats for stats in profile.functions} if flaky else {}
        for key, uses in flaky.items():
            stats = functions.get(key[0])
            if stats is None or not stats.calls:
                detail = f"{_numbers(uses[0])}; no call of the function itself has ended"
                yield Passed(function=key[0], by=self.name, why=Why.NOT_ENOUGH_CALLS, detail=detail)
            else:
                yield self._finding(stats, uses, profile, runtime)

    def _reason(self, use: _Use) -> Why | None:
        some = self.settings
        if use.calls < some.min_calls:
            return Why.NOT_ENOUGH_CALLS
        fails = use.failures >= some.min_failures and use.failure_share.low >= some.min_failure_share
        retried = use.retries >= max(some.min_failures, some.min_retries_per_call * use.calls)
        return None if fails or retried else Why.WITHIN_NOISE

    def _finding(self, stats: FunctionStats, uses: Sequence[_Use], profile: Profile, runtime: Runtime) -> Finding:
        failures, calls = sum(use.failures for use in uses), sum(use.calls for use in uses)
        seen = wilson(failures, calls)
        lost = sum(use.lost_ns for use in uses) * (seen.low / seen.value if seen.value else 0.0)
        dear = max((row for use in uses for row in use.rows), key=lambda row: (row.calls, -row.site.line))
        evidence = Evidence(
            site=dear.site,
            peer=dear.peer,
            executions_per_call=calls / stats.calls,
            failure_share=seen,
            notes=tuple(note for use in uses for note in self._notes(use, profile)),
        )
        told = finding(self.name, stats, profile, runtime, evidence, removable_ns=lost / stats.calls)
        return told.model_copy(update={"informs": True, "entries": _entries(uses, profile)})

    def _notes(self, use: _Use, profile: Profile) -> Iterator[str]:
        yield f"{_numbers(use)}."
        if use.failures:
            week = use.lost_ns / 1e9 / profile.minutes * 7 * 24 * 60
            by_type = ", ".join(f"{name} {n}" for name, n in sorted(use.errors.items(), key=lambda item: -item[1])[:5])
            yield f"Failures: {by_type or 'timeouts'}. They take at least {week:,.0f} s in a week at this rate."
        if use.retries:
            attempts = (use.calls + use.retries) / use.calls
            yield f"Retries: {attempts:.2f} attempts per call reach the peer. {self._pause(use)}"

    def _pause(self, use: _Use) -> str:
        some = self.settings
        with_retries = use.retries / max(1, some.most_attempts - 1)
        if at_least(use.wall, some.least_pause_ms * MS) < with_retries:
            return f"Fewer calls took {some.least_pause_ms:g} ms than were retried: some are tried again at once."
        return "Whether it waits between them cannot be told from the data."


def _uses(rows: Sequence[DependencyStats]) -> Iterator[_Use]:
    groups: dict[Key, list[DependencyStats]] = {}
    for row in rows:
        groups.setdefault((row.site.function, row.kind, row.peer, row.operation), []).append(row)
    for key in sorted(groups):
        some = groups[key]
        errors: dict[str, int] = {}
        for row in some:
            errors = added(errors, row.errors)
        yield _Use(
            key=key,
            rows=tuple(some),
            calls=sum(row.calls for row in some),
            errors=errors,
            timeouts=sum(row.timeouts for row in some),
            retries=sum(row.retries for row in some),
            wall=merged(row.wall for row in some),
        )


def _numbers(use: _Use) -> str:
    _, kind, peer, operation = use.key
    p50, p99 = (duration(use.wall.quantile(q)) for q in (0.5, 0.99))
    retries = f", {use.retries} retries" if use.retries else ""
    timeouts = f", {use.timeouts} by timeout" if use.timeouts else ""
    return (
        f"{kind} {operation} {peer}: {use.failures} of {use.calls} calls fail{timeouts} ({share(use.failure_share)})"
        f"{retries}; p50 {p50}, p99 {p99}"
    )


def _entries(uses: Sequence[_Use], profile: Profile) -> tuple[EntryShare, ...]:
    """Calls of the dependency by entry: whom it reaches."""
    total: dict[str, int] = {}
    for row in (row for use in uses for row in use.rows):
        total = added(total, row.entries)
    ordered = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return tuple(EntryShare(entry=name, calls_per_minute=n / profile.minutes) for name, n in ordered)

"""Sequential calls: a function asks several services one after the other, and waits for each before it asks the next.

Definition: each call of a function makes at least two reading calls of other services or caches at different places,
and these took their time one after another:

    now                                          with gather(), or a pipeline
    quote()    ██████████████████████  46 ms     ██████████████  26 ms
    │ prices   ████████████            24        ████████████
    │ stock                ████████    16        ████████
    └ rates                        ██   4        ██

A plain function runs in one thread, so that what it and the functions below it ask cannot overlap. Of a coroutine or
a span it follows from sums: had the calls overlapped, they would take more time together than the function; they take
no more, and with its queries and its running time they explain most of it. A function below counts where it is called
from here almost only: of a client that everybody shares it is not known whose calls were slow.

*Independence cannot be seen*: a call may need the answer of the one before. So this informs. What is at stake is the
sum of the means less the mean of the slowest of them, which by Aven (1985) is at most the largest mean plus
√((k − 1) ÷ k · Σ variance) for k calls, whatever they have in common: the largest of k numbers is above their mean by
at most √(k − 1) of their standard deviations (Samuelson 1968), and Jensen's inequality does the rest. All is taken at
the lower end of its interval. Calls
that change something (POST, SET) are left alone: their order is meant. Loops at one place are `n_plus_one_calls`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from burnish.finding import Evidence, Finding, Passed, Site
from burnish.histogram import Histogram, merged
from burnish.profile import DependencyStats, FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import MS, finding, mean_high, mean_low, variation
from burnish_tools.detectors._text import duration

_DEEPEST = 12
"""Functions that are looked through, downwards."""
_MOSTLY = 0.8
"""Part of its calls that a function below has to get from the one above for its time to be that of those calls."""
_READS = {"HEAD", "OPTIONS", "EXISTS", "SMEMBERS", "SISMEMBER", "SCARD", "LRANGE", "LLEN", "ZRANGE", "ZSCORE", "ZCARD"}
_READS |= {"HKEYS", "HVALS", "HLEN", "TTL", "STRLEN", "GETS", "GET_MANY", "FIND", "SEARCH", "COUNT"}
_READS |= {"GET", "MGET", "HGET", "HMGET", "HGETALL", "GETRANGE"}
"""HTTP methods and commands that change nothing."""


@dataclass(frozen=True)
class _Step:
    """What one call of a function waits for at one place, directly or in a function that it calls."""

    name: str
    site: Site
    per_call: float
    """Calls of the service in one call of the function."""
    low_ns: float
    ns: float
    high_ns: float
    """Time of these in one call of the function: the mean with its interval."""
    variance: float
    """Of that time where it is asked at all, at most: as if its calls were slow together."""
    reads: bool


class SequentialCalls:
    """Satisfies `burnish.protocols.Detector`."""

    name = "sequential_calls"

    class Settings(Section):
        """Calls of services one after the other."""

        min_calls: int = 30
        """Calls of the function: with fewer one slow answer decides the means."""
        min_per_call: float = 0.9
        """Calls at each place per call of the function: with fewer they may be alternatives, and never both made."""
        max_per_call: float = 3.0
        """From here on it is a loop at one place, see `n_plus_one_calls`."""
        most_overlap: float = 1.05
        """Time of the calls ÷ wall time of the function, above which they run at the same time already."""
        most_unexplained: float = 0.2
        """Part of a coroutine's or a span's wall time that is neither these calls nor queries nor running: with more of
        it, calls that overlap could hide there."""
        min_saving_ms: float = 5.0
        """Per call: a few small calls are not worth the tasks or threads that would make them at once."""
        min_saving_share: float = 0.1
        """Of the function's wall time; Sentry's bound for queries that could run at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function that asks at two places or more."""
        if not profile.dependencies:
            return
        waiting = _Waiting(profile)
        for stats in waiting.functions_above():
            steps = waiting.steps(stats)
            if len(steps) < 2:
                continue
            chosen = [step for step in steps if self._counts(step)]
            reason = self._against(stats, steps, chosen, waiting.queries.get(stats.function, 0.0))
            if reason is not None:
                yield Passed(function=stats.function, by=self.name, why=reason[0], detail=reason[1])
            else:
                yield self._finding(stats, chosen, profile, runtime)

    def _counts(self, step: _Step) -> bool:
        return step.reads and self.settings.min_per_call <= step.per_call < self.settings.max_per_call

    def _against(
        self, stats: FunctionStats, steps: Sequence[_Step], chosen: Sequence[_Step], queries_ns: float
    ) -> tuple[Why, str] | None:
        some, wall = self.settings, stats.wall.mean
        inside = sum(step.ns for step in steps)
        what = f"{_told(steps)}, {duration(inside)} of {duration(wall)}"
        if stats.calls < some.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{what}; {stats.calls} calls, {some.min_calls} are needed"
        if len(chosen) < 2:
            if any(step.per_call >= some.max_per_call for step in steps):
                return Why.DUPLICATE, f"{what}; n_plus_one_calls tells of the loop"
            return Why.NO_PATTERN, f"{what}; fewer than two of them read in every call"
        overlap = self._overlap(stats, inside, queries_ns / stats.calls)
        if overlap is not None:
            return overlap[0], f"{what}; {overlap[1]}"
        saving = _saving(chosen)
        if saving < max(some.min_saving_ms * MS, some.min_saving_share * wall):
            return Why.NOT_WORTH_IT, f"{what}; at once they would save at least {duration(saving)}"
        return None

    def _overlap(self, stats: FunctionStats, inside: float, queries_ns: float) -> tuple[Why, str] | None:
        """Why the calls may overlap, or do; times in ns per call."""
        wall = stats.wall.mean
        if inside > self.settings.most_overlap * wall:
            return Why.ALREADY_DONE, "they run at the same time already"
        if stats.kind == "function":
            return None
        running = stats.own.mean if stats.kind == "coroutine" else 0.0
        left = (wall - inside - queries_ns - running) / wall
        if left <= self.settings.most_unexplained:
            return None
        return Why.WAITING_UNKNOWN, f"{left:.0%} of its time is not known to be anything else"

    def _finding(self, stats: FunctionStats, steps: Sequence[_Step], profile: Profile, runtime: Runtime) -> Finding:
        longest = max(steps, key=lambda step: (step.ns, step.name))
        evidence = Evidence(
            site=longest.site,
            executions_per_call=sum(step.per_call for step in steps),
            notes=(
                f"One after the other: {_told(steps)}; {duration(sum(step.ns for step in steps))} of "
                f"{duration(stats.wall.mean)} per call.",
                f"At once they would take about {duration(longest.ns)}, and save at least {duration(_saving(steps))}.",
                "Whether one of them needs the answer of another cannot be seen in the data.",
            ),
        )
        told = finding(
            self.name, stats, profile, runtime, evidence, removable_ns=min(_saving(steps), mean_low(stats.wall))
        )
        return told.model_copy(update={"informs": True})


class _Waiting:
    """Who waits for other services, directly or through functions that nobody else calls."""

    def __init__(self, profile: Profile) -> None:
        self._functions = {stats.function: stats for stats in profile.functions}
        self._direct: dict[str, list[DependencyStats]] = {}
        for row in profile.dependencies:
            self._direct.setdefault(row.site.function, []).append(row)
        self._below: dict[str, list[str]] = {}
        self._known: dict[str, list[_Step]] = {}
        self._climb()
        self.queries: dict[str, float] = {}
        """ns in the database by function, its callees included."""
        for fan_out in profile.fan_outs:
            self.queries[fan_out.function] = self.queries.get(fan_out.function, 0.0) + fan_out.time_ns

    def _climb(self) -> None:
        """From the functions that ask, outwards, along callers that make most of the calls."""
        waiting = [(name, 0) for name in sorted(self._direct)]
        seen = set(self._direct)
        while waiting:
            name, depth = waiting.pop()
            stats = self._functions.get(name)
            for caller, n in stats.callers.items() if stats and depth < _DEEPEST else ():
                if stats and caller and caller != name and n >= _MOSTLY * stats.calls:
                    self._below.setdefault(caller, []).append(name)
                    if caller not in seen:
                        seen.add(caller)
                        waiting.append((caller, depth + 1))

    def functions_above(self) -> Iterator[FunctionStats]:
        """Functions that ask, or call one that does."""
        for name in sorted({*self._direct, *self._below}):
            stats = self._functions.get(name)
            if stats is not None and stats.calls:
                yield stats

    def steps(self, stats: FunctionStats, above: frozenset[str] = frozenset()) -> list[_Step]:
        """What one call waits for, place by place."""
        name = stats.function
        if name in self._known:
            return self._known[name]
        found = [_direct(rows, stats) for rows in _places(self._direct.get(name, ()))]
        for below in sorted(self._below.get(name, ())):
            if below not in above and below != name:
                inner = self._functions[below]
                steps = self.steps(inner, above | {name})
                if steps:
                    found.append(_through(inner, steps, stats))
        if not above:
            self._known[name] = found
        return found


def _places(rows: Sequence[DependencyStats]) -> Iterator[list[DependencyStats]]:
    """By line; where no line is known, by what is asked."""
    groups: dict[tuple[object, ...], list[DependencyStats]] = {}
    for row in rows:
        key = (row.site.file, row.site.line) if row.site.line else (row.kind, row.peer, row.operation)
        groups.setdefault(key, []).append(row)
    yield from groups.values()


def _direct(rows: Sequence[DependencyStats], stats: FunctionStats) -> _Step:
    wall: Histogram = merged(row.wall for row in rows)
    times = sum(row.calls for row in rows) / stats.calls
    first = rows[0]
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    line = f" (line {first.site.line})" if first.site.line else ""
    return _Step(
        name=f"{first.kind} {first.operation} {first.peer}{more}{line}",
        site=first.site,
        per_call=times,
        low_ns=times * mean_low(wall),
        ns=times * wall.mean,
        high_ns=times * mean_high(wall),
        variance=(max(times, 1.0) * variation(wall) * wall.mean) ** 2,
        reads=all(row.operation.upper() in _READS for row in rows),
    )


def _through(inner: FunctionStats, steps: Sequence[_Step], stats: FunctionStats) -> _Step:
    """A function below as one step: its waiting, never more than its own wall time."""
    times = inner.callers[stats.function] / stats.calls
    waits = sum(step.ns for step in steps)
    part = min(1.0, inner.wall.mean / waits) if waits else 0.0
    return _Step(
        name=inner.function,
        site=steps[0].site,
        per_call=times * max(step.per_call for step in steps),
        low_ns=times * part * sum(step.low_ns for step in steps),
        ns=times * part * waits,
        high_ns=times * sum(step.high_ns for step in steps),
        variance=(max(times, 1.0) * sum(math.sqrt(step.variance) for step in steps)) ** 2,
        reads=all(step.reads for step in steps),
    )


def _saving(steps: Sequence[_Step]) -> float:
    """Lower bound of what one call saves, in ns: in those calls in which all of them are made."""
    k = len(steps)
    at_once = max(step.high_ns for step in steps) + math.sqrt((k - 1) / k * sum(step.variance for step in steps))
    together = max(0.0, 1 - sum(max(0.0, 1 - step.per_call) for step in steps))
    return together * max(0.0, sum(step.low_ns for step in steps) - at_once)


def _told(steps: Sequence[_Step]) -> str:
    ordered = sorted(steps, key=lambda step: (-step.ns, step.name))
    some = [f"{step.name} {step.per_call:.1f} × {duration(step.ns / max(step.per_call, 1e-9))}" for step in ordered[:5]]
    return ", ".join(some) + (f" and {len(ordered) - 5} more" if len(ordered) > 5 else "")

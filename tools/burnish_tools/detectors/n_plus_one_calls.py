"""Repeated calls of another service: a function that asks a service, or a cache, many times in one of its own calls.

Definition: from the call site outwards, the first function (or at last the entry) whose one call makes several calls of
one operation of one peer, on average:

    GET orders/        40 calls a minute
    └─ order_list()    40 calls    ◀── 25 calls of the service in each: 1,000 a minute, one after the other
       └─ price()      1,000 calls     1 in each
          └─ GET prices:80             1,000 calls, 4 ms each

Summed over requests a few milliseconds become most of a service's time, though no single trace shows them. A mean of 3
proves that calls repeat the operation; it does *not* prove that they do so once per row: the windows have no number of
calls of a dependency per call of a function, as they have for queries (`n_plus_one`). Nor do they tell whether keys or
paths differ. So this informs, and what is at stake counts the calls beyond the first at the lower end of their mean
time, never more than the function's own wall time. Where they take longer than the function itself, they run at the
same time already: that is left alone.

A batch (`mget`, a pipeline, an endpoint for many) or a bounded gather is the usual mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from burnish.finding import Evidence, Finding, Passed
from burnish.histogram import merged
from burnish.profile import DependencyStats, FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.why import Why
from burnish_tools.detectors._measure import finding, mean_low
from burnish_tools.detectors._text import duration

_DEEPEST = 12
"""Callers that are looked through, from the site outwards."""


@dataclass(frozen=True)
class _Owner:
    """The function that repeats the calls, how many one call of it makes, and the functions down to the site."""

    stats: FunctionStats
    per_call: float
    path: tuple[str, ...]


class NPlusOneCalls:
    """Satisfies `burnish.protocols.Detector`."""

    name = "n_plus_one_calls"

    class Settings(Section):
        """Repeated calls of other services and caches."""

        min_per_call: float = 3.0
        """Calls of the operation in one call of the function, on average. Two may well be two questions; Sentry begins
        at 5 for browsers, and has nothing for services."""
        min_calls: int = 30
        """Calls of the function: with fewer one large request decides the mean."""
        most_overlap: float = 1.2
        """Time of the calls ÷ wall time of the function, above which they already run at the same time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each operation of a peer that some function repeats."""
        if not profile.dependencies:
            return
        functions = {stats.function: stats for stats in profile.functions}
        found: dict[tuple[str, str], tuple[_Owner, list[DependencyStats], float]] = {}
        for rows in _by_operation(profile.dependencies):
            owner = self._owner(rows, functions)
            if owner is None:
                continue
            reason = self._against(owner, rows)
            if reason is not None:
                yield Passed(function=owner.stats.function, by=self.name, why=reason[0], detail=reason[1])
                continue
            spared = (owner.per_call - 1) * mean_low(merged(row.wall for row in rows))
            key = owner.stats.function, rows[0].peer
            if key not in found or found[key][2] < spared:
                found[key] = owner, rows, spared
        for owner, rows, spared in found.values():
            yield self._finding(owner, rows, spared, profile, runtime)

    def _owner(self, rows: Sequence[DependencyStats], functions: Mapping[str, FunctionStats]) -> _Owner | None:
        """Outwards along the caller that makes most of the calls."""
        name, made = rows[0].site.function, float(sum(row.calls for row in rows))
        path: tuple[str, ...] = ()
        while name and name not in path and len(path) < _DEEPEST:
            stats = functions.get(name)
            if stats is None or not stats.calls:
                return None
            path = (name, *path)
            if made / stats.calls >= self.settings.min_per_call:
                return _Owner(stats, made / stats.calls, path)
            name, calls = max(sorted(stats.callers.items()), key=lambda item: item[1], default=("", 0))
            made *= calls / stats.calls
        return None

    def _against(self, owner: _Owner, rows: Sequence[DependencyStats]) -> tuple[Why, str] | None:
        what = _what(owner, rows)
        if owner.stats.calls < self.settings.min_calls:
            return Why.NOT_ENOUGH_CALLS, f"{what}, in {owner.stats.calls} calls; {self.settings.min_calls} are needed"
        inside = owner.per_call * merged(row.wall for row in rows).mean
        if inside > self.settings.most_overlap * owner.stats.wall.mean:
            times = f"{duration(inside)} of them in {duration(owner.stats.wall.mean)}"
            return Why.ALREADY_DONE, f"{what}; they run at the same time already ({times})"
        return None

    def _finding(
        self, owner: _Owner, rows: Sequence[DependencyStats], spared: float, profile: Profile, runtime: Runtime
    ) -> Finding:
        first = max(rows, key=lambda row: (row.calls, -row.site.line))
        minute = sum(row.calls for row in rows) / profile.minutes
        wall = merged(row.wall for row in rows)
        evidence = Evidence(
            site=first.site,
            path=owner.path,
            executions_per_call=owner.per_call,
            peer=first.peer,
            notes=(
                f"{_what(owner, rows)}, of {duration(wall.mean)} each; {minute:,.0f} a minute over all requests.",
                "The data prove that they are repeated, not that their number grows with the rows.",
            ),
        )
        told = finding(
            self.name,
            owner.stats,
            profile,
            runtime,
            evidence,
            removable_ns=min(spared, mean_low(owner.stats.wall)),
        )
        return told.model_copy(update={"informs": True})


def _by_operation(rows: Sequence[DependencyStats]) -> Iterator[list[DependencyStats]]:
    groups: dict[tuple[str, str, str, str], list[DependencyStats]] = {}
    for row in rows:
        groups.setdefault((row.site.function, row.kind, row.peer, row.operation), []).append(row)
    for key in sorted(groups):
        yield groups[key]


def _what(owner: _Owner, rows: Sequence[DependencyStats]) -> str:
    row = rows[0]
    return f"{owner.per_call:.1f} × {row.kind} {row.operation} {row.peer} per call at {row.site.function}"

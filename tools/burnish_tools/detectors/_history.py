"""What detectors that look back need: the functions that matter, their hours or days, and what everybody did meanwhile.

Only functions whose time (or queries) could change by enough to matter are read from the history, so that the work
grows with what is busy and not with all functions times all days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest

from burnish.profile import FunctionStats, Profile
from burnish.protocols import Runtime
from burnish.standard import DAY_NS, HOUR_NS, Cell, cells, drift

CONTROL = 40
"""Functions at most whose own time says what the machine does to everybody."""
LEAST_CONTROL = 5
"""With fewer their median may be that of a changed one, and nothing is corrected."""


@dataclass(frozen=True)
class Past:
    """Cells of the busy functions, and the drift of the unchanged ones by (start, release)."""

    cells: Mapping[str, list[Cell]]
    drift: Mapping[tuple[int, str], float] = field(default_factory=dict)

    def values_of(self, function: str) -> list[Cell]:
        """Its cells, oldest first."""
        return self.cells.get(function, [])


def busy(profile: Profile, ns_per_minute: float, queries_per_minute: float, most: int) -> list[FunctionStats]:
    """Functions that take so much time, or whose calls run so many queries; the dearest first, then by name."""
    queries: dict[str, float] = {}
    for row in profile.fan_outs:
        queries[row.function] = queries.get(row.function, 0.0) + row.executions.sum
    time, often = ns_per_minute * profile.minutes, queries_per_minute * profile.minutes
    found = [f for f in profile.functions if f.wall.sum >= time or queries.get(f.function, 0.0) >= often]
    return sorted(found, key=lambda f: (-f.wall.sum, f.function))[:most]


def past(
    runtime: Runtime,
    level: str,
    profile: Profile,
    functions: Iterable[FunctionStats],
    since_unix_ns: int,
    until_unix_ns: int,
    earlier: Mapping[str, str] | None = None,
) -> Past:
    """The history of these functions, by hour and release or by day; `earlier` are the names that some had before."""
    control = nsmallest(CONTROL, profile.functions, key=lambda f: (-f.own.sum, f.function))
    known = {f.function for f in (*functions, *control)}
    names = {old: new for new, old in (earlier or {}).items() if new in known}
    stretches = (
        s if s.function in known else s._replace(function=names[s.function])
        for s in runtime.history(level, since_unix_ns=since_unix_ns, functions=sorted({*known, *names}))
        if s.start_unix_ns < until_unix_ns
    )
    found = cells(stretches, by_release=level == "hour")
    length = HOUR_NS if level == "hour" else DAY_NS
    same = [f.function for f in control if f.function in found and _unchanged(runtime, f, found[f.function][0], length)]
    return Past(found, drift({name: found[name] for name in same}, LEAST_CONTROL))


def _unchanged(runtime: Runtime, function: FunctionStats, first: Cell, length: int) -> bool:
    """Whether the body is what it was in the function's first hour or day."""
    start = first.start_unix_ns
    seen = runtime.span(function.function, start, start + length, release=first.release or None)
    return bool(function.body) and any(stats.body == function.body for stats in seen.values())

"""Whose slowdown it is: the innermost function that became slower, not its callers, and not where code only moved.

A caller's time contains that of its callees, so that a slower function makes every one above it slower. From the call
graph follows how much of a rise came from below. The other way round, code that moved from a caller into its callee
makes the callee slower and nothing above it: the cost shift of FBDetect (Yoon et al., SOSP 2024),
seen by what the callers' time did meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from burnish.changes import Difference
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Runtime

DEPTH = 30
"""Calls down that a rise is followed; deeper than any stack of application functions that was worth reading."""
MOST_LOOKED_AT = 60
"""Callees whose code is compared for the suspects, nearest first."""
ENOUGH_CALLERS = 0.9
"""Share of a function's calls whose callers must be known before a cost shift is judged."""
Rise = Callable[[str], Difference | None]
"""Change of the mean per call of a function; None where it is not known."""


class Graph:
    """Who calls whom how often, in one profile."""

    def __init__(self, profile: Profile) -> None:
        self._functions = {f.function: f for f in profile.functions}

    @cached_property
    def _callees(self) -> Mapping[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for f in self._functions.values():
            for caller, n in f.callers.items():
                if caller and caller != f.function:
                    found.setdefault(caller, {})[f.function] = n
        return found

    def below(self, function: str) -> Iterator[str]:
        """The function and all that it leads to, nearest first, by name within a level."""
        waiting, seen = deque([function]), {function}
        while waiting:
            one = waiting.popleft()
            yield one
            for callee in sorted(self._callees.get(one, {})):
                if callee not in seen:
                    seen.add(callee)
                    waiting.append(callee)

    def from_below(self, function: str, found: Collection[str], rise: Rise, depth: int = DEPTH) -> float:
        """How much of the rise per call of a function is that of those in `found` below it."""
        stats = self._functions.get(function)
        if stats is None or not stats.calls or not depth:
            return 0.0
        total = 0.0
        for callee, n in self._callees.get(function, {}).items():
            change = rise(callee) if callee in found else None
            each = change.value if change else self.from_below(callee, found, rise, depth - 1)
            total += max(0.0, each) * n / stats.calls
        return total

    def moved_here(self, function: str, rise_ns: float, wall: Rise, own: Rise) -> bool:
        """Whether the callers together did not become slower by what the function did: less than half of it, surely;
        or their own time fell by as much as half of it."""
        stats = self._functions[function]
        callers = {name: n for name, n in stats.callers.items() if name and name in self._functions}
        if not stats.calls or sum(callers.values()) < ENOUGH_CALLERS * stats.calls:
            return False
        walls, owns = ({name: change(name) for name in callers} for change in (wall, own))
        known_walls = {name: d for name, d in walls.items() if d is not None}
        known_owns = {name: d for name, d in owns.items() if d is not None}
        if len(known_walls) < len(callers) or len(known_owns) < len(callers):
            return False
        half = rise_ns * sum(callers.values()) / 2
        calls = {name: self._functions[name].calls for name in callers}
        most = sum(d.high * calls[name] for name, d in known_walls.items())
        fell = -sum(d.value * calls[name] for name, d in known_owns.items())
        surely = sum(d.high * calls[name] for name, d in known_owns.items()) < 0
        return most < half or (fell >= half and surely)


def body_in(runtime: Runtime, function: str, since: int, until: int, release: str) -> str:
    """The hash of a function's code in a release; empty where it was not called."""
    seen = runtime.span(function, since, until, release=release)
    return next(iter(seen.values())).body if seen else ""


def changed(
    runtime: Runtime,
    graph: Graph,
    function: str,
    span: tuple[int, int],
    releases: tuple[str, str],
    earlier: Mapping[str, str],
) -> tuple[str, ...]:
    """The function and its callees whose code is another in the second release than in the first, nearest first; a
    callee that only the second one called counts. `earlier` are the names that some had in the first."""
    found = []
    for place, name in enumerate(graph.below(function)):
        if place == MOST_LOOKED_AT:
            break
        old = body_in(runtime, earlier.get(name, name), *span, releases[0])
        new = body_in(runtime, name, *span, releases[1])
        if new and old != new:
            found.append(name)
    return tuple(found)


def callers_differ(before: Mapping[str, FunctionStats], after: Mapping[str, FunctionStats]) -> float:
    """Total variation distance between the callers' shares, within each entry and then over the entries at the old mix:
    0 for the same callers, 1 for others altogether."""
    calls = {entry: sum(before[entry].callers.values()) for entry in before if entry in after}
    total = sum(calls.values())
    return sum(n / total * _apart(before[e].callers, after[e].callers) for e, n in calls.items()) if total else 0.0


def _apart(one: Mapping[str, int], two: Mapping[str, int]) -> float:
    n, m = sum(one.values()), sum(two.values())
    if not n or not m:
        return 0.0
    return sum(abs(one.get(name, 0) / n - two.get(name, 0) / m) for name in {*one, *two}) / 2

"""Of functions that are slow in the same calls, the one that is the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from burnish.conditions import Sample
from burnish.profile import FunctionStats, Profile
from burnish.spikes import Explained

ITSELF = 0.5
"""Own time as a share of its slow time from which a function is slow by itself."""
_SAME = 0.5
"""Part of the slow time that a function below has to have to be the reason for it."""


@dataclass(frozen=True)
class Spike:
    """A function whose slow calls are explained."""

    stats: FunctionStats
    explained: Explained
    own_share: float
    """Own time as a share of the time of its slow calls."""
    tail_ns: float
    """Time of all its slow calls, from the distribution: unlike a sample it can be compared between functions."""


def own_share(samples: Sequence[Sample], slow_ns: float) -> float:
    """Own time as a share of the time of slow calls that were looked at."""
    slow = [row for sample in samples for row in sample.exemplars if row.wall_ns >= slow_ns]
    wall = sum(row.wall_ns for row in slow)
    return min(1.0, sum(row.own_ns for row in slow) / wall) if wall else 0.0


def by_reason(spikes: Sequence[Spike], profile: Profile) -> Iterator[tuple[Spike, Spike | None]]:
    """Each spike, with the one below it that is the reason for it; those that are slow by themselves come first."""
    callers = {stats.function: stats.callers for stats in profile.functions} if len(spikes) > 1 else {}
    kept: list[tuple[Spike, set[str]]] = []
    for spike in sorted(spikes, key=lambda spike: (-spike.own_share, spike.stats.function)):
        name = spike.stats.function
        below = None
        if spike.own_share < ITSELF:
            reasons = (one for one, above in kept if name in above and one.tail_ns >= _SAME * spike.tail_ns)
            below = next(reasons, None)
        if below is None:
            kept.append((spike, _above(name, callers)))
        yield spike, below


def _above(function: str, callers: Mapping[str, Mapping[str, int]]) -> set[str]:
    """All functions from which it is reached."""
    found: set[str] = set()
    waiting = [function]
    while waiting:
        new = {name for name in callers.get(waiting.pop(), ()) if name} - found
        found |= new
        waiting += new
    return found - {function}

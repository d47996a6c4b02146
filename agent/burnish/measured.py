"""A function's rate and time with their intervals, from its windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.finding import Interval
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Runtime
from burnish.standard import HOUR_NS
from burnish.stats import RESAMPLES, bootstrap_ratio, bootstrap_sum

BLOCKS = 100
"""Windows are resampled in at most so many blocks of neighbours: blocks keep what neighbouring windows have in common
(Künsch 1989), and the time does not grow with the days of data."""


@dataclass(frozen=True)
class Measured:
    """A function's rate and time with their intervals."""

    calls_per_minute: Interval
    wall_ns: Interval
    """Mean of one call."""
    last_unix_ns: int
    """End of the last window (over many hours: of the last hour) in which it was called; 0 where there is none."""


def measured(
    stats: FunctionStats, profile: Profile, runtime: Runtime, *, resamples: int = RESAMPLES, blocks: int = BLOCKS
) -> Measured:
    """Bootstrap over the windows of the profile; windows without a call count as zeros for the rate. At most `blocks`
    blocks of them are drawn from. Where the profile is of more hours than that, its hours are read instead."""
    found = _hours(stats, profile, runtime) if profile.end_unix_ns - profile.start_unix_ns > blocks * HOUR_NS else None
    parts = found or _windows(stats, profile, runtime)
    silent = [(0.0, 0.0)] * max(0, parts.all - len(parts.seen))
    calls = bootstrap_sum([calls for _, calls in _blocks(parts.seen + silent, blocks)], resamples=resamples)
    low, value, high = (n / profile.minutes for n in (calls.low, calls.value, calls.high))
    rate = Interval(value=value, low=low, high=high, n=calls.n)
    return Measured(rate, bootstrap_ratio(_blocks(parts.seen, blocks), resamples=resamples), parts.last_unix_ns)


@dataclass(frozen=True)
class _Parts:
    """(Time, calls) of the windows or hours in which the function was called, and of how many there are in all."""

    seen: list[tuple[float, float]]
    all: int
    last_unix_ns: int


def _windows(stats: FunctionStats, profile: Profile, runtime: Runtime) -> _Parts:
    windows: dict[tuple[int, str], tuple[float, float]] = {}
    last = 0
    for point in runtime.series(stats.function, profile.release).points:
        if profile.start_unix_ns <= point.start_unix_ns < profile.end_unix_ns:
            key = point.start_unix_ns, point.instance
            wall, calls = windows.get(key, (0.0, 0.0))
            windows[key] = wall + point.wall_ns, calls + point.calls
            if point.calls:
                last = max(last, point.start_unix_ns + round(point.seconds * 1e9))
    return _Parts([windows[key] for key in sorted(windows)], profile.windows, last)


def _hours(stats: FunctionStats, profile: Profile, runtime: Runtime) -> _Parts | None:
    """The same by hour: a week of windows is a hundred times as many. None where the dataset has no hours of it."""
    first = profile.start_unix_ns // HOUR_NS
    hours: dict[int, tuple[float, float]] = {}
    for one in runtime.history("hour", since_unix_ns=first * HOUR_NS, functions=(stats.function,)):
        if one.release == profile.release and one.start_unix_ns < profile.end_unix_ns:
            wall, calls = hours.get(one.start_unix_ns, (0.0, 0.0))
            hours[one.start_unix_ns] = wall + one.wall_ns, calls + one.calls
    if not hours:
        return None
    last = max((start for start, (_, calls) in hours.items() if calls), default=-HOUR_NS) + HOUR_NS
    observed = math.ceil(profile.observed_seconds * 1e9 / HOUR_NS)  # not the hours in which nobody looked
    return _Parts([hours[start] for start in sorted(hours)], observed, min(last, profile.end_unix_ns))


def _blocks(pairs: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    n, k = len(pairs), min(len(pairs), most)
    parts = [pairs[i * n // k : (i + 1) * n // k] for i in range(k)]
    return [(sum(wall for wall, _ in part), sum(calls for _, calls in part)) for part in parts]

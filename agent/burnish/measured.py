"""A function's rate and time with their intervals, from its windows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from burnish.job import Interval
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Runtime
from burnish.stats import RESAMPLES, bootstrap, ratio_of_sums

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
    """End of the last window in which it was called; 0 where there is none."""


def measured(
    stats: FunctionStats, profile: Profile, runtime: Runtime, *, resamples: int = RESAMPLES, blocks: int = BLOCKS
) -> Measured:
    """Bootstrap over the windows of the profile; windows without a call count as zeros for the rate. At most `blocks`
    blocks of them are drawn from."""
    windows: dict[tuple[int, str], tuple[float, float]] = {}
    last = 0
    for point in runtime.series(stats.function, profile.release).points:
        if profile.start_unix_ns <= point.start_unix_ns < profile.end_unix_ns:
            key = point.start_unix_ns, point.instance
            wall, calls = windows.get(key, (0.0, 0.0))
            windows[key] = wall + point.wall_ns, calls + point.calls
            if point.calls:
                last = max(last, point.start_unix_ns + round(point.seconds * 1e9))
    seen = [windows[key] for key in sorted(windows)]
    silent = [(0.0, 0.0)] * max(0, profile.windows - len(seen))
    rng = random.Random(stats.function)
    rate = bootstrap(
        _blocks(seen + silent, blocks),
        lambda some: sum(calls for _, calls in some) / profile.minutes,
        rng,
        resamples=resamples,
    )
    return Measured(rate, bootstrap(_blocks(seen, blocks), ratio_of_sums, rng, resamples=resamples), last)


def _blocks(pairs: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    n, k = len(pairs), min(len(pairs), most)
    parts = [pairs[i * n // k : (i + 1) * n // k] for i in range(k)]
    return [(sum(wall for wall, _ in part), sum(calls for _, calls in part)) for part in parts]

"""Before against after a deployment: did production do what the pull request promised?

What is compared is the function's mean wall time per call, entry by entry, weighted by the *old* mix of entries, so
that a change in traffic is not taken for a change in speed. What is resampled for the interval is the window of one
instance (calls in a window share its weather). The verdict is a test of the promise:

    confirmed   saving.low > noise  and  saving.high ≥ promise       not measurably less than promised
    weaker      saving.low > noise  and  saving.high <  promise
    worse       saving.high < −noise, or measurably more errors
    no_change   else
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from burnish.job import Interval, Outcome, Prediction
from burnish.profile import Point, Series
from burnish.settings import VerdictSettings
from burnish.stats import bootstrap_two

Window = dict[str, tuple[float, float]]
"""Of one window of one instance: entry → (calls, wall ns)."""
ERROR_Z = 3.0
"""Two-proportion z above which the error rate counts as risen (one-sided p ≈ 0.001)."""


class Measured:
    """Both sides of a deployment, ready to be judged."""

    def __init__(self, before: Series, after: Series, settings: VerdictSettings, rng: random.Random) -> None:
        self.before = _windows(settled(before.points, settings.warmup_seconds))
        self.after = _windows(settled(after.points, settings.warmup_seconds))
        self.settings = settings
        self.points_before, self.points_after = before.points, after.points
        self._rng = rng

    @property
    def calls(self) -> tuple[int, int]:
        """Calls that count, before and after."""
        return round(_calls(self.before)), round(_calls(self.after))

    @property
    def missing(self) -> str:
        """What is still missing for a verdict, as a sentence; empty when there is enough."""
        need = self.settings
        for name, windows in (("before", self.before), ("after", self.after)):
            calls = _calls(windows)
            if calls < need.min_calls or len(windows) < need.min_windows:
                return (
                    f"{calls:.0f} calls in {len(windows)} windows {name} the deployment; "
                    f"a verdict needs {need.min_calls} calls in {need.min_windows} windows"
                )
        if not self._weights():
            return "no entry reached the function both before and after the deployment"
        return ""

    def saving(self) -> Interval:
        """Share of the wall time per call that went away, at the old mix of entries; negative is slower."""
        weights = self._weights()

        def statistic(before: Sequence[Window], after: Sequence[Window]) -> float:
            old, new = _weighted_mean(before, weights), _weighted_mean(after, weights)
            return 1 - new / old if old > 0 else math.nan

        return bootstrap_two(self.before, self.after, statistic, self._rng)

    def means(self) -> tuple[float, float]:
        """Wall ns per call before and after, at the old mix of entries."""
        weights = self._weights()
        return _weighted_mean(self.before, weights), _weighted_mean(self.after, weights)

    def queries(self) -> tuple[float, float]:
        """SQL executions per call before and after."""
        return _queries(self.points_before), _queries(self.points_after)

    def _weights(self) -> dict[str, float]:
        """Share of the calls before, over the entries that are on both sides."""
        before, after = _by_entry(self.before), _by_entry(self.after)
        common = {entry: n for entry, n in before.items() if n and after.get(entry)}
        total = sum(common.values())
        return {entry: n / total for entry, n in sorted(common.items())} if total else {}


def outcome(saving: Interval, promise: Prediction, settings: VerdictSettings, more_errors: bool) -> Outcome:
    """The verdict on a measured saving."""
    if more_errors or saving.high < -settings.noise:
        return Outcome.WORSE
    if saving.low <= settings.noise:
        return Outcome.NO_CHANGE
    return Outcome.CONFIRMED if saving.high >= promise.time_saving.low else Outcome.WEAKER


def errors_rose(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether (errors, calls) after is measurably a higher rate than before: two-proportion z test, z > 3."""
    (e0, n0), (e1, n1) = before, after
    if not n0 or not n1 or not e0 + e1:
        return False
    pooled = (e0 + e1) / (n0 + n1)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
    return spread > 0 and (e1 / n1 - e0 / n0) / spread > ERROR_Z


def settled(points: Sequence[Point], warmup_seconds: float) -> list[Point]:
    """The points that begin after the warm-up of their instance."""
    first: dict[str, int] = {}
    for point in points:
        first[point.instance] = min(first.get(point.instance, point.start_unix_ns), point.start_unix_ns)
    return [p for p in points if p.start_unix_ns >= first[p.instance] + warmup_seconds * 1e9]


def _windows(points: Sequence[Point]) -> list[Window]:
    windows: dict[tuple[int, str], Window] = {}
    for point in sorted(points, key=lambda p: (p.start_unix_ns, p.instance, p.entry)):
        if point.calls:
            windows.setdefault((point.start_unix_ns, point.instance), {})[point.entry] = (point.calls, point.wall_ns)
    return list(windows.values())


def _by_entry(windows: Sequence[Window]) -> dict[str, float]:
    calls: dict[str, float] = {}
    for window in windows:
        for entry, (n, _) in window.items():
            calls[entry] = calls.get(entry, 0.0) + n
    return calls


def _calls(windows: Sequence[Window]) -> float:
    return sum(_by_entry(windows).values())


def _weighted_mean(windows: Sequence[Window], weights: dict[str, float]) -> float:
    """Σ weight × mean over the entries that these windows have; a resample may lack a rare entry."""
    total = share = 0.0
    for entry, weight in weights.items():
        calls = wall = 0.0
        for window in windows:
            n, ns = window.get(entry, (0.0, 0.0))
            calls, wall = calls + n, wall + ns
        if calls:
            total, share = total + weight * wall / calls, share + weight
    return total / share if share else math.nan


def _queries(points: Sequence[Point]) -> float:
    calls = sum(p.calls for p in points)
    return sum(p.queries for p in points) / calls if calls else 0.0

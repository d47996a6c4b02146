"""Before against after a deployment: did production do what the pull request promised?

What is compared is the function's mean wall time per call, entry by entry, weighted by the *old* mix of entries, so
that a change in traffic is not taken for a change in speed. The entries that never reach the function are the control
(difference in differences, on the log scale): a slower machine, a busier database or another change in the same
release meets them too, and is taken out.

    saving = 1 − (function after ÷ before) ÷ drift        drift = exp(Σ share × log(control entry after ÷ before))

What is resampled for the interval is the window of one instance, function and control together, because calls in a
window share its weather. The verdict is a test of the promise:

    confirmed   saving.low > noise  and  saving.high ≥ promise       not measurably less than promised
    weaker      saving.low > noise  and  saving.high <  promise
    worse       saving.high < −noise, or measurably more errors
    no_change   else
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from burnish.finding import Interval
from burnish.job import Outcome, Prediction
from burnish.profile import Point, Series
from burnish.settings import VerdictSettings
from burnish.stats import bootstrap_two

ByEntry = dict[str, tuple[float, float]]
"""Entry → (calls, wall ns)."""
Weights = dict[str, float]
ERROR_Z = 3.0
"""Two-proportion z above which the error rate counts as risen (one-sided p ≈ 0.001)."""


@dataclass
class Window:
    """One window of one instance: the function, and the entries of the service."""

    function: ByEntry = field(default_factory=dict)
    entries: ByEntry = field(default_factory=dict)


class Side:
    """One release or several (`pooled`): the function's series and that of all entries, without each warm-up."""

    def __init__(self, function: Series, entries: Series, settings: VerdictSettings) -> None:
        self.points = function.points
        first = _starts([*function.points, *entries.points])
        cold_ns = settings.warmup_seconds * 1e9
        windows: dict[tuple[int, str], Window] = {}
        for series, name in ((function, "function"), (entries, "entries")):
            for point in series.points:
                if point.calls and point.start_unix_ns >= first[point.instance] + cold_ns:
                    window = windows.setdefault((point.start_unix_ns, point.instance), Window())
                    getattr(window, name)[point.entry] = (point.calls, point.wall_ns)
        self.windows = [windows[key] for key in sorted(windows)]

    @property
    def calls(self) -> int:
        """Calls of the function that count."""
        return round(sum(n for n, _ in _totals([w.function for w in self.windows]).values()))

    @property
    def called_in(self) -> int:
        """Windows in which it was called."""
        return sum(1 for window in self.windows if window.function)

    @property
    def queries(self) -> float:
        """SQL executions per call."""
        calls = sum(p.calls for p in self.points)
        return sum(p.queries for p in self.points) / calls if calls else 0.0


class Measured:
    """Both sides of a deployment, ready to be judged."""

    def __init__(self, before: Side, after: Side, settings: VerdictSettings, rng: random.Random) -> None:
        self.before, self.after, self.settings, self._rng = before, after, settings, rng
        old, new = ([w.function for w in side.windows] for side in (before, after))
        self._mix = _shares(_totals(old), _totals(new))
        reached = {p.entry for side in (before, after) for p in side.points} | {""}
        rest_old, rest_new = (_totals([w.entries for w in side.windows]) for side in (before, after))
        control = _shares(rest_old, rest_new, without=reached)
        enough = min(sum(rest[entry][0] for entry in control) for rest in (rest_old, rest_new)) >= settings.min_calls
        self._control = control if enough else {}

    @property
    def missing(self) -> str:
        """What is still missing for a verdict, as a sentence; empty when there is enough."""
        need = self.settings
        for name, side in (("before", self.before), ("after", self.after)):
            if side.calls < need.min_calls or side.called_in < need.min_windows:
                return (
                    f"{side.calls} calls in {side.called_in} windows {name} the deployment; "
                    f"a verdict needs {need.min_calls} calls in {need.min_windows} windows"
                )
        return "" if self._mix else "no entry reached the function both before and after the deployment"

    def saving(self) -> Interval:
        """Share of the time per call that went away, at the old mix and against the control; negative is slower."""

        def statistic(before: Sequence[Window], after: Sequence[Window]) -> float:
            old, new = self._means(before, after)
            return 1 - new / old / self._drift(before, after) if old > 0 else math.nan

        return bootstrap_two(self.before.windows, self.after.windows, statistic, self._rng)

    def drift(self) -> Interval | None:
        """What the control did: its time per call, after ÷ before. None where the service has no other traffic."""
        if not self._control:
            return None
        return bootstrap_two(self.before.windows, self.after.windows, self._drift, self._rng)

    def means(self) -> tuple[float, float]:
        """Wall ns per call before and after, at the old mix of entries, as measured."""
        return self._means(self.before.windows, self.after.windows)

    def _means(self, before: Sequence[Window], after: Sequence[Window]) -> tuple[float, float]:
        return _mean([w.function for w in before], self._mix), _mean([w.function for w in after], self._mix)

    def _drift(self, before: Sequence[Window], after: Sequence[Window]) -> float:
        old, new = (_totals([w.entries for w in windows]) for windows in (before, after))
        log, share = 0.0, 0.0
        for entry, weight in self._control.items():
            if entry in old and entry in new and old[entry][1] and new[entry][1]:
                log += weight * math.log((new[entry][1] / new[entry][0]) / (old[entry][1] / old[entry][0]))
                share += weight
        return math.exp(log / share) if share else 1.0


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


def pooled(parts: Sequence[Series]) -> Series:
    """Several releases as one, in order of time; each instance keeps its own warm-up."""
    points = sorted((p for part in parts for p in part.points), key=lambda p: (p.start_unix_ns, p.instance, p.entry))
    return Series(function=parts[-1].function, release=parts[-1].release, points=tuple(points))


def _starts(points: Sequence[Point]) -> dict[str, int]:
    """When each instance's first window began."""
    first: dict[str, int] = {}
    for point in points:
        first[point.instance] = min(first.get(point.instance, point.start_unix_ns), point.start_unix_ns)
    return first


def _totals(parts: Sequence[ByEntry]) -> ByEntry:
    total: ByEntry = {}
    for part in parts:
        for entry, (calls, wall) in part.items():
            n, ns = total.get(entry, (0.0, 0.0))
            total[entry] = n + calls, ns + wall
    return total


def _shares(before: ByEntry, after: ByEntry, without: frozenset[str] | set[str] = frozenset()) -> Weights:
    """Share of the calls before, over the entries that are on both sides."""
    common = {entry: n for entry, (n, _) in before.items() if entry in after and entry not in without}
    total = sum(common.values())
    return {entry: n / total for entry, n in sorted(common.items())}


def _mean(parts: Sequence[ByEntry], weights: Weights) -> float:
    """Σ weight × mean over the entries that these parts have; a resample may lack a rare entry."""
    total = _totals(parts)
    there = {entry: weight for entry, weight in weights.items() if entry in total}
    share = sum(there.values())
    return sum(w * total[e][1] / total[e][0] for e, w in there.items()) / share if share else math.nan

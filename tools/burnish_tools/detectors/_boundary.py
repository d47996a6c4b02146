"""One function's hours on the two sides of a release: how much it changed, and whether it is that release's doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from statistics import fmean

from burnish.changes import Difference, difference, residual
from burnish.profile import FunctionStats
from burnish.standard import DAY_NS, HOUR_NS, QUERIES, Cell, Mix, at_least, crude
from burnish.why import Why

WEEK_HOURS = 168
HALF = 0.5
"""Part of the whole change that a third of the hours must show to count as showing it."""
TREND_DAYS = 3
"""From so many days on, a straight line is tried against the step."""
Drift = Mapping[tuple[int, str], float]


@dataclass(frozen=True)
class Limits:
    """What a side needs."""

    hours: int
    calls: int
    """In each hour; hours with fewer are put together."""


@dataclass(frozen=True)
class Sides:
    """The hours before and from a release on, each with enough calls."""

    release: str
    before: list[Cell]
    after: list[Cell]
    drift: Drift = field(default_factory=dict)

    def compared(self, measure: int, least: int) -> tuple[Difference, float] | None:
        """Change per call at the old mix, and what it was before; None where there is nothing to compare."""
        old, new = self.values(measure, self.matched(least))
        if len(old) < 2 or not new:
            return None
        return difference(old, new), fmean(old)

    def values(self, measure: int, before: Sequence[Cell] | None = None) -> tuple[list[float], list[float]]:
        """Of both sides at the old mix; times with the drift taken out, counts as they are."""
        mix = Mix(self.before, measure)
        taken_out = self.drift if measure != QUERIES else None
        return mix.values(self.before if before is None else before, taken_out), mix.values(self.after, taken_out)

    def matched(self, least: int) -> list[Cell]:
        """Hours before that are like those after: the same hours of the week, else of the day, else all."""
        for period in (WEEK_HOURS, 24):
            hours = {cell.start_unix_ns // HOUR_NS % period for cell in self.after}
            alike = [cell for cell in self.before if cell.start_unix_ns // HOUR_NS % period in hours]
            if len(alike) >= least:
                return alike
        return self.before

    def mixed(self, measure: int, least: int) -> float:
        """The change in the mean per call in like hours that is only the mix of entries, as a share of what it was."""
        like = self.matched(least)
        was = crude(like, measure)
        same = replace(self, drift={}).compared(measure, least)
        if not was or same is None:
            return 0.0
        return crude(self.after, measure) / was - 1 - same[0].value / was

    def against(self, measure: int, least: int) -> Why | None:
        """What the course of it says against the release: it was there before, came later, has gone, or crept."""
        old, new = self.values(measure, self.matched(least))
        base, change = fmean(old), fmean(new) - fmean(old)
        third = [max(2, len(side) // 3) for side in (old, new)]
        if fmean(new[-third[1] :]) - base < HALF * change:
            return Why.WENT_AWAY
        if fmean(new[: third[1]]) - base < HALF * change or fmean(old[-third[0] :]) - base > HALF * change:
            return Why.NOT_BY_RELEASE
        return Why.NOT_BY_RELEASE if self._creeps(measure) else None

    def _creeps(self, measure: int) -> bool:
        """Whether a straight line fits better than the step."""
        cells = sorted((*self.before, *self.after), key=lambda cell: cell.start_unix_ns)
        if cells[-1].start_unix_ns - cells[0].start_unix_ns < TREND_DAYS * DAY_NS:
            return False
        old, new = self.values(measure)
        times = [cell.start_unix_ns / HOUR_NS for cell in (*self.before, *self.after)]
        if len(times) != len(old) + len(new):
            return False
        both, middle = [*old, *new], fmean(times)
        slope = sum((t - middle) * y for t, y in zip(times, both, strict=True)) / sum((t - middle) ** 2 for t in times)
        step = [fmean(old)] * len(old) + [fmean(new)] * len(new)
        return residual(both, [slope * t for t in times]) < residual(both, step)


@dataclass(frozen=True)
class Rise:
    """A function that became slower from a release on, or asks more: the change per call, and what it was."""

    stats: FunctionStats
    sides: Sides
    measure: int
    change: Difference
    was: float


def best(cells: Sequence[Cell], order: Sequence[str], measure: int, drift: Drift, limits: Limits) -> Sides | None:
    """The release from which on the function is slower than before it by the clearest step; None where no release has
    enough hours on both sides, or none is followed by a rise. `order` are the releases by first window."""
    full = at_least(cells, limits.calls)
    mix = Mix(full, measure)
    by_release: dict[str, list[float]] = {}
    for cell in full:
        by_release.setdefault(cell.release, []).extend(mix.values([cell], drift if measure != QUERIES else None))
    counts = list(accumulate((len(by_release.get(name, ())) for name in order), initial=0))
    sums = list(accumulate((sum(by_release.get(name, ())) for name in order), initial=0.0))
    found, place = 0.0, 0
    for i in range(1, len(order)):
        n, m = counts[i], counts[-1] - counts[i]
        if min(n, m) >= limits.hours and order[i] in by_release:
            rise = (sums[-1] - sums[i]) / m - sums[i] / n
            clear = rise * rise * n * m / (n + m) if rise > 0 else 0.0
            found, place = max((found, place), (clear, i), key=lambda pair: pair[0])
    if not place:
        return None
    earlier = set(order[:place])
    return Sides(
        order[place],
        [cell for cell in full if cell.release in earlier],
        [cell for cell in full if cell.release not in earlier],
        drift,
    )

"""One function's days: a slope or a step in them, with like days compared with like."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

from burnish.changes import Difference, Point, residual, split, trend
from burnish.standard import DAY_NS

WEEKS_FOR_WEEKDAYS = 3
"""Weeks from which each weekday has days enough of its own; before, working days and weekends are told apart."""
HALF = 0.5
"""Part of the change that the last days must still show."""
LAST = 3
"""Days on each side of a step, and those that must still show the change."""


@dataclass(frozen=True)
class Crept:
    """How much a call costs more at the end than at the start."""

    change: Difference
    was: float
    since_unix_ns: int
    step: bool
    """All at once, at `since_unix_ns`; else bit by bit from there on."""
    lasts: bool
    """Whether the last days still show it."""


@dataclass(frozen=True)
class Days:
    """Values by day, at a fixed mix; `starts` are in order and may have gaps."""

    starts: Sequence[int]
    values: Sequence[float]

    @cached_property
    def crept(self) -> Crept | None:
        """The slope or the step, whichever leaves less over; None where there are too few days for either."""
        slope, step = self._slope, self._step
        if slope is None or step is None:
            return slope or step
        place = self.starts.index(step.since_unix_ns)
        line = [slope.change.value * x for x in self._places]
        flat = [0.0] * place + [step.change.value] * (len(self.values) - place)
        return slope if residual(self._even, line) < residual(self._even, flat) else step

    @property
    def _slope(self) -> Crept | None:
        """From the first day to the last; Theil and Sen's, Mann and Kendall's p."""
        points = [Point(x, y, season) for x, y, season in zip(self._places, self.values, self._seasons, strict=True)]
        found = trend(points)
        if found.p >= 1:
            return None
        level = fmean(self._even)
        quarter = max(LAST, len(points) // 4)
        seen = fmean(self._even[-quarter:]) - fmean(self._even[:quarter])
        return Crept(
            Difference(found.slope, found.low, found.high, found.p),
            level - found.slope * fmean(self._places),
            self.starts[0],
            step=False,
            lasts=seen >= HALF * found.slope * (1 - quarter / len(points)),
        )

    @property
    def _step(self) -> Crept | None:
        """At the day from which on the others differ."""
        found = split(self._even, LAST)
        if found is None:
            return None
        was = fmean(self._even[: found.place])
        lasts = fmean(self._even[-LAST:]) - was >= HALF * found.difference.value
        return Crept(found.difference, was, self.starts[found.place], step=True, lasts=lasts)

    @cached_property
    def _places(self) -> list[float]:
        """Days as a share of the whole time, 0 to 1: a slope is then the change over all of it."""
        whole = max(self.starts[-1] - self.starts[0], 1)
        return [(start - self.starts[0]) / whole for start in self.starts]

    @cached_property
    def _seasons(self) -> list[Hashable]:
        weekdays = [(start // DAY_NS + 3) % 7 for start in self.starts]  # January 1, 1970 was a Thursday
        weeks = (self.starts[-1] - self.starts[0] + DAY_NS) / (7 * DAY_NS)
        return [day if weeks >= WEEKS_FOR_WEEKDAYS else day >= 5 for day in weekdays]

    @cached_property
    def _even(self) -> list[float]:
        """The values without what their season has in common: the median distance from the week around each."""
        around = [median(self.values[max(0, i - 3) : i + 4]) for i in range(len(self.values))]
        apart: dict[Hashable, list[float]] = {}
        for season, value, level in zip(self._seasons, self.values, around, strict=True):
            apart.setdefault(season, []).append(value - level)
        usual = {season: median(values) for season, values in apart.items()}
        return [value - usual[season] for season, value in zip(self._seasons, self.values, strict=True)]

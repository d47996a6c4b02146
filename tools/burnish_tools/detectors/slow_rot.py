"""Slow rot: over days and weeks a call takes longer, or runs more queries, and no single release brought it.

Definition: the daily means per call, at a fixed mix of entries, climb (seasonal Mann–Kendall test, Theil–Sen slope) or
step up (split where the energy statistic of E-divisive is greatest, Welch's t test, as Hunter does). Mondays are
compared with Mondays from three weeks of data on; before, working days with working days. What the machine did to
unchanged functions on the same day is taken out.

    ms             . ·:·'     tables grow: a slope                ms           ··:··:    a step where no release
       ..·:··:·'              over three weeks                       ··:··:··:·          went out: data, a flag, a peer

A step within two hours after a release began is that release's: see regression. A slope that a step at one place fits
better is a step. Whatever the last days do not show any more has gone. Of a caller and its callee, the callee is named.
p is divided by the number of functions and tests, so that `false_alarms` bounds what chance reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from burnish.changes import Difference, average, split
from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.standard import DAY_NS, HOUR_NS, QUERIES, WALL, Mix, cells
from burnish.why import Why
from burnish_tools.detectors._blame import Graph
from burnish_tools.detectors._daily import Crept, Days
from burnish_tools.detectors._history import Past, busy, past
from burnish_tools.detectors._measure import MS, finding
from burnish_tools.detectors._told import moved

TESTS = 4
"""For each function: a slope and a step, in time and in queries."""
SHOWN_DAYS = 7
"""First and last days that are compared for people."""
AT_A_RELEASE_HOURS = 2
"""A step that begins in the hour of a release or so soon after it is the release's."""


class SlowRot:
    """Satisfies `burnish.protocols.Detector`."""

    name = "slow_rot"

    class Settings(Section):
        """Slow rot."""

        days: int = 28
        """Days that are looked at: four of each weekday."""
        min_days: int = 10
        """Whole days with enough calls: with fewer, Mann and Kendall's test cannot be certain among many functions."""
        min_effect: float = 0.1
        """Growth over the days looked at, as a share: a tenth in a month is a factor of three in a year."""
        min_cost_ms_per_minute: float = 20.0
        """Growth × calls, at the lower end of its interval: as rank.min_saving_ms_per_minute."""
        min_queries_per_minute: float = 30.0
        """More queries × calls, likewise: one every two seconds is where a database begins to notice."""
        false_alarms: float = 0.05
        """Findings by chance that are expected in all functions together where nothing has changed."""
        min_calls: int = 100
        """Calls in each day: with fewer its mean is one or two slow calls."""
        most_functions: int = 300
        """The dearest functions that are looked at; it bounds the work in a large service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function that is busy enough for its growth to matter."""
        need = self.settings
        least = need.min_cost_ms_per_minute * MS / need.min_effect
        functions = busy(profile, least, need.min_queries_per_minute, need.most_functions)
        if not functions:
            return
        until = profile.end_unix_ns // DAY_NS * DAY_NS
        first = min((r.first_unix_ns for r in runtime.releases()), default=until)
        since = max(until - need.days * DAY_NS, -(-first // DAY_NS) * DAY_NS)
        if until - since < need.min_days * DAY_NS:
            detail = f"{max(0, (until - since) // DAY_NS)} whole days; {need.min_days} are needed"
            yield from (_passed(f, Why.NOT_ENOUGH_HISTORY, detail) for f in functions)
            return
        seen = past(runtime, "day", profile, functions, since, until)
        yield from _Look(need, profile, runtime, functions, seen).answers()


@dataclass
class _Look:
    """One run of the detector."""

    settings: SlowRot.Settings
    profile: Profile
    runtime: Runtime
    functions: list[FunctionStats]
    past: Past
    _days: dict[tuple[str, int], Days | None] = field(default_factory=dict)

    def answers(self) -> Iterator[Finding | Passed]:
        """What climbs, each alone and then against what is below it."""
        found: dict[str, tuple[FunctionStats, int, Crept]] = {}
        for stats in self.functions:
            one = self._judged(stats)
            if isinstance(one, Passed):
                yield one
            else:
                found[stats.function] = (stats, *one)
        graph = Graph(self.profile)
        for name in sorted(found):
            stats, measure, crept = found[name]
            rise = self._rises(measure).get
            if graph.from_below(name, found.keys() - {name}, rise) >= crept.change.value / 2:
                yield _passed(stats, Why.DUPLICATE, f"{_told(measure, crept)}; it is a function below it that climbs")
            else:
                yield self._finding(stats, measure, crept)

    def _judged(self, stats: FunctionStats) -> tuple[int, Crept] | Passed:
        time = self._climbs(stats, WALL)
        if isinstance(time, Crept):
            return WALL, time
        queries = self._climbs(stats, QUERIES)
        return (QUERIES, queries) if isinstance(queries, Crept) else time

    def _climbs(self, stats: FunctionStats, measure: int) -> Crept | Passed:
        days = self._series(stats.function, measure)
        crept = days.crept if days else None
        if crept is None:
            return _passed(stats, Why.NOT_ENOUGH_HISTORY, f"fewer than {self.settings.min_days} days with enough calls")
        why, detail = self._too_little(stats, measure, crept), _told(measure, crept)
        if why is None and crept.step:
            release = self._release_at(stats.function, measure, crept.since_unix_ns)
            if release:
                why, detail = Why.DUPLICATE, f"{detail}; it began with release {release[:12]}: see regression"
        return crept if why is None else _passed(stats, why, detail)

    def _too_little(self, stats: FunctionStats, measure: int, crept: Crept) -> Why | None:
        need, change = self.settings, crept.change
        small = change.value <= 0 or change.value < need.min_effect * crept.was
        if small or change.p > need.false_alarms / (TESTS * len(self.functions)):
            return Why.WITHIN_NOISE
        each_minute = change.low * stats.calls / self.profile.minutes
        least = need.min_queries_per_minute if measure == QUERIES else need.min_cost_ms_per_minute * MS
        if each_minute < least:
            return Why.NOT_WORTH_IT
        return None if crept.lasts else Why.WENT_AWAY

    def _release_at(self, function: str, measure: int, day: int) -> str:
        """The release that began when the function stepped up, to the hour; empty where none did."""
        since, until = day - DAY_NS, day + 2 * DAY_NS
        seen = self.runtime.history("hour", since_unix_ns=since, functions=[function])
        hours = cells((s for s in seen if s.start_unix_ns < until), by_release=False).get(function, [])
        mix = Mix(hours, measure)
        values = [(cell.start_unix_ns, value) for cell in hours if (value := mix.value(cell)) is not None]
        found = split([value for _, value in values], 3)
        if found is None:
            return ""
        hour = values[found.place][0]
        near = (
            r for r in self.runtime.releases() if -HOUR_NS <= hour - r.first_unix_ns <= AT_A_RELEASE_HOURS * HOUR_NS
        )
        return next((release.name for release in near), "")

    def _finding(self, stats: FunctionStats, measure: int, crept: Crept) -> Finding:
        time, queries = (self._series(stats.function, each) for each in (WALL, QUERIES))
        assert time is not None
        place = time.starts.index(crept.since_unix_ns) if crept.step else min(SHOWN_DAYS, len(time.starts) // 2)
        evidence = Evidence(
            before=average(time.values[:place]),
            after=average(time.values[place if crept.step else -SHOWN_DAYS :]),
            since_unix_ns=crept.since_unix_ns,
            notes=(f"{_told(measure, crept)}.", *self._distribution(stats.function, time)),
        )
        more = queries.crept if queries else None
        seen = finding(
            SlowRot.name,
            stats,
            self.profile,
            self.runtime,
            evidence,
            removable_ns=max(0.0, crept.change.low) if measure == WALL else 0.0,
            removable_queries=max(0.0, more.change.low) if more and more.lasts else 0.0,
        )
        return seen.model_copy(update={"informs": True})

    def _distribution(self, function: str, days: Days) -> Iterator[str]:
        first, last = days.starts[:SHOWN_DAYS], days.starts[-SHOWN_DAYS:]
        walls = (
            [{e: s.wall for e, s in self.runtime.span(function, day, day + DAY_NS).items()} for day in side]
            for side in (first, last)
        )
        yield from moved(next(walls), next(walls), function, "days")

    def _rises(self, measure: int) -> Mapping[str, Difference]:
        """Change per call by function."""
        series = {f.function: self._series(f.function, measure) for f in self.functions}
        return {name: days.crept.change for name, days in series.items() if days and days.crept}

    def _series(self, function: str, measure: int) -> Days | None:
        """Its days with enough calls; None with too few of them."""
        key = function, measure
        if key not in self._days:
            enough = [cell for cell in self.past.values_of(function) if cell.calls >= self.settings.min_calls]
            mix = Mix(enough, measure)
            drift = self.past.drift if measure == WALL else {}
            pairs = [(c.start_unix_ns, v) for c in enough for v in mix.values([c], drift)]
            some = len(pairs) >= self.settings.min_days
            self._days[key] = Days([s for s, _ in pairs], [v for _, v in pairs]) if some else None
        return self._days[key]


def _told(measure: int, crept: Crept) -> str:
    """The growth as a sentence without its full stop."""
    unit, what = (1.0, "queries") if measure == QUERIES else (MS, "ms")
    change, was = crept.change, crept.was
    share = f" ({change.value / was:+.0%})" if was > 0 else ""
    course = "at once" if crept.step else "bit by bit"
    return (
        f"A call: {was / unit:.2f} → {(was + change.value) / unit:.2f} {what}{share} {course}, "
        f"{change.low / unit:+.2f} to {change.high / unit:+.2f}"
    )


def _passed(stats: FunctionStats, why: Why, detail: str) -> Passed:
    return Passed(function=stats.function, by=SlowRot.name, why=why, detail=detail)

"""Regressions: from a release on, a call of a function takes longer, or runs more queries, than before.

Definition: the mean per call at the *old* mix of entries, hour by hour, is higher in the hours of a release and those
after it than in like hours (of the week, else of the day) of the releases before; by enough to matter (effect), more
than chance would give among all functions looked at (confidence), and often enough (cost). All three are needed.

    ms   ·  · ·· ·  ·  │   · ·· ··                 a step at the release: reported, with what changed in it
         ── release a ─┼── b ──────
    ms   ·  · ·· ·  ·  │  ·: · ·· ·                only an hour: gone again
    ms   ·   ·  ··  ··:│ ::·'···                   a slope: see slow_rot

What is not a regression, and said so: other entries or callers (each as fast as before); a slower machine (the median
of unchanged functions' own time is taken out, hour by hour); a caller that is slower only because of a callee; code
that moved from a caller into it (the cost shift of Yoon et al., SOSP 2024); the hour in which a release began.

The test is Student's with one variance for both sides and a correction for neighbouring hours that are alike; p is
divided by all functions and releases looked at, so that `false_alarms` bounds what chance reports where nothing changed
(Bonferroni). The distribution is compared for what passed: quantiles with intervals from resampled hours, and the
Wasserstein distance. Releases that came quickly after each other are told apart by the clearest step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from burnish.changes import Difference
from burnish.finding import Finding, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.releases import in_order
from burnish.settings import Section
from burnish.standard import DAY_NS, HOUR_NS, OWN, QUERIES, WALL
from burnish.why import Why
from burnish_tools.detectors._before import Before
from burnish_tools.detectors._blame import Graph, callers_differ
from burnish_tools.detectors._boundary import Limits, Rise, best
from burnish_tools.detectors._history import busy
from burnish_tools.detectors._measure import MS
from burnish_tools.detectors._told import regressed, told


class Regression:
    """Satisfies `burnish.protocols.Detector`."""

    name = "regression"

    class Settings(Section):
        """Regressions by a release."""

        lookback_days: float = 14.0
        """Days before the newest window that count: two weeks hold each hour of the week twice."""
        min_effect: float = 0.05
        """Rise of the mean per call, as a share. What is less is rarely worth anybody's time, and weather of a kind
        that no control sees is of this size."""
        min_cost_ms_per_minute: float = 20.0
        """Rise × calls, at the lower end of its interval: as rank.min_saving_ms_per_minute."""
        min_queries_per_minute: float = 30.0
        """More queries × calls, likewise: one every two seconds is where a database begins to notice."""
        false_alarms: float = 0.05
        """Findings by chance that are expected in all functions and releases together where nothing has changed: one
        in twenty runs at most."""
        min_hours: int = 4
        """Hours with enough calls on each side of a release: with fewer, one odd hour decides."""
        min_calls: int = 50
        """Calls in each of these hours; quieter ones are put together."""
        max_other_callers: float = 0.25
        """Share of the calls that may come from other callers than before, within an entry. Times are not recorded by
        caller, so that beyond it nobody can say whether the function or its use has changed."""
        most_functions: int = 300
        """The dearest functions that are looked at; it bounds the work in a large service."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function that is busy enough for a rise to matter."""
        need = self.settings
        least = need.min_cost_ms_per_minute * MS / need.min_effect
        functions = busy(profile, least, need.min_queries_per_minute, need.most_functions)
        if not functions:
            return
        since = int(profile.end_unix_ns - need.lookback_days * DAY_NS) // HOUR_NS * HOUR_NS
        seen = in_order(runtime.releases())
        releases = [r for r in seen if r.last_unix_ns > since and r.first_unix_ns < profile.end_unix_ns]
        if len(releases) < 2:
            yield from (_passed(f, Why.NOT_ENOUGH_HISTORY, "the data show only one release") for f in functions)
        elif (profile.end_unix_ns - releases[1].first_unix_ns) / HOUR_NS < need.min_hours:
            detail = f"{need.min_hours} hours are needed after a release"
            yield from (_passed(f, Why.WARMING_UP, detail) for f in functions)
        else:
            limits = Limits(need.min_hours, need.min_calls)
            yield from _Look(need, Before(profile, runtime, functions, releases, since, limits)).answers()


@dataclass(frozen=True)
class _Look:
    """One run of the detector."""

    settings: Regression.Settings
    before: Before

    def answers(self) -> Iterator[Finding | Passed]:
        """What became slower, judged alone and then against what is below and above it."""
        found: dict[str, Rise] = {}
        for stats in self.before.functions:
            one = self._judged(stats)
            if isinstance(one, Passed):
                yield one
            else:
                found[stats.function] = one
        graph = Graph(self.before.profile)
        for name in sorted(found):
            yield self._not_its_own(found[name], found, graph) or regressed(found[name], self.before, graph)

    def _judged(self, stats: FunctionStats) -> Rise | Passed:
        """Its rise in time, else in queries; or why it is none."""
        time = self._rise(stats, WALL)
        if isinstance(time, Rise):
            return time
        queries = self._rise(stats, QUERIES)
        return queries if isinstance(queries, Rise) else time

    def _rise(self, stats: FunctionStats, measure: int) -> Rise | Passed:
        cells = self.before.cells(stats.function)
        limits = self.before.limits
        sides = best(cells, self.before.order, measure, self.before.drift, limits)
        compared = sides.compared(measure, limits.hours) if sides else None
        if sides is None or compared is None:
            few = sum(cell.calls for cell in cells) < 2 * limits.calls * limits.hours
            detail = f"after no release with {limits.hours} hours on each side is it slower"
            return _passed(stats, Why.NOT_ENOUGH_CALLS if few else Why.WITHIN_NOISE, detail)
        rise = Rise(stats, sides, measure, *compared)
        why = self._too_little(rise) or sides.against(measure, limits.hours)
        return rise if why is None else _passed(stats, why, told(rise))

    def _too_little(self, rise: Rise) -> Why | None:
        """Effect, confidence and cost: what is missing."""
        need, change = self.settings, rise.change
        tests = 2 * len(self.before.functions) * (len(self.before.order) - 1)
        small = change.value <= 0 or change.value < need.min_effect * rise.was
        if small or change.p > need.false_alarms / tests:
            other_mix = small and rise.sides.mixed(rise.measure, need.min_hours) >= need.min_effect
            return Why.MIX_CHANGED if other_mix else Why.WITHIN_NOISE
        each_minute = change.low * rise.stats.calls / self.before.profile.minutes
        least = need.min_queries_per_minute if rise.measure == QUERIES else need.min_cost_ms_per_minute * MS
        return Why.NOT_WORTH_IT if each_minute < least else None

    def _not_its_own(self, rise: Rise, found: Mapping[str, Rise], graph: Graph) -> Passed | None:
        """Whether callees, callers or a change of callers explain it."""
        function, release = rise.stats.function, rise.sides.release

        def change(measure: int, name: str) -> Difference | None:
            return self.before.change(name, release, measure)

        same = {name for name, other in found.items() if name != function and other.sides.release == release}
        below = graph.from_below(function, same, lambda name: change(rise.measure, name))
        if below >= rise.change.value / 2:
            return _passed(rise.stats, Why.DUPLICATE, f"{told(rise)}; it is a function below it that became slower")
        if rise.measure == WALL and graph.moved_here(
            function, rise.change.value, lambda name: change(WALL, name), lambda name: change(OWN, name)
        ):
            return _passed(rise.stats, Why.COST_MOVED, told(rise))
        other = callers_differ(*self.before.stats(rise.stats.function, rise.sides))
        if other > self.settings.max_other_callers:
            return _passed(rise.stats, Why.MIX_CHANGED, f"{told(rise)}; {other:.0%} of its calls have other callers")
        return None


def _passed(stats: FunctionStats, why: Why, detail: str) -> Passed:
    return Passed(function=stats.function, by=Regression.name, why=why, detail=detail)

"""Rare spikes: a few calls of a function are far slower than the rest, and a recorded condition says which.

Definition: calls of four times the median and more are *slow*. A condition (a fact of the call, or two that hold
together) explains them where it holds for most of the slow time and for few of the calls:

    wall time
    2 s ┤                 ●        ●  ●          ● arg.items.size ≥ 512: 0.4 % of calls, 83 % of the slow time
        │
    5 ms┤●●●●●●●●●●●●●●●●● ●●●●●●●● ●● ●●●●●●●●●●
        └──────────────────────────────────────────▶ calls

Mean and median hardly show it, and a list of slow requests shows it without its reason. The conditions are searched in
one half of the windows and measured in the other (`burnish.spikes`); the shares are estimated from a weighted sample
of the calls (`docs/format.md`, "Estimating from them"). A second condition is named only where it keeps 90 % of the
slow time and clearly fewer calls.

Only what is settled before the call is slow counts as a condition: arguments, the entry, notes such as `cache` and
`retry`. The number of queries, the size of the result, collector pauses and how many calls run at once may follow from
the slowness: they are named as companions. The first calls of a process are `periodic_slowness`'s. Where a function
is slow because one that it calls is, only the latter is reported.

What is at stake is the time of these calls beyond a usual one, at the lower end of its interval. No edit follows from
it mechanically, so it informs: whether the limit, the algorithm or the caller is wrong is for people to decide.
"""

from __future__ import annotations

from collections.abc import Iterator

from burnish.condition_search import sentence
from burnish.finding import Evidence, Finding, Passed
from burnish.profile import FunctionStats, Profile
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.spikes import Explained, explain_spike, spread
from burnish.why import Why
from burnish_tools.detectors._measure import finding
from burnish_tools.detectors._reasons import ITSELF, Spike, by_reason, own_share
from burnish_tools.detectors._tails import Tail, tails
from burnish_tools.detectors._text import duration, percent, share

_WARM_UP = frozenset({"first", "age_s"})


class RareSpike:
    """Satisfies `burnish.protocols.Detector`."""

    name = "rare_spike"

    class Settings(Section):
        """Rare spikes."""

        min_calls: int = 200
        """Calls: 1 in 200 is then one call, the least that can be looked at."""
        times: float = 4.0
        """How many times the median a slow call takes: twice is within what load does to any function."""
        min_ms: float = 10.0
        """The slowest call. Pauses below 10 ms come from the machine as often as from the code."""
        min_ms_per_minute: float = 20.0
        """Time in the tail, in a minute of the service: below it nobody would gain."""
        min_slow_share: float = 0.5
        """Share of the slow time that the interval of the held-back half has to reach: most of it is explained."""
        max_share_of_calls: float = 0.2
        """Share of calls, upper end: what holds for every fifth call is no rare condition."""
        min_lift: float = 3.0
        """Share of the slow time ÷ share of the calls, at the worse ends of both intervals."""
        min_support: int = 10
        """Slow calls with the condition that were looked at in the held-back half: fewer may be of one incident."""
        min_times: int = 4
        """Blocks of windows (a fortieth of the span each) from which these come: one incident is no condition."""
        most_functions: int = 20
        """Functions whose calls are looked at one by one, those with the longest tails first: bounds the time."""
        most_rows: int = 3000
        """Calls that are looked at of one function, evenly over the time: an interval needs far fewer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """One answer for each function with a tail that is worth a look."""
        some = self.settings
        spikes: list[Spike] = []
        for tail in tails(
            profile,
            min_calls=some.min_calls,
            times=some.times,
            min_ms=some.min_ms,
            min_ms_per_minute=some.min_ms_per_minute,
            most=some.most_functions,
        ):
            seen = self._look(tail, profile, runtime)
            if isinstance(seen, Passed):
                yield seen
            else:
                spikes.append(seen)
        for spike, below in by_reason(spikes, profile):
            if below is None:
                yield self._finding(spike, profile, runtime)
            else:
                yield self._passed(spike.stats, Why.DUPLICATE, f"its slow calls are slow in {below.stats.function}")

    def _look(self, tail: Tail, profile: Profile, runtime: Runtime) -> Spike | Passed:
        stats = tail.stats
        since, slow_ns = profile.start_unix_ns, self.settings.times * stats.wall.quantile(0.5)
        samples = spread(runtime.samples(stats.function, profile.release, since_unix_ns=since), self.settings.most_rows)
        p50, p99 = (duration(stats.wall.quantile(q)) for q in (0.5, 0.99))
        numbers = f"{stats.calls} calls, p50 {p50}, p99 {p99}, slowest {duration(stats.wall.max or 0)}"
        explained = explain_spike(samples, slow_ns)
        if explained is None:
            looked_at = sum(row.wall_ns >= slow_ns for s in samples for row in s.exemplars)
            why = Why.NO_CONDITION if looked_at >= self.settings.min_support else Why.NOT_ENOUGH_CALLS
            return self._passed(stats, why, f"{numbers}; {looked_at} slow calls were looked at")
        own = own_share(samples, slow_ns)
        reason = self._against(explained, own)
        if reason is not None:
            return self._passed(stats, reason[0], f"{numbers}; {reason[1]}")
        return Spike(stats, explained, own, tail.ns)

    def _against(self, found: Explained, own_share: float) -> tuple[Why, str] | None:
        """Why an explanation is not good enough; `detail` says what the best one was."""
        some, text = self.settings, " and ".join(sentence(test) for test in found.tests)
        best = f"the best condition is {text}: {_shares(found)}"
        if found.companions:
            best += f"; {_companions(found)}"
        if found.slow_support < some.min_support or found.blocks < some.min_times:
            seen = f"{found.slow_support} slow calls at {found.blocks} times in the held-back half"
            return Why.NOT_ENOUGH_CALLS, f"{best}, by {seen}"
        convincing = (
            found.slow_time.low >= some.min_slow_share
            and found.calls.high <= some.max_share_of_calls
            and found.slow_time.low >= some.min_lift * found.calls.high
            and found.excess_ns.low > 0
        )
        if not convincing:
            return Why.NO_CONDITION, best
        if any(key in _WARM_UP for key, _, _ in found.tests):
            return Why.DUPLICATE, f"{best}; periodic_slowness tells of the start of processes"
        if all(key == "entry" for key, _, _ in found.tests) and own_share < ITSELF:
            return Why.TIME_IS_ELSEWHERE, f"{best}; what that entry does below it is slow"
        return None

    def _finding(self, spike: Spike, profile: Profile, runtime: Runtime) -> Finding:
        found = spike.explained
        texts = tuple(sentence(test) for test in found.tests)
        notes = [
            f"p99 {duration(found.p99_ns)} when {' and '.join(texts)}: {_shares(found)}. "
            f"A call that is not slow takes {duration(found.typical_ns)} on average."
        ]
        if found.companions:
            notes.append(_companions(found)[0].upper() + _companions(found)[1:] + ".")
        evidence = Evidence(
            own_share=spike.own_share,
            conditions=texts,
            slow_share=found.slow_time,
            lift=found.lift,
            support=found.support,
            notes=tuple(notes),
        )
        told = finding(self.name, spike.stats, profile, runtime, evidence, removable_ns=max(0.0, found.excess_ns.low))
        return told.model_copy(update={"informs": True})

    def _passed(self, stats: FunctionStats, why: Why, detail: str) -> Passed:
        return Passed(function=stats.function, by=self.name, why=why, detail=detail)


def _shares(found: Explained) -> str:
    """`0.4 % of calls, 83 % (79–87 %) of the slow time`."""
    return f"{percent(found.calls.value)} of calls, {share(found.slow_time)} of the slow time"


def _companions(found: Explained) -> str:
    texts = ", ".join(sentence(test) for test in found.companions)
    return f"the slow calls also have {texts}, which may follow from it rather than cause it"

"""Periodic slowness: calls that are slow at certain hours, after each deployment, or when a process is young.

Definition: one of three shapes, seen at least three times.

    hour of the week                  after a deployment                first calls of a process
    ▂▂▂▂▂▂█▂▂▂▂▂▂▂▂█▂▂▂▂▂▂▂▂█▂▂       ▂▂▂▂│█▅▂▂▂▂▂▂│█▄▂▂▂▂▂│█▅▂▂▂        █▂▂▂▂▂▂▂▂  █▂▂▂▂▂▂▂  █▂▂▂▂
          Tue      Tue      Tue           v7       v8      v9           worker 1   worker 2  worker 3

- *Hours*, in UTC: an hour of the day, a day of the week or an hour of the week in which an entry's calls take longer
  than in the days around it, in most of its recurrences and more often than chance would have it. Entries are judged
  one by one, so that another mix of requests at night is no slowness. The function below whose own time grows by at
  least half of it is named, else the function that serves the entry.
- *Deployments*: the first minutes of a release against the hour after them, at the same mix of entries; and against how
  much such spans of minutes differ anyway. The oldest release in the data is left out: it only shows when data began.
- *Young processes*: the facts `first` and `age_s` of the calls that were looked at. These conditions are fixed
  beforehand, not searched for, so that their interval needs no second half of the data.

What is at stake is the time beyond the usual one, at the lower end of its interval. It informs: to warm a cache, move a
nightly job or keep workers alive is for people to decide.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple

from burnish.condition_search import sentence
from burnish.conditions import IS, Sample, Test
from burnish.finding import Evidence, Finding, Interval, Passed
from burnish.profile import FunctionStats, Profile, Stretch
from burnish.protocols import Database, Runtime
from burnish.settings import Section
from burnish.spikes import Explained, measure, spread, weighted_blocks
from burnish.stats import bootstrap
from burnish.why import Why
from burnish_tools.detectors._deploys import MINUTE_NS, Start, starts
from burnish_tools.detectors._measure import finding
from burnish_tools.detectors._reasons import Spike, by_reason, own_share
from burnish_tools.detectors._tails import tails
from burnish_tools.detectors._text import duration, percent, share
from burnish_tools.detectors._week import HOUR_NS, Hour, Slot, by_chance, slow_slots, with_usual

_YOUNG: tuple[Test, ...] = (("first", IS, True), ("age_s", "<", 64), ("age_s", "<", 256))
_WEEKS = 8
"""Weeks of hours that are read."""
_RELEASES = 6
"""Latest releases whose start is looked at."""
_ENTRIES = 100
"""Entries that are looked at, those with the most time."""
_CANDIDATES = 30
"""Functions of a slow entry that are looked at, those with the most own time."""
_MOSTLY = 0.75
"""Part of the releases whose start has to be slow."""


class _Place(NamedTuple):
    """The function that a finding names, with its time beyond the usual (ns, lower end) in `minutes`."""

    stats: FunctionStats
    excess_ns: float
    minutes: float


class PeriodicSlowness:
    """Satisfies `burnish.protocols.Detector`."""

    name = "periodic_slowness"

    class Settings(Section):
        """Periodic slowness."""

        times: float = 1.5
        """Time of a call ÷ the usual one. Load alone makes busy hours 10 to 30 % slower than quiet ones."""
        recurrences: int = 3
        """How often it must have been seen: twice is a coincidence."""
        chance: float = 0.01
        """Probability, over everything that was tried for one entry, that such a pattern comes by chance."""
        min_calls: int = 20
        """Calls in an hour, or in a span after a deployment: with fewer one slow call decides the mean."""
        min_ms_per_minute: float = 20.0
        """Time beyond the usual in a minute of the service: below it nobody would gain."""
        deploy_minutes: float = 10.0
        """Start of a release that is compared with the hour after it: caches fill within minutes."""
        young_times: float = 4.0
        """How many times the median a slow call of a young process takes, as for `rare_spike`."""
        young_min_ms: float = 10.0
        """The slowest call of a function whose first calls are looked at, as for `rare_spike`."""
        young_min_share: float = 0.1
        """Share of the slow time, lower end of its interval, that falls to young processes."""
        most_functions: int = 20
        """Functions whose calls are looked at one by one for this: bounds the time."""
        most_rows: int = 3000
        """Calls that are looked at of one function, evenly over the time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def detect(self, profile: Profile, runtime: Runtime, database: Database | None) -> Iterator[Finding | Passed]:
        """Hours, deployments, young processes."""
        if not profile.functions:
            return
        yield from self._hours(profile, runtime)
        yield from self._deployments(profile, runtime)
        yield from self._young(profile, runtime)

    # ── hours ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hours(self, profile: Profile, runtime: Runtime) -> Iterator[Finding | Passed]:
        some = self.settings
        since = profile.end_unix_ns - _WEEKS * 168 * HOUR_NS
        entries = _by_entry(runtime.history("hour", since_unix_ns=since, functions={""}))
        dear = nlargest(_ENTRIES, entries, key=lambda entry: (sum(one.wall_ns for one in entries[entry]), entry))
        for entry, stretches in ((entry, entries[entry]) for entry in sorted(dear)):
            hours = with_usual(_times(stretches), some.min_calls)
            for slot in slow_slots(hours, times=some.times, recurrences=some.recurrences, chance=some.chance):
                excess, minutes = _low(slot.hours), len(hours) * 60.0
                if excess < some.min_ms_per_minute * 1e6 * minutes:
                    detail = f"{entry} {slot.name}: {duration(max(0.0, excess / minutes))} a minute"
                    yield Passed(function=entry, by=self.name, why=Why.NOT_WORTH_IT, detail=detail)
                    continue
                place = _below(entry, slot, excess, minutes, profile, runtime, since) or _handler(
                    entry, excess, minutes, profile
                )
                yield self._told(place, entry, slot.name, _slot_notes(entry, slot, hours), slot, profile, runtime)

    def _told(
        self,
        place: _Place | None,
        entry: str,
        condition: str,
        notes: tuple[str, ...],
        slot: Slot | None,
        profile: Profile,
        runtime: Runtime,
    ) -> Finding | Passed:
        if place is None:
            detail = f"{entry} {condition}; none of its functions was seen in this release"
            return Passed(function=entry, by=self.name, why=Why.NOT_ENOUGH_CALLS, detail=detail)
        evidence = Evidence(
            conditions=(condition,),
            support=slot.slow if slot else 0,
            before=_mean(slot.hours, usual=True) if slot else None,
            after=_mean(slot.hours, usual=False) if slot else None,
            notes=notes,
        )
        each = place.excess_ns / place.minutes / (place.stats.calls / profile.minutes)
        told = finding(self.name, place.stats, profile, runtime, evidence, removable_ns=max(0.0, each))
        return told.model_copy(update={"informs": True})

    # ── deployments ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _deployments(self, profile: Profile, runtime: Runtime) -> Iterator[Finding | Passed]:
        some = self.settings
        releases = list(runtime.releases())[1:][-_RELEASES:]
        if len(releases) < some.recurrences:
            return
        seen = list(starts(runtime, releases, minutes=some.deploy_minutes, min_calls=some.min_calls))
        slow = [start for start in seen if start.ratio >= some.times]
        calm = [ratio for start in seen for ratio in start.calm]
        p = (sum(ratio >= some.times for ratio in calm) + 1) / (len(calm) + 2)
        if len(slow) < max(some.recurrences, _MOSTLY * len(seen)) or by_chance(len(slow), len(seen), p) > some.chance:
            return
        minutes = (releases[-1].last_unix_ns - releases[0].first_unix_ns) / MINUTE_NS
        entry = _dearest(seen)
        draws = [start.excess_ns.get(entry, 0.0) for start in seen]
        low = bootstrap(draws, sum, random.Random(entry)).low
        ratios = ", ".join(f"{start.release[:12]} × {start.ratio:.1f}" for start in seen)
        first = f"in the first {some.deploy_minutes:g} minutes of a release"
        note = f"Calls take longer {first} than in the hour after it, at the same mix of entries: {ratios}."
        place = _handler(entry, low, minutes, profile)
        yield self._told(place, entry, first, (note, f"Most of that time is in {entry}."), None, profile, runtime)

    # ── young processes ──────────────────────────────────────────────────────────────────────────────────────────────

    def _young(self, profile: Profile, runtime: Runtime) -> Iterator[Finding | Passed]:
        some = self.settings
        found: list[Spike] = []
        for tail in tails(
            profile,
            min_calls=some.min_calls,
            times=some.young_times,
            min_ms=some.young_min_ms,
            min_ms_per_minute=some.min_ms_per_minute,
            most=some.most_functions,
        ):
            stats, slow_ns = tail.stats, some.young_times * tail.stats.wall.quantile(0.5)
            since = profile.start_unix_ns
            samples = spread(runtime.samples(stats.function, profile.release, since_unix_ns=since), some.most_rows)
            seen = self._first(samples, slow_ns)
            if seen is not None:
                found.append(Spike(stats, seen, own_share(samples, slow_ns), tail.ns))
        for spike, below in by_reason(found, profile):
            if below is None:
                yield self._young_finding(spike, profile, runtime)
            else:
                detail = f"its first calls are slow in {below.stats.function}"
                yield Passed(function=spike.stats.function, by=self.name, why=Why.DUPLICATE, detail=detail)

    def _first(self, samples: Sequence[Sample], slow_ns: float) -> Explained | None:
        """The narrowest of the conditions that holds, where enough slow calls are the first of their process."""
        rows = [row for sample in samples for row in sample.exemplars]
        slow_first = sum(row.facts.get("first") is True for row in rows if row.wall_ns >= slow_ns)
        if slow_first < self.settings.recurrences:
            return None
        blocks = weighted_blocks(samples)
        measured = (measure(blocks, slow_ns, (test,), rows) for test in _YOUNG)
        return next((seen for seen in measured if self._is_young(seen)), None)

    def _is_young(self, seen: Explained) -> bool:
        some = self.settings
        return (
            seen.blocks >= some.recurrences
            and seen.p50_ns >= some.young_times * seen.typical_ns
            and seen.slow_time.low >= max(some.young_min_share, 3 * seen.calls.high)
            and seen.excess_ns.low > 0
        )

    def _young_finding(self, spike: Spike, profile: Profile, runtime: Runtime) -> Finding:
        seen, text = spike.explained, sentence(spike.explained.tests[0])
        what = "The first call in a process" if text.startswith("first") else f"A call where {text}"
        note = (
            f"{what} takes {duration(seen.p50_ns)} (median), a usual one {duration(seen.typical_ns)}: "
            f"{percent(seen.calls.value)} of calls, {share(seen.slow_time)} of the slow time."
        )
        evidence = Evidence(
            own_share=spike.own_share,
            conditions=(text,),
            slow_share=seen.slow_time,
            lift=seen.lift,
            support=seen.support,
            notes=(note,),
        )
        told = finding(self.name, spike.stats, profile, runtime, evidence, removable_ns=seen.excess_ns.low)
        return told.model_copy(update={"informs": True})


def _by_entry(history: Iterable[Stretch]) -> dict[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    for stretch in history:
        found.setdefault(stretch.entry, []).append(stretch)
    return found


def _times(stretches: Iterable[Stretch], *, own: bool = False) -> dict[int, tuple[int, float]]:
    """Calls and time by number of the hour, over releases."""
    found: dict[int, tuple[int, float]] = {}
    for one in stretches:
        calls, time = found.get(one.start_unix_ns // HOUR_NS, (0, 0.0))
        found[one.start_unix_ns // HOUR_NS] = calls + one.calls, time + (one.own_ns if own else one.wall_ns)
    return found


def _low(hours: Sequence[Hour]) -> float:
    """Lower end of the time beyond the usual, over the hours as they came."""
    return bootstrap([hour.excess_ns for hour in hours], sum, random.Random(len(hours))).low


def _mean(hours: Sequence[Hour], *, usual: bool) -> Interval:
    def mean(some: Sequence[Hour]) -> float:
        return sum((h.usual_ns if usual else h.mean_ns) * h.calls for h in some) / sum(h.calls for h in some)

    return bootstrap(hours, mean, random.Random(len(hours)))


def _below(
    entry: str, slot: Slot, excess: float, minutes: float, profile: Profile, runtime: Runtime, since: int
) -> _Place | None:
    """The function whose own time grows in these hours by at least half of the entry's."""
    reached = (stats for stats in profile.functions if entry in stats.entries)
    candidates = {s.function: s for s in nlargest(_CANDIDATES, reached, key=lambda s: (s.own.sum, s.function))}
    histories: dict[str, list[Stretch]] = {}
    for stretch in runtime.history("hour", since_unix_ns=since, functions=set(candidates)):
        if stretch.entry == entry:
            histories.setdefault(stretch.function, []).append(stretch)
    numbers = {hour.number for hour in slot.hours}
    best: _Place | None = None
    for name, stretches in sorted(histories.items()):
        hours = [hour for hour in with_usual(_times(stretches, own=True), 1) if hour.number in numbers]
        low = _low(hours) if len(hours) > 1 else 0.0
        if low >= 0.5 * excess and (best is None or low > best.excess_ns):
            best = _Place(candidates[name], low, minutes)
    return best


def _handler(entry: str, excess: float, minutes: float, profile: Profile) -> _Place | None:
    """The outermost function of an entry: of those that no other function calls, the one with the most time."""
    outermost = (s for s in profile.functions if entry in s.entries and "" in s.callers)
    stats = max(outermost, key=lambda s: (s.wall.sum, s.function), default=None)
    return _Place(stats, excess, minutes) if stats else None


def _dearest(seen: Sequence[Start]) -> str:
    total: dict[str, float] = {}
    for start in seen:
        for entry, ns in start.excess_ns.items():
            total[entry] = total.get(entry, 0.0) + ns
    return max(sorted(total), key=lambda entry: total[entry])


def _slot_notes(entry: str, slot: Slot, hours: Sequence[Hour]) -> tuple[str, ...]:
    there = {hour.number for hour in slot.hours}
    others = [hour.calls for hour in hours if hour.number not in there]
    load = sum(h.calls for h in slot.hours) / len(slot.hours) / (sum(others) / len(others)) if others else 1.0
    mean, usual = (_mean(slot.hours, usual=u).value for u in (False, True))
    return (
        f"{entry} takes {duration(mean)} {slot.name}, {duration(usual)} in the days around it: "
        f"{slot.slow} of {slot.times} times.",
        f"It has {load:.1f} × as many calls then as at other times.",
    )

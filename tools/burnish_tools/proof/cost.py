"""Old against new in interleaved, randomised rounds of fresh processes, with old against itself as the control.

A round is three fresh processes: old, new and old again. They take turns request by request, in random order, one at a
time, so that whatever else the machine does meets all three alike. Each warms up on the choosing half of the requests
and measures requests of the held-out half. The statistic of a round is new ÷ old of the judged function's time, summed
over calls that all three have made; again ÷ old is the A/A control: what this machine shows when nothing has changed.

Looking at the result several times is paid for: each look uses a percentile bootstrap interval of confidence
1 − 0.05/looks (Bonferroni), so that all looks together err in at most 5 % of proofs, and the interval that is reported
is that wider one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol, TypeVar

from burnish.finding import Interval
from burnish.stats import bootstrap, median_saving
from burnish_tools.proof.settings import ProofSettings

OLD, NEW, AGAIN = "old", "new", "again"
CALLS = "calls"
"""Stands for the entry where calls are measured and no entry is."""
FIRST_LOOK = 8
LOOKS = 4
WARMUP_NS = 300_000_000
"""Time of warming up in a round, all processes together; at least one request of each entry."""
MEASURED_NS = 900_000_000
"""Time of measuring in a round, all processes together; at least `MIN_REQUESTS`."""
MIN_REQUESTS = 4
MAX_PASSES = 7


class Process(Protocol):
    """A fresh process of the service that is sent one request at a time."""

    def send(self, request: int) -> tuple[int, list[int]]:
        """Wall time of the request, and of each call of the judged function in it, ns."""

    def peak_kb(self) -> int:
        """Its peak memory so far."""


T = TypeVar("T")
Start = Callable[[str], AbstractContextManager[Process]]
"""`start("old")` or `start("new")`: the process ends with the context."""


class CasesVanished(Exception):
    """The new code made another number of calls of the function than the old code did both times."""


@dataclass(frozen=True)
class Plan:
    """Which requests, by their number: those to warm up with and those to measure, with their entries."""

    warmup: tuple[int, ...]
    measured: tuple[int, ...]
    entries: Mapping[int, str]


@dataclass
class Times:
    """What one process has shown: by request, a list over passes of wall times and of times in the function, ns."""

    wall: dict[int, list[int]] = field(default_factory=dict)
    function: dict[int, list[int]] = field(default_factory=dict)
    calls: dict[int, int] = field(default_factory=dict)
    """Calls of the function in the first pass, by request."""
    cold: int = 0
    peak_kb: int = 0

    def total(self) -> float:
        """Sum over requests of the median over passes of the time in the function."""
        return float(sum(median(passes) for passes in self.function.values()))

    def first(self) -> float:
        """The same of the first pass alone, in which every request is new to the process."""
        return float(sum(passes[0] for passes in self.function.values()))

    def per_call(self) -> float:
        """Mean time of a call."""
        return self.total() / max(sum(self.calls.values()), 1)


@dataclass(frozen=True)
class Round:
    """One round's ratios to `old`, and means of the old and the new side."""

    function: float
    control: float
    first_pass: float
    cold: float
    memory: float
    call_ns: tuple[float, float]
    peak_kb: tuple[int, int]
    walls: Mapping[str, tuple[float, float]]
    """Sum of the wall times of an entry's requests, ns, (old, new)."""
    sent: Mapping[str, int]
    """Number of distinct requests behind `walls`."""


@dataclass(frozen=True)
class Bench:
    """What the rounds say. Savings are 1 − new/old with their intervals."""

    rounds: tuple[Round, ...]
    saving: Interval
    control: Interval
    min_saving: float

    @property
    def noise(self) -> float:
        """Half the width of the A/A interval, or its offset where it does not contain 0. Counted in logarithms of the
        ratio and told as a saving: where old once took three times as long as old, a saving of 97 % is still no noise.
        """
        slower, faster, value = (-math.log1p(-s) for s in (self.control.low, self.control.high, self.control.value))
        half = (faster - slower) / 2
        return 1 - math.exp(-(half if slower <= 0 <= faster else max(half, abs(value))))

    @property
    def bar(self) -> float:
        """What the interval's lower end has to reach."""
        return max(self.min_saving, self.noise)

    @property
    def faster(self) -> bool:
        """The interval's lower end reaches the bar."""
        return self.saving.low >= self.bar

    @property
    def hopeless(self) -> bool:
        """Not even the interval's upper end reaches the configured bar."""
        return self.saving.high < self.min_saving

    @property
    def too_noisy(self) -> bool:
        """A saving may be there, but the control shows differences as large between old and old."""
        return not self.faster and self.saving.value >= self.min_saving and self.noise > self.min_saving


def bench(
    start: Start, plan: Plan, settings: ProofSettings, rng: random.Random, progress: Callable[[float], None]
) -> Bench:
    """Rounds until the answer is clear, at most `settings.pairs`. Raises CasesVanished and what `start` raises."""
    looks = look_after(settings.pairs)
    confidence = 1 - 0.05 / len(looks)
    done: list[Round] = []
    while True:
        done.append(_round(start, plan, rng))
        progress(len(done) / (settings.pairs + 1))
        if len(done) in looks:
            so_far = summary(done, settings.min_saving, confidence, rng)
            if so_far.faster or so_far.hopeless or len(done) == looks[-1]:
                return so_far


def rounds(start: Start, plan: Plan, count: int, rng: random.Random) -> list[Round]:
    """So many rounds, without a decision. Raises CasesVanished and what `start` raises."""
    return [_round(start, plan, rng) for _ in range(count)]


def look_after(pairs: int) -> list[int]:
    """Numbers of rounds after which the result is looked at: 8, 12, 16, 20 for 20."""
    return sorted({round(FIRST_LOOK + (pairs - FIRST_LOOK) * step / (LOOKS - 1)) for step in range(LOOKS)})


def summary(rounds: Sequence[Round], min_saving: float, confidence: float, rng: random.Random) -> Bench:
    """The intervals over rounds: the round is what is independent."""

    def interval(ratios: Sequence[float]) -> Interval:
        return bootstrap(ratios, median_saving, rng, confidence=confidence)

    saving, control = interval([r.function for r in rounds]), interval([r.control for r in rounds])
    return Bench(tuple(rounds), saving, control, min_saving)


def _round(start: Start, plan: Plan, rng: random.Random) -> Round:
    """Starts all three at once (starting is not measured), then lets them take turns."""
    who = [OLD, NEW, AGAIN]
    rng.shuffle(who)
    with ExitStack() as stack:
        processes = {name: stack.enter_context(start(NEW if name == NEW else OLD)) for name in who}
        times = {name: Times() for name in who}
        _warm_up(processes, times, plan, rng)
        _measure(processes, times, plan, rng)
        for name in who:
            times[name].peak_kb = processes[name].peak_kb()
    return compared(times[OLD], times[NEW], times[AGAIN], plan.entries)


def _warm_up(processes: Mapping[str, Process], times: Mapping[str, Times], plan: Plan, rng: random.Random) -> None:
    """One request of each entry first, then others while there is time."""
    firsts = {plan.entries[request]: request for request in reversed(plan.warmup)}
    others = [request for request in plan.warmup if request not in firsts.values()]
    for place, request in enumerate([*firsts.values(), *others]):
        if place >= len(firsts) and sum(t.cold for t in times.values()) > WARMUP_NS:
            return
        for name in _shuffled(processes, rng):
            times[name].cold += processes[name].send(request)[0]


def _measure(processes: Mapping[str, Process], times: Mapping[str, Times], plan: Plan, rng: random.Random) -> None:
    """The requests in another order in each round, so that all are measured where one round has no time for all."""
    requests = _shuffled(plan.measured, rng)
    spent = 0
    for number in range(MAX_PASSES):
        for place, request in enumerate(requests):
            if spent > MEASURED_NS and (number or place >= MIN_REQUESTS):
                return
            for name in _shuffled(processes, rng):
                wall, calls = processes[name].send(request)
                spent += wall
                times[name].wall.setdefault(request, []).append(wall)
                times[name].function.setdefault(request, []).append(max(sum(calls), 1))
                if number == 0:
                    times[name].calls[request] = len(calls)


def _shuffled(items: Iterable[T], rng: random.Random) -> list[T]:
    chosen = list(items)
    rng.shuffle(chosen)
    return chosen


def compared(old: Times, new: Times, again: Times, entries: Mapping[int, str]) -> Round:
    """One round's ratios. Raises CasesVanished."""
    settled = [request for request in old.calls if old.calls[request] == again.calls[request]]
    if not sum(old.calls.values()) or any(new.calls.get(request) != old.calls[request] for request in settled):
        raise CasesVanished
    sides = [{r: median(side.wall[r]) for r in side.wall} for side in (old, new)]
    by_entry: dict[str, list[int]] = {}
    for request in old.wall:
        by_entry.setdefault(entries[request], []).append(request)
    return Round(
        function=new.total() / old.total(),
        control=again.total() / old.total(),
        first_pass=new.first() / old.first(),
        cold=new.cold / max(old.cold, 1),
        memory=new.peak_kb / old.peak_kb,
        call_ns=(old.per_call(), new.per_call()),
        peak_kb=(old.peak_kb, new.peak_kb),
        walls={e: (sum(sides[0][r] for r in mine), sum(sides[1][r] for r in mine)) for e, mine in by_entry.items()},
        sent={entry: len(mine) for entry, mine in by_entry.items()},
    )

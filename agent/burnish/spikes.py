"""Rare spikes and the one or two conditions that explain them, held to windows in which they were not looked for.

    windows  ▕A▕B▕A▕B▕A▕B▕ …      A: conditions are searched here; B: the one that was chosen is measured here

Any search finds something: with a hundred thresholds tried, the best of them looks good in the windows that it was
chosen from. In the other half only what was chosen is measured, once (and once more where a second condition was
chosen), so that its interval there needs no correction for the number that was tried (Cox 1975, data splitting).
Blocks of neighbouring windows alternate, so that both halves see all of the span.

A condition is a *cause* only if it is settled before the slow time is spent: arguments, the entry, the age of the
process, a note. The number of queries, the size of the result, collector pauses or how many calls run at once may be
why, and may as well follow from it (a slow call has more time for any of them): they are told as companions.

What is slow is given (`slow_ns`). The sensor's own threshold only says how a call was sampled: it moves, and while a
process is young it lies at 1 ms. The rows' weights (`burnish.conditions`) hold for calls on either side of it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from burnish.condition_search import KEPT, Block, grouped, order, search, second, telling
from burnish.conditions import (
    Exemplar,
    Sample,
    Test,
    Weighted,
    quantile,
    tester,
    weigh,
)
from burnish.finding import Interval
from burnish.stats import bootstrap_ratio, ratio_of_sums

_RESAMPLES = 500
BLOCKS = 40
"""Of neighbouring windows; every other one is held back."""
_STILL_NARROWER = 0.7
"""Upper end of the interval of calls (with both ÷ with one condition) in the held-back half."""
_SYMPTOMS = ("result.", "end.", "note.retries.")


def is_symptom(key: str) -> bool:
    """Whether a fact is an outcome of the call, or grows with the time that it takes."""
    return key in ("queries", "gc_ns", "live") or key.startswith(_SYMPTOMS)


@dataclass(frozen=True)
class Explained:
    """What explains the slow calls of a function. Shares and times are those of the held-back half."""

    tests: tuple[Test, ...]
    calls: Interval
    """Share of calls for which they hold (0–1)."""
    slow_time: Interval
    """Share of the time in slow calls (0–1)."""
    excess_ns: Interval
    """Time of those slow calls beyond that of a usual call, ns per call of the function."""
    p50_ns: float
    p99_ns: float
    """Of calls for which they hold."""
    typical_ns: float
    """Mean of the calls that are not slow."""
    support: int
    """Calls that were looked at and for which they hold, in both halves."""
    slow_support: int
    """Slow ones among them in the held-back half."""
    blocks: int
    """Blocks of windows from which these come: those of one block may be one incident."""
    tried: int
    """Single conditions that gained something where they were searched; the pairs are made of these."""
    companions: tuple[Test, ...]
    """Outcomes that mark the slow calls as well."""

    @property
    def lift(self) -> float:
        """Share of the slow time ÷ share of the calls."""
        return self.slow_time.value / self.calls.value if self.calls.value else math.inf


class _Sums(NamedTuple):
    """What adds over rows: calls and slow time; those where the conditions hold; slow time there beyond the usual."""

    calls: float
    time: float
    calls_c: float
    time_c: float
    excess_c: float


def spread(samples: Sequence[Sample], rows: int) -> Sequence[Sample]:
    """Windows drawn at random, in order, so that about `rows` calls are looked at: bounds the time, keeps the span.

    Windows stand for themselves (a weight never reaches beyond its window), so that any even choice of them is fair;
    every so many-th would not be, where the windows of several processes come in turns.
    """
    total = sum(len(sample.exemplars) for sample in samples)
    if total <= rows:
        return samples
    drawn = random.Random(total).sample(range(len(samples)), max(2, len(samples) * rows // total))
    return [samples[i] for i in sorted(drawn)]


def weighted_blocks(samples: Sequence[Sample]) -> list[Block]:
    """Blocks of neighbouring windows, their rows with the number of calls that each stands for.

    Windows of which nothing was kept are represented by the others: weights of each stratum are scaled to all calls.
    Empty where a stratum with calls is not represented at all.
    """
    weighted = [weigh(sample) for sample in samples]
    known = [sum(s.looked.calls - s.looked.slow_calls for s in samples), sum(s.looked.slow_calls for s in samples)]
    sums = [0.0, 0.0]
    for row, weight in chain.from_iterable(weighted):
        sums[row.slow] += weight
    if any(n and not there for n, there in zip(known, sums, strict=True)):
        return []
    scale = [n / there if there else 0.0 for n, there in zip(known, sums, strict=True)]
    size = max(1, math.ceil(len(samples) / BLOCKS))
    return [
        [Weighted(row, weight * scale[row.slow]) for rows in weighted[i : i + size] for row, weight in rows]
        for i in range(0, len(samples), size)
    ]


def explain_spike(samples: Sequence[Sample], slow_ns: float) -> Explained | None:
    """The best condition, or pair of them, with what the held-back half says of it; None where none gains anything.

    `samples` are in order of time. It decides nothing: whether the intervals are convincing is the caller's business.
    """
    blocks = weighted_blocks(samples)
    searched, held_back = blocks[::2], blocks[1::2]
    rows = [row for sample in samples for row in sample.exemplars]
    keys: set[str] = set().union(*(row.facts for row in rows))
    symptoms = {key for key in keys if is_symptom(key)}
    causes = grouped(searched, slow_ns, lambda key: key in symptoms)
    points = search(causes)
    if not points or not held_back:
        return None
    best = max(points, key=order)
    pair = second(causes, points, best)
    tests = best.tests
    if pair is not None and _narrower(held_back, slow_ns, best.tests, pair.tests):
        tests = pair.tests
    companions = search(grouped(searched, slow_ns, lambda key: key not in symptoms))
    return measure(held_back, slow_ns, tests, rows, len(points), telling(companions))


def measure(
    blocks: Sequence[Block],
    slow_ns: float,
    tests: tuple[Test, ...],
    looked_at: Iterable[Exemplar],
    tried: int = 1,
    companions: tuple[Test, ...] = (),
) -> Explained:
    """What blocks of windows say of conditions that were not chosen by them. `looked_at` is counted for the support."""
    usual = [each for block in blocks for each in block if each.row.wall_ns < slow_ns]
    weight = sum(each.weight for each in usual)
    typical = sum(each.weight * each.row.wall_ns for each in usual) / weight if weight else 0.0
    hold = _all(tests)
    there = [[each for each in block if hold(each.row)] for block in blocks]
    slow = [sum(each.row.wall_ns >= slow_ns for each in block) for block in there]
    parts = [_sums(block, some, slow_ns, typical) for block, some in zip(blocks, there, strict=True)]
    rows = [each for block in there for each in block]
    return Explained(
        tests=tests,
        calls=_ratio([(part.calls_c, part.calls) for part in parts]),
        slow_time=_ratio([(part.time_c, part.time) for part in parts]),
        excess_ns=_ratio([(part.excess_c, part.calls) for part in parts]),
        p50_ns=quantile(rows, 0.5),
        p99_ns=quantile(rows, 0.99),
        typical_ns=typical,
        support=sum(map(hold, looked_at)),
        slow_support=sum(slow),
        blocks=sum(n > 0 for n in slow),
        tried=tried,
        companions=companions,
    )


def _all(tests: Sequence[Test]) -> Callable[[Exemplar], bool]:
    """Whether all of the tests hold for a call."""
    one, *more = map(tester, tests)
    return (lambda row: one(row) and all(hold(row) for hold in more)) if more else one


def _sums(block: Block, there: Block, slow_ns: float, typical_ns: float) -> _Sums:
    """`there` are the rows of the block for which the conditions hold."""
    calls = time = calls_c = time_c = excess_c = 0.0
    for row, weight in block:
        calls += weight
        if row.wall_ns >= slow_ns:
            time += weight * row.wall_ns
    for row, weight in there:
        calls_c += weight
        if row.wall_ns >= slow_ns:
            time_c += weight * row.wall_ns
            excess_c += weight * (row.wall_ns - typical_ns)
    return _Sums(calls, time, calls_c, time_c, excess_c)


def _ratio(pairs: Sequence[tuple[float, float]]) -> Interval:
    """By resampling blocks. A draw in which nothing is to be shared says nothing: it takes the value of all."""
    return bootstrap_ratio(pairs, resamples=_RESAMPLES)


def _narrower(blocks: Sequence[Block], slow_ns: float, one: Sequence[Test], both: Sequence[Test]) -> bool:
    """Whether the held-back half agrees that the second condition adds something."""
    hold, hold_both = _all(one), _all(both)
    pairs = []
    for block in blocks:
        some = [each for each in block if hold(each.row)]
        fewer = [each for each in some if hold_both(each.row)]
        pairs.append((_sums(block, some, slow_ns, 0.0), _sums(block, fewer, slow_ns, 0.0)))
    if not ratio_of_sums([(b.time_c, a.time_c) for a, b in pairs]) >= KEPT:
        return False
    return _ratio([(b.calls_c, a.calls_c) for a, b in pairs]).high <= _STILL_NARROWER

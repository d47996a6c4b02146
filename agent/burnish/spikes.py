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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from burnish.conditions import (
    AT_LEAST,
    BELOW,
    IS,
    Exemplar,
    Fact,
    Sample,
    Test,
    Weighted,
    holds,
    interval,
    quantile,
    weigh,
)
from burnish.job import Interval

BLOCKS = 40
"""Of neighbouring windows; every other one is held back."""
_PAIRED = 14
"""Conditions that are tried two by two: 91 pairs."""
_KEPT, _NARROWER = 0.9, 0.5
"""A second condition has to keep so much of the slow time and to halve the calls at least, where they are searched."""
_STILL_NARROWER = 0.7
"""Upper end of the interval of calls (with both ÷ with one condition) in the held-back half."""
_SYMPTOMS = ("result.", "end.", "note.retries.")


def is_symptom(key: str) -> bool:
    """Whether a fact is an outcome of the call, or grows with the time that it takes."""
    return key in ("queries", "gc_ns", "live") or key.startswith(_SYMPTOMS)


def sentence(test: Test) -> str:
    """`arg.items.size ≥ 512`."""
    key, relation, value = test
    return f"{key} {relation} {str(value).lower() if isinstance(value, bool) else value}"


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


class _Group(NamedTuple):
    """Rows with the same facts: the calls that they stand for, and the slow time."""

    facts: dict[str, Fact]
    calls: float
    time: float


class _Point(NamedTuple):
    """A candidate and its shares in the half that is searched."""

    tests: tuple[Test, ...]
    calls: float
    time: float

    @property
    def gain(self) -> float:
        return self.time - self.calls


Block = list[Weighted]


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
    for row, weight in (each for rows in weighted for each in rows):
        sums[row.slow] += weight
    if any(n and not there for n, there in zip(known, sums, strict=True)):
        return []
    scale = [n / there if there else 0.0 for n, there in zip(known, sums, strict=True)]
    size = max(1, math.ceil(len(samples) / BLOCKS))
    return [
        [Weighted(row, weight * scale[row.slow]) for rows in weighted[i : i + size] for row, weight in rows]
        for i in range(0, len(samples), size)
    ]


def explain_spike(samples: Sequence[Sample], slow_ns: float, rng: random.Random) -> Explained | None:
    """The best condition, or pair of them, with what the held-back half says of it; None where none gains anything.

    `samples` are in order of time. It decides nothing: whether the intervals are convincing is the caller's business.
    """
    blocks = weighted_blocks(samples)
    searched, held_back = blocks[::2], blocks[1::2]
    symptoms = {key for sample in samples for row in sample.exemplars for key in row.facts if is_symptom(key)}
    causes = _grouped(searched, slow_ns, lambda key: key in symptoms)
    points = _search(causes)
    if not points or not held_back:
        return None
    best = max(points, key=_order)
    pair = _second(causes, points, best)
    tests = best.tests
    if pair is not None and _narrower(held_back, slow_ns, best.tests, pair.tests, rng):
        tests = pair.tests
    companions = _search(_grouped(searched, slow_ns, lambda key: key not in symptoms))
    rows = [row for sample in samples for row in sample.exemplars]
    return measure(held_back, slow_ns, tests, rng, rows, len(points), _telling(companions))


def measure(
    blocks: Sequence[Block],
    slow_ns: float,
    tests: tuple[Test, ...],
    rng: random.Random,
    looked_at: Iterable[Exemplar],
    tried: int = 1,
    companions: tuple[Test, ...] = (),
) -> Explained:
    """What blocks of windows say of conditions that were not chosen by them. `looked_at` is counted for the support."""
    usual = [each for block in blocks for each in block if each.row.wall_ns < slow_ns]
    weight = sum(each.weight for each in usual)
    typical = sum(each.weight * each.row.wall_ns for each in usual) / weight if weight else 0.0
    there = [[each for each in block if _all_hold(tests, each.row)] for block in blocks]
    slow = [sum(each.row.wall_ns >= slow_ns for each in block) for block in there]
    parts = [_sums(block, slow_ns, tests, typical) for block in blocks]
    rows = [each for block in there for each in block]
    return Explained(
        tests=tests,
        calls=interval(parts, _share_of_calls, rng),
        slow_time=interval(parts, _share_of_time, rng),
        excess_ns=interval(parts, _excess, rng),
        p50_ns=quantile(rows, 0.5),
        p99_ns=quantile(rows, 0.99),
        typical_ns=typical,
        support=sum(_all_hold(tests, row) for row in looked_at),
        slow_support=sum(slow),
        blocks=sum(n > 0 for n in slow),
        tried=tried,
        companions=companions,
    )


def _all_hold(tests: Sequence[Test], row: Exemplar) -> bool:
    return all(holds(*test, row) for test in tests)


def _sums(block: Block, slow_ns: float, tests: Sequence[Test], typical_ns: float) -> _Sums:
    calls = time = calls_c = time_c = excess_c = 0.0
    for row, weight in block:
        slow = row.wall_ns >= slow_ns
        calls += weight
        time += weight * row.wall_ns * slow
        if _all_hold(tests, row):
            calls_c += weight
            time_c += weight * row.wall_ns * slow
            excess_c += weight * (row.wall_ns - typical_ns) * slow
    return _Sums(calls, time, calls_c, time_c, excess_c)


def _share_of_calls(parts: Sequence[_Sums]) -> float:
    return _ratio(sum(part.calls_c for part in parts), sum(part.calls for part in parts))


def _share_of_time(parts: Sequence[_Sums]) -> float:
    return _ratio(sum(part.time_c for part in parts), sum(part.time for part in parts))


def _excess(parts: Sequence[_Sums]) -> float:
    return _ratio(sum(part.excess_c for part in parts), sum(part.calls for part in parts))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _order(point: _Point) -> tuple[float, str]:
    return point.gain, " ".join(sentence(test) for test in point.tests)


def _grouped(blocks: Iterable[Block], slow_ns: float, skip: Callable[[str], bool]) -> list[_Group]:
    found: dict[tuple[object, ...], list[float]] = {}
    kept: dict[tuple[object, ...], dict[str, Fact]] = {}
    for row, weight in (each for block in blocks for each in block):
        facts: dict[str, Fact] = {key: fact for key, fact in row.facts.items() if not skip(key)}
        if not skip("entry"):
            facts["entry"] = row.entry
        name = tuple((key, type(fact), fact) for key, fact in facts.items())
        sums = found.setdefault(name, [0.0, 0.0])
        sums[0] += weight
        sums[1] += weight * row.wall_ns * (row.wall_ns >= slow_ns)
        kept.setdefault(name, facts)
    return [_Group(kept[name], *sums) for name, sums in found.items()]


def _search(groups: Sequence[_Group]) -> list[_Point]:
    """All single conditions that gain something: every class, and every threshold between two size classes."""
    calls, time = _total((group.calls, group.time) for group in groups)
    if not time:
        return []
    values: dict[str, dict[tuple[bool, Fact], tuple[float, float]]] = {}
    for group in groups:
        for key, fact in group.facts.items():
            known, name = values.setdefault(key, {}), (type(fact) is int, fact)
            known[name] = _total((known.get(name, (0.0, 0.0)), (group.calls, group.time)))
    tests = (found for key in sorted(values) for found in _thresholds(key, values[key]))
    points = (_Point((test,), some / calls, slow / time) for test, (some, slow) in tests)
    return [point for point in points if point.gain > 0]


def _thresholds(
    key: str, values: dict[tuple[bool, Fact], tuple[float, float]]
) -> Iterator[tuple[Test, tuple[float, float]]]:
    sizes = sorted((int(value), sums) for (is_size, value), sums in values.items() if is_size)
    for i, (size, (_, time)) in enumerate(sizes):
        if time:
            yield (key, AT_LEAST, size), _total(sums for _, sums in sizes[i:])
            yield (key, BELOW, max(1, 2 * size)), _total(sums for _, sums in sizes[: i + 1])
    for (is_size, value), sums in values.items():
        if not is_size and sums[1]:
            yield (key, IS, value), sums


def _total(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    calls = time = 0.0
    for one, two in pairs:
        calls, time = calls + one, time + two
    return calls, time


def _second(groups: Sequence[_Group], points: Sequence[_Point], best: _Point) -> _Point | None:
    """The narrowest pair that keeps the slow time of the best single condition and halves its calls."""
    floor = _KEPT * best.time
    able = sorted((p for p in points if p.time >= floor), key=lambda p: (p.calls, sentence(p.tests[0])))[:_PAIRED]
    calls, time = _total((group.calls, group.time) for group in groups)
    there = {p.tests[0]: {i for i, group in enumerate(groups) if _in(p.tests[0], group.facts)} for p in able}
    found = []
    for one, two in combinations(there, 2):
        if one[:2] != two[:2]:
            some, slow = _total((groups[i].calls, groups[i].time) for i in there[one] & there[two])
            found.append(_Point((one, two), some / calls, slow / time))
    found = [pair for pair in found if pair.time >= floor and pair.calls <= _NARROWER * best.calls]
    return min(found, key=lambda pair: (pair.calls, -pair.time, _order(pair)[1]), default=None)


def _in(test: Test, facts: dict[str, Fact]) -> bool:
    key, relation, value = test
    fact = facts.get(key)
    if relation == IS:
        return fact == value and type(fact) is type(value)
    if type(fact) is not int:
        return False
    return fact >= int(value) if relation == AT_LEAST else fact < int(value)


def _narrower(
    blocks: Sequence[Block], slow_ns: float, one: Sequence[Test], both: Sequence[Test], rng: random.Random
) -> bool:
    """Whether the held-back half agrees that the second condition adds something."""
    pairs = [(_sums(block, slow_ns, one, 0.0), _sums(block, slow_ns, both, 0.0)) for block in blocks]
    if not _share_of_time([b for _, b in pairs]) >= _KEPT * _share_of_time([a for a, _ in pairs]):
        return False

    def narrowed(drawn: Sequence[tuple[_Sums, _Sums]]) -> float:
        return _ratio(sum(b.calls_c for _, b in drawn), sum(a.calls_c for a, _ in drawn))

    return interval(pairs, narrowed, rng).high <= _STILL_NARROWER


def _telling(points: Sequence[_Point]) -> tuple[Test, ...]:
    """Of each outcome the best threshold, where it marks at least half of the slow time and thrice its share of it."""
    best: dict[str, _Point] = {}
    for point in points:
        key = point.tests[0][0]
        if point.time >= 0.5 and point.time >= 3 * point.calls and point.gain > best.get(key, _NONE).gain:
            best[key] = point
    return tuple(best[key].tests[0] for key in sorted(best))


_NONE = _Point((), 1.0, 0.0)

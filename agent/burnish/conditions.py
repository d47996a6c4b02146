"""Under which condition a function is slow: estimated from the exemplars of its calls and the counts beside them.

What the sensor keeps of a window is a two-phase sample (`docs/format.md`): of the slow calls, whose number S is known,
a simple random sample; of all N calls an even one. Calls are put into the two strata *slow* and *not slow*. A slow row
of either sample stands for S / (slow rows) calls, any other for (N − S) / (other rows): the Horvitz–Thompson weights of
the sample stratified after it was drawn (Horvitz & Thompson 1952; Särndal, Swensson & Wretman 1992, ch. 7.6 and 9).
Where the sensor recorded only some calls, a row counts `rate` times in this. Over windows the weights are summed, and
scaled to the known numbers of calls, so that a window of which nothing was kept is represented by the others.

Intervals are percentile bootstrap intervals over blocks of consecutive windows: calls of one moment share its weather.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from burnish.finding import Interval
from burnish.stats import bootstrap

Fact = bool | int | str
_Count = Annotated[int, Field(ge=0, le=10**12)]
Test = tuple[str, str, Fact]
"""Key, relation and value: `("arg.items.size", "≥", 512)`."""
T = TypeVar("T")
_BLOCKS = 60
_RESAMPLES = 500
AT_LEAST, BELOW, IS = "≥", "<", "="


class Exemplar(NamedTuple):
    """One call that was looked at; `facts` are classes, never values; a recorded call stands for `rate` calls.

    A plain tuple, as there are thousands of a function that is looked at; who reads them from outside checks them.
    """

    function: str
    sample: str
    slow: bool
    wall_ns: int
    own_ns: int = 0
    entry: str = ""
    facts: Mapping[str, Fact] = MappingProxyType({})
    rate: float = 1.0


class Looked(BaseModel):
    """How many calls a function had in one window, and how many of them were looked at; not fairly if `hurried`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    function: str
    calls: _Count
    slow_ns: _Count = 0
    slow_calls: _Count = 0
    slow_kept: _Count = 0
    uniform_every: _Count = 0
    uniform_seen: _Count = 0
    uniform_kept: _Count = 0
    rate: float = 1.0
    hurried: bool = False


@dataclass(frozen=True)
class Sample:
    """What one window says of one function."""

    looked: Looked
    exemplars: tuple[Exemplar, ...]
    start_unix_ns: int = 0


@dataclass(frozen=True)
class Condition:
    """A fact with its share of the calls and of the time in slow calls (0–1), and wall times where it holds, in ns."""

    key: str
    relation: str
    value: Fact
    calls: Interval
    slow_time: Interval
    p50_ns: float
    p99_ns: float

    @property
    def text(self) -> str:
        """`arg.items.size ≥ 512`."""
        return f"{self.key} {self.relation} {self.value}"

    def holds(self, row: Exemplar) -> bool:
        """Whether it holds for a call."""
        return holds(self.key, self.relation, self.value, row)


class _Sums(NamedTuple):
    """What adds over windows; `*_c`: of the calls for which the condition holds."""

    slow: float
    other: float
    slow_weight: float
    other_weight: float
    slow_weight_c: float
    other_weight_c: float
    time: float
    time_c: float


class Weighted(NamedTuple):
    """A row and the number of calls that it stands for."""

    row: Exemplar
    weight: float


def explain(samples: Sequence[Sample], rng: random.Random, most: int = 5) -> tuple[Condition, ...]:
    """The conditions of one function that explain its slow calls, the best first.

    Ranked by share of the slow time minus share of the calls, the best threshold of each fact; left out is what could
    be chance: the interval of the first must lie above that of the second. `samples` are in order of time. Fewer than
    two windows, or none in which calls were slow, explain nothing.
    """
    weighted = [weigh(sample) for sample in samples]
    points: list[tuple[float, Test]] = []
    for _, group in groupby(sorted(_candidates(weighted), key=_by_key), key=lambda c: (c[0], c[1])):
        best = max(((_gain(samples, weighted, c), c) for c in group), key=lambda point: point[0])
        if best[0] > 0:
            points.append(best)
    points.sort(key=lambda point: (-point[0], point[1][0], point[1][1]))
    found = (_condition(samples, weighted, candidate, rng) for _, candidate in points[: 2 * most])
    return tuple(condition for condition in found if condition.slow_time.low > condition.calls.high)[:most]


def share_of_calls(samples: Sequence[Sample], key: str, relation: str, value: Fact) -> float:
    """The estimated share of all calls for which a condition holds; NaN where nothing is known."""
    weighted = [weigh(sample) for sample in samples]
    return _share_of_calls([_sums(s, w, (key, relation, value)) for s, w in zip(samples, weighted, strict=True)])


def weigh(sample: Sample) -> list[Weighted]:
    """The rows with the number of calls that each stands for; none of a window whose sample is not a fair one."""
    looked = sample.looked
    if looked.hurried:
        return []
    slow = [row for row in sample.exemplars if row.slow]
    other = [row for row in sample.exemplars if not row.slow]
    found = []
    for rows, calls in ((slow, looked.slow_calls), (other, looked.calls - looked.slow_calls)):
        rates = sum(row.rate for row in rows)
        found += [Weighted(row, calls * row.rate / rates) for row in rows]
    return found


def _candidates(weighted: Iterable[list[Weighted]]) -> set[Test]:
    """Every condition that holds for a slow call: a class, or a threshold between two size classes."""
    found: set[Test] = set()
    for row in (row for rows in weighted for row, _ in rows if row.slow):
        for key, fact in (*row.facts.items(), ("entry", row.entry)):
            if type(fact) is int:
                found |= {(key, AT_LEAST, fact), (key, BELOW, max(1, 2 * fact))}
            else:
                found.add((key, IS, fact))
    return found


def _by_key(candidate: Test) -> tuple[str, str, str]:
    key, relation, value = candidate
    return key, relation, f"{value:020}" if type(value) is int else str(value)


def holds(key: str, relation: str, value: Fact, row: Exemplar) -> bool:
    """Whether a test holds for a call; the key `entry` is the entry's name."""
    return tester((key, relation, value))(row)


def tester(test: Test) -> Callable[[Exemplar], bool]:
    """The same for many calls: what depends on the test only is looked at once."""
    key, relation, value = test
    kind = type(value)
    if key == "entry":
        return lambda row: relation == IS and row.entry == value
    if relation == IS:
        return lambda row: (fact := row.facts.get(key)) == value and type(fact) is kind
    if type(value) is not int:
        return lambda row: False
    bound = value
    if relation == AT_LEAST:
        return lambda row: type(fact := row.facts.get(key)) is int and fact >= bound
    return lambda row: type(fact := row.facts.get(key)) is int and fact < bound


def _sums(sample: Sample, rows: Iterable[Weighted], condition: Test) -> _Sums:
    weights = [[0.0, 0.0], [0.0, 0.0]]
    times = [0.0, 0.0]
    there = tester(condition)
    for row, weight in rows:
        for index in (0, 1) if there(row) else (0,):
            weights[index][row.slow] += weight
            times[index] += weight * row.wall_ns * row.slow
    looked, (every, some) = sample.looked, weights
    other = float(looked.calls - looked.slow_calls)
    return _Sums(looked.slow_calls, other, every[1], every[0], some[1], some[0], times[0], times[1])


def _added(sums: Iterable[_Sums]) -> _Sums:
    return _Sums(*map(sum, zip(*sums, strict=True)))


def _share_of_calls(sums: Sequence[_Sums]) -> float:
    """The strata's shares, each in proportion to its known number of calls; NaN if one is not represented."""
    total = _added(sums)
    if (total.slow and not total.slow_weight) or (total.other and not total.other_weight):
        return math.nan
    slow = total.slow * total.slow_weight_c / total.slow_weight if total.slow else 0.0
    other = total.other * total.other_weight_c / total.other_weight if total.other else 0.0
    return (slow + other) / (total.slow + total.other) if total.slow + total.other else math.nan


def _share_of_slow_time(sums: Sequence[_Sums]) -> float:
    total = _added(sums)
    return total.time_c / total.time if total.time else math.nan


def _gain(samples: Sequence[Sample], weighted: Sequence[list[Weighted]], condition: Test) -> float:
    sums = [_sums(sample, rows, condition) for sample, rows in zip(samples, weighted, strict=True)]
    gain = _share_of_slow_time(sums) - _share_of_calls(sums)
    return -1.0 if math.isnan(gain) else gain


def _condition(
    samples: Sequence[Sample],
    weighted: Sequence[list[Weighted]],
    condition: Test,
    rng: random.Random,
) -> Condition:
    sums = [_sums(sample, rows, condition) for sample, rows in zip(samples, weighted, strict=True)]
    blocks, condition_holds = list(_blocks(sums)), tester(condition)
    there = [each for rows in weighted for each in rows if condition_holds(each.row)]
    return Condition(
        *condition,
        calls=interval(blocks, _share_of_calls, rng),
        slow_time=interval(blocks, _share_of_slow_time, rng),
        p50_ns=quantile(there, 0.5),
        p99_ns=quantile(there, 0.99),
    )


def interval(blocks: Sequence[T], share: Callable[[Sequence[T]], float], rng: random.Random) -> Interval:
    """By resampling blocks. A draw in which a stratum is not represented says nothing: it takes the value of all."""
    known = share(blocks)
    return bootstrap(blocks, lambda drawn: _or(share(drawn), known), rng, resamples=_RESAMPLES)


def _or(value: float, instead: float) -> float:
    return instead if math.isnan(value) else value


def _blocks(sums: Sequence[_Sums]) -> Iterator[_Sums]:
    """At most 60 sums of consecutive windows."""
    size = math.ceil(len(sums) / _BLOCKS)
    for start in range(0, len(sums), size):
        yield _added(sums[start : start + size])


def quantile(rows: Sequence[Weighted], q: float) -> float:
    """The wall time below which a share `q` of the calls lies that the rows stand for."""
    left = q * sum(weight for _, weight in rows)
    for row, weight in sorted(rows, key=_wall_ns):
        left -= weight
        if left <= 0:
            return float(row.wall_ns)
    return float(max((row.wall_ns for row, _ in rows), default=0))


def _wall_ns(each: Weighted) -> int:
    return each.row.wall_ns

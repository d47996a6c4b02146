"""The search for conditions that mark slow calls: single ones, and pairs that are narrower.

Rows with the same facts are summed first, so that the time grows with the rows once and not with the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from burnish.conditions import AT_LEAST, BELOW, IS, Fact, Test, Weighted

Block = list[Weighted]
"""Rows of neighbouring windows with their weights."""
_PAIRED = 14
"""Conditions that are tried two by two: 91 pairs."""
KEPT, _NARROWER = 0.9, 0.5
"""A second condition has to keep so much of the slow time and to halve the calls at least, where they are searched."""


def sentence(test: Test) -> str:
    """`arg.items.size ≥ 512`."""
    key, relation, value = test
    return f"{key} {relation} {str(value).lower() if isinstance(value, bool) else value}"


class Group(NamedTuple):
    """Rows with the same facts: the calls that they stand for, and the slow time."""

    facts: dict[str, Fact]
    calls: float
    time: float


class Point(NamedTuple):
    """A candidate and its shares in the half that is searched."""

    tests: tuple[Test, ...]
    calls: float
    time: float

    @property
    def gain(self) -> float:
        """Share of the slow time minus share of the calls."""
        return self.time - self.calls


def order(point: Point) -> tuple[float, str]:
    """By gain; names decide between equals."""
    return point.gain, " ".join(sentence(test) for test in point.tests)


def grouped(blocks: Iterable[Block], slow_ns: float, skip: Callable[[str], bool]) -> list[Group]:
    """Rows by their facts, without those whose key `skip` says; the entry counts as a fact."""
    sums: dict[tuple[object, ...], list[float]] = {}
    kept: dict[tuple[object, ...], dict[str, Fact]] = {}
    by_row: dict[tuple[object, ...], list[float]] = {}  # rows are much alike: what to skip is asked once for each kind
    for row, weight in chain.from_iterable(blocks):
        kind = (*row.facts.items(), *map(type, row.facts.values()), row.entry)
        group = by_row.get(kind)
        if group is None:
            facts: dict[str, Fact] = {key: fact for key, fact in row.facts.items() if not skip(key)}
            if not skip("entry"):
                facts["entry"] = row.entry
            name = tuple((key, type(fact), fact) for key, fact in facts.items())
            group = by_row[kind] = sums.setdefault(name, [0.0, 0.0])
            kept.setdefault(name, facts)
        group[0] += weight
        if row.wall_ns >= slow_ns:
            group[1] += weight * row.wall_ns
    return [Group(kept[name], *found) for name, found in sums.items()]


def search(groups: Sequence[Group]) -> list[Point]:
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
    points = (Point((test,), some / calls, slow / time) for test, (some, slow) in tests)
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


def second(groups: Sequence[Group], points: Sequence[Point], best: Point) -> Point | None:
    """The narrowest pair that keeps the slow time of the best single condition and halves its calls."""
    floor = KEPT * best.time
    able = sorted((p for p in points if p.time >= floor), key=lambda p: (p.calls, sentence(p.tests[0])))[:_PAIRED]
    calls, time = _total((group.calls, group.time) for group in groups)
    there = {p.tests[0]: {i for i, group in enumerate(groups) if _in(p.tests[0], group.facts)} for p in able}
    found = []
    for one, two in combinations(there, 2):
        if one[:2] != two[:2]:
            some, slow = _total((groups[i].calls, groups[i].time) for i in there[one] & there[two])
            found.append(Point((one, two), some / calls, slow / time))
    found = [pair for pair in found if pair.time >= floor and pair.calls <= _NARROWER * best.calls]
    return min(found, key=lambda pair: (pair.calls, -pair.time, order(pair)[1]), default=None)


def _in(test: Test, facts: dict[str, Fact]) -> bool:
    key, relation, value = test
    fact = facts.get(key)
    if relation == IS:
        return fact == value and type(fact) is type(value)
    if type(fact) is not int:
        return False
    return fact >= int(value) if relation == AT_LEAST else fact < int(value)


def telling(points: Sequence[Point]) -> tuple[Test, ...]:
    """Of each outcome the best threshold, where it marks at least half of the slow time and thrice its share of it."""
    best: dict[str, Point] = {}
    for point in points:
        key = point.tests[0][0]
        if point.time >= 0.5 and point.time >= 3 * point.calls and point.gain > best.get(key, _NONE).gain:
            best[key] = point
    return tuple(best[key].tests[0] for key in sorted(best))


_NONE = Point((), 1.0, 0.0)

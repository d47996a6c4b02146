"""Hours of the week that are slow again and again: found by counting, so that no shape of the noise is assumed.

    usual      the median of the hours around an hour (three days before to three days after)
    slow       a mean time of `times` the usual; a share p of all other hours is slow as well, for whatever reason
    recurring  k of the n hours of one slot are slow, which by chance has the probability P(≥ k | n, p)

Slots are the hours of the day, the hours of the week, and the days of the week, of which a whole day is the unit (the
hours of one day share its weather). These are 199, so that 199 × the probability has to stay small (Bonferroni).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

HOUR_NS = 3_600_000_000_000
_AROUND = 72
_LEAST_AROUND = 24
_MOSTLY = 0.75
"""Part of the recurrences that has to be slow."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Hour(NamedTuple):
    """One hour: its number since 1970, calls, their mean time, and the usual one (ns)."""

    number: int
    calls: int
    mean_ns: float
    usual_ns: float

    @property
    def excess_ns(self) -> float:
        """Time beyond the usual one."""
        return (self.mean_ns - self.usual_ns) * self.calls


class Slot(NamedTuple):
    """Hours that recur and are slow; `slow` of `times` recurrences."""

    name: str
    hours: tuple[Hour, ...]
    slow: int
    times: int
    chance: float
    """Probability of this by chance, times the slots that were tried."""


class _Family(NamedTuple):
    unit: Callable[[int], int]
    """From the number of an hour to that of what recurs."""
    slot: Callable[[int], int]
    """Of a unit."""
    name: Callable[[int], str]


_FAMILIES = (
    _Family(lambda hour: hour, lambda hour: hour % 24, lambda slot: f"every day at {slot:02d}:00 UTC"),
    _Family(lambda hour: hour // 24, lambda day: (day + 3) % 7, lambda slot: f"every {_DAYS[slot]} (UTC)"),
    _Family(
        lambda hour: hour,
        lambda hour: (hour + 72) % 168,  # January 1, 1970 was a Thursday
        lambda slot: f"every {_DAYS[slot // 24]} at {slot % 24:02d}:00 UTC",
    ),
)


def with_usual(times: Mapping[int, tuple[int, float]], min_calls: int) -> list[Hour]:
    """From (calls, ns) by number of the hour; what has few calls, or few hours around it, is left out."""
    known = [(number, ns / calls) for number, (calls, ns) in sorted(times.items()) if calls >= min_calls]
    found, around, first, after = [], list[float](), 0, 0
    for number, mean in known:
        while after < len(known) and known[after][0] <= number + _AROUND:
            insort(around, known[after][1])
            after += 1
        while known[first][0] < number - _AROUND:
            del around[bisect_left(around, known[first][1])]
            first += 1
        if len(around) > _LEAST_AROUND:
            found.append(Hour(number, times[number][0], mean, _median_without(around, mean)))
    return found


def _median_without(ordered: Sequence[float], one: float) -> float:
    """The median of ordered values but one of them."""
    left_out, middle = bisect_left(ordered, one), (len(ordered) - 1) // 2
    upper = ordered[middle + (middle >= left_out)]
    lower = ordered[middle - 1 + (middle - 1 >= left_out)]
    return upper if len(ordered) % 2 == 0 else (lower + upper) / 2


def slow_slots(hours: Sequence[Hour], *, times: float, recurrences: int, chance: float) -> list[Slot]:
    """Slots that are slow in at least so many recurrences; what explains the most hours first, each hour once."""
    found: list[Slot] = []
    taken: set[int] = set()
    tried = sum(len({family.slot(family.unit(hour.number)) for hour in hours}) for family in _FAMILIES)
    for family in _FAMILIES:
        units: dict[int, list[Hour]] = {}
        for hour in hours:
            units.setdefault(family.unit(hour.number), []).append(hour)
        slow = {unit: _is_slow(members, times) for unit, members in units.items()}
        for slot, members in _by_slot(units, family).items():
            k, n = sum(slow[unit] for unit in members), len(members)
            rest = (sum(slow.values()) - k + 1) / (len(units) - n + 2)
            luck = min(1.0, tried * by_chance(k, n, rest))
            there = tuple(hour for unit in members for hour in units[unit])
            if k >= max(recurrences, _MOSTLY * n) and luck <= chance and not taken & {h.number for h in there}:
                found.append(Slot(family.name(slot), there, k, n, luck))
                taken |= {hour.number for hour in there}
    return found


def _is_slow(hours: Sequence[Hour], times: float) -> bool:
    return sum(hour.mean_ns >= times * hour.usual_ns for hour in hours) * 2 > len(hours)


def _by_slot(units: Mapping[int, object], family: _Family) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for unit in sorted(units):
        groups.setdefault(family.slot(unit), []).append(unit)
    return dict(sorted(groups.items()))


def by_chance(k: int, n: int, p: float) -> float:
    """The probability of at least `k` of `n` where each is independent and has the probability `p`."""
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))

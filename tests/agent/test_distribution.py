"""Distributions before and after, in ms."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from burnish.distribution import Hour, Shift, shift
from burnish.histogram import Histogram


def hours(n: int, mean: float, seed: int, entry: str = "e", calls: int = 200, tail: float = 0) -> list[Hour]:
    rng = random.Random(seed)
    drawn = []
    for _ in range(n):
        weather = rng.lognormvariate(0, 0.03)
        values = [
            mean * weather * rng.lognormvariate(0, 0.4) + (tail if rng.random() < 0.02 else 0) for _ in range(calls)
        ]
        drawn.append({entry: Histogram.of(values)})
    return drawn


def seen(before: Sequence[Hour], after: Sequence[Hour]) -> Shift:
    found = shift(before, after, random.Random(1))
    assert found is not None
    return found


def test_every_call_slower() -> None:
    found = seen(hours(20, 10, 1), hours(20, 15, 2))
    assert [q.moved for q in found.quantiles] == [True, True, True]
    assert found.distance_ns == pytest.approx(5 * 1.083, rel=0.1)
    assert found.distance_ns > 3 * found.by_chance_ns


def test_only_the_tail() -> None:
    found = seen(hours(20, 10, 1), hours(20, 10, 2, tail=100))
    assert [q.moved for q in found.quantiles] == [False, False, True]
    assert found.distance_ns > found.by_chance_ns


def test_nothing() -> None:
    found = seen(hours(20, 10, 1), hours(20, 10, 2))
    assert not any(q.moved for q in found.quantiles)
    assert found.distance_ns < 1.5 * found.by_chance_ns


def test_another_mix_is_no_shift() -> None:
    def mixed(cheap: int, dear: int, seed: int) -> list[Hour]:
        pairs = zip(hours(10, 5, seed, "cheap", cheap), hours(10, 50, seed + 1, "dear", dear), strict=True)
        return [{**one, **two} for one, two in pairs]

    found = seen(mixed(300, 100, 1), mixed(100, 300, 3))
    assert not found.quantiles[0].moved
    assert found.distance_ns < 3


def test_too_little_is_none() -> None:
    assert shift(hours(1, 10, 1), hours(5, 10, 2), random.Random(1)) is None
    assert shift(hours(5, 10, 1), hours(5, 10, 2, entry="other"), random.Random(1)) is None
    assert shift([{}, {}], [{}, {}], random.Random(1)) is None

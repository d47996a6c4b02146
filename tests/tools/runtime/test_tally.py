"""Sums of histograms in their compact form, against the plain ones."""

from __future__ import annotations

import random

import pytest

from burnish.histogram import Histogram, merged
from burnish_tools.runtime.tally import Tally

RNG = random.Random(7)
CASES = [
    [],
    [0.0, 0.0],
    [1.0],
    [1e-9, 5e12],
    [RNG.lognormvariate(14, 2) for _ in range(300)],
    [3.0] * 300,
    [3.0] * 70_000,
]


@pytest.mark.parametrize("values", CASES, ids=len)
def test_packing_keeps_everything(values: list[float]) -> None:
    histogram = Histogram.of(values)
    tally = Tally().add(histogram)
    assert tally.histogram() == histogram
    assert Tally().add_packed(tally.packed()).histogram() == histogram


def test_sums_are_exact_in_any_order() -> None:
    parts = [Histogram.of(values, scale) for values in CASES for scale in (3, 4, 2)]
    expected = merged(parts)
    for _ in range(5):
        RNG.shuffle(parts)
        total = Tally()
        for number, part in enumerate(parts):
            one = Tally().add(part)
            total = total.add_packed(one.packed()) if number % 2 else total.add_tally(one)
        assert total.histogram().model_copy(update={"sum": 0}) == expected.model_copy(update={"sum": 0})
        assert total.histogram().sum == pytest.approx(expected.sum)


def test_adding_leaves_the_added_one_as_it_was() -> None:
    one, other = Tally().add(Histogram.of([1, 2])), Tally().add(Histogram.of([4], scale=1))
    one.add_tally(other)
    assert other.histogram() == Histogram.of([4], scale=1)
    assert one.histogram().scale == 1

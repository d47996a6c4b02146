from __future__ import annotations

import random

import pytest

from burnish.histogram import Histogram, merged


def test_bucket_boundaries_are_those_of_the_definition() -> None:
    # base = 2 at scale 0: bucket i holds (2^i, 2^(i+1)]
    assert Histogram.of([2.0], scale=0).offset == 0
    assert Histogram.of([2.0001], scale=0).offset == 1
    assert Histogram.of([1.0], scale=0).offset == -1


def test_merging_parts_gives_the_histogram_of_the_whole() -> None:
    rng = random.Random(1)
    values = [rng.lognormvariate(10, 2) for _ in range(500)] + [0.0, 0.0]
    whole = Histogram.of(values)
    parts = merged(Histogram.of(values[i::7]) for i in range(7))
    assert parts.model_copy(update={"sum": 0}) == whole.model_copy(update={"sum": 0})
    assert parts.sum == pytest.approx(whole.sum)


def test_mixed_scales_merge_at_the_coarser_one_exactly() -> None:
    values = [1.5, 3.0, 700.0, 12_345.0]
    assert (Histogram.of(values[:2], scale=5) + Histogram.of(values[2:], scale=2)) == Histogram.of(values, scale=2)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9, 0.99])
def test_a_quantile_is_within_half_a_bucket(q: float) -> None:
    rng = random.Random(2)
    values = sorted(rng.lognormvariate(12, 1) for _ in range(2001))
    true = values[int(q * (len(values) - 1))]
    assert Histogram.of(values).quantile(q) == pytest.approx(true, rel=0.05)


def test_nothing_has_no_mean_and_adds_nothing() -> None:
    some = Histogram.of([4.0])
    assert Histogram().mean == 0
    assert Histogram().quantile(0.5) == 0
    assert Histogram() + some == some == some + Histogram()


def test_zeros_are_below_everything() -> None:
    assert Histogram.of([0, 0, 0, 8]).quantile(0.5) == 0

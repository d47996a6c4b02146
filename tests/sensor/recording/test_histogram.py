from __future__ import annotations

import random
from fractions import Fraction

import pytest

from burnish_sensor.recording.histogram import SCALE, Histogram, apportion, bucket


def in_bucket(value: int, index: int) -> bool:
    """``base**index < value <= base**(index + 1)``, without rounding: both sides to the power of 2**scale."""
    power = Fraction(value) ** (2**SCALE)
    return Fraction(2) ** index < power <= Fraction(2) ** (index + 1)


@pytest.mark.parametrize("value", [1, 2, 3, 4, 5, 8, 9, 255, 256, 257, 1000, 2**40, 2**40 + 1, 10**15])
def test_a_value_is_in_the_bucket_of_the_definition(value: int) -> None:
    assert in_bucket(value, bucket(value))


def test_random_values_are_in_the_bucket_of_the_definition() -> None:
    draw = random.Random(7)
    for _ in range(2_000):
        value = int(2 ** draw.uniform(0, 50)) + draw.randint(0, 2)
        assert in_bucket(value, bucket(value)), value


def test_a_power_of_two_is_the_last_value_of_its_bucket() -> None:
    assert [bucket(2**n) for n in range(4)] == [8 * n - 1 for n in range(4)]
    assert bucket(2**10 + 1) == bucket(2**10) + 1


def test_an_empty_histogram_has_no_minimum() -> None:
    assert Histogram().to_dict() == {"scale": 3, "count": 0, "sum": 0, "zero": 0, "offset": 0, "counts": []}


def test_counts_start_at_the_offset_and_are_dense() -> None:
    histogram = Histogram()
    histogram.extend([4, 8, 8])
    shape = histogram.to_dict()
    assert (shape["offset"], shape["counts"]) == (bucket(4), [1, 0, 0, 0, 0, 0, 0, 0, 2])
    assert (shape["count"], shape["sum"], shape["min"], shape["max"]) == (3, 20, 4, 8)


def test_values_that_are_not_positive_are_zero() -> None:
    histogram = Histogram()
    histogram.extend([0, -5, 3])
    shape = histogram.to_dict()
    assert (shape["zero"], shape["count"], shape["sum"], shape["min"], shape["max"]) == (2, 3, 3, 0, 3)
    assert sum(shape["counts"]) == 1


def test_merging_is_the_same_as_adding_all() -> None:
    draw = random.Random(3)
    values = [draw.randint(0, 10**9) for _ in range(300)]
    whole, left, right = Histogram(), Histogram(), Histogram()
    whole.extend(values)
    left.extend(values[:100])
    right.extend(values[100:])
    left.merge(right)
    left.merge(Histogram())
    assert left.to_dict() == whole.to_dict()


@pytest.mark.parametrize("total", [0, 1, 5, 10, 999, 12_345])
def test_a_scaled_histogram_keeps_its_shape_and_has_the_count_asked_for(total: int) -> None:
    histogram = Histogram()
    histogram.extend([0, 5, 5, 5, 800, 800, 90_000, 90_000, 90_000, 90_000])
    shape = histogram.scaled(total).to_dict()
    assert shape["count"] == shape["zero"] + sum(shape["counts"]) == total
    if total >= 10:
        assert shape["zero"] == pytest.approx(total / 10, abs=1)
        assert shape["counts"][-1] == pytest.approx(total * 0.4, abs=1)
        assert shape["sum"] == pytest.approx(total * 36_161.5, rel=1e-4)


def test_shares_are_by_largest_remainder_with_ties_by_key() -> None:
    assert apportion({1: 1, 2: 1, 3: 1}, 4) == {1: 2, 2: 1, 3: 1}
    assert apportion({1: 6, 2: 3, 3: 1}, 5) == {1: 3, 2: 2, 3: 0}
    assert apportion({}, 5) == {}

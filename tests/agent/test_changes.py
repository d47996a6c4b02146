"""Steps and trends against known numbers, and how often they are wrong."""

from __future__ import annotations

import math
import random

import pytest

from burnish.changes import Point, average, difference, split, student_p, student_quantile, trend


@pytest.mark.parametrize(
    ("t", "freedom", "p"), [(2.2281389, 10, 0.05), (12.7062047, 1, 0.05), (3.8495, 11, 0.0027), (0.0, 5, 1.0)]
)
def test_student_against_the_tables(t: float, freedom: int, p: float) -> None:
    assert student_p(t, freedom) == pytest.approx(p, abs=1e-5)
    if t:
        assert student_quantile(freedom, p) == pytest.approx(t, rel=1e-2)


def test_student_far_out_and_without_end() -> None:
    assert student_p(math.inf, 3) == 0
    assert student_p(30, 100) == pytest.approx(7.3e-52, rel=0.1)


def test_a_difference_of_few_values() -> None:
    seen = difference([1, 2, 3, 2], [5, 6, 5.5])
    assert seen.value == pytest.approx(3.5)
    assert seen.low < 3.5 < seen.high
    assert seen.p < 0.01


def test_what_never_varies_is_certain_and_what_is_alone_is_not() -> None:
    assert difference([3.0] * 5, [4.0] * 5).p == 0
    assert difference([3.0] * 5, [3.0] * 5).p == 1
    assert difference([3.0], [4.0]).p == 1


def walk(rng: random.Random, n: int, rho: float) -> list[float]:
    values, last = [], 0.0
    for _ in range(n):
        last = rho * last + rng.gauss(0, 1)
        values.append(last)
    return values


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_neighbours_that_are_alike_are_no_evidence(rho: float) -> None:
    rng = random.Random(7)
    wrong = sum(difference(values[:80], values[80:]).p < 0.05 for values in (walk(rng, 120, rho) for _ in range(300)))
    assert wrong <= 300 * 0.09


def test_the_interval_of_a_mean_covers_it() -> None:
    rng = random.Random(3)
    seen = [average([rng.gauss(5, 1) for _ in range(20)]) for _ in range(300)]
    assert sum(one.low < 5 < one.high for one in seen) >= 300 * 0.91
    assert average([1.0]).high == math.inf


def test_a_split_is_where_the_values_change() -> None:
    rng = random.Random(1)
    values = [rng.gauss(10, 0.5) for _ in range(14)] + [rng.gauss(12, 0.5) for _ in range(10)]
    found = split(values, 3)
    assert found is not None
    assert found.place == 14
    assert found.difference.p < 1e-4
    assert split(values[:5], 3) is None


def test_noise_is_not_split() -> None:
    rng = random.Random(2)
    found = [split([rng.gauss(10, 1) for _ in range(24)], 3) for _ in range(200)]
    assert sum(one is not None and one.difference.p < 0.05 for one in found) <= 10


def test_a_trend_with_its_slope() -> None:
    rng = random.Random(4)
    seen = trend([Point(x, 10 + 0.2 * x + rng.gauss(0, 0.3), x % 7) for x in range(28)])
    assert seen.low < 0.2 < seen.high
    assert seen.p < 1e-5


def test_a_season_is_no_trend() -> None:
    """Two weeks, slower at the weekend that is at the end."""
    seen = trend([Point(x, (14 if x % 7 >= 5 else 10) + 0.01 * (x * 7 % 5), x % 7 >= 5) for x in range(14)])
    assert seen.p > 0.05
    assert abs(seen.slope) < 0.05


def test_trends_in_noise_are_as_rare_as_stated() -> None:
    rng = random.Random(5)
    wrong = sum(trend([Point(x, rng.gauss(0, 1), x % 7) for x in range(28)]).p < 0.05 for _ in range(400))
    assert wrong <= 400 * 0.06


def test_no_pairs_no_trend() -> None:
    assert trend([]).p == 1
    assert trend([Point(0, 1, 0), Point(1, 2, 1)]).p == 1

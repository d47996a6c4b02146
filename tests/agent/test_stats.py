from __future__ import annotations

import math
import random

import pytest

from burnish.stats import bootstrap, bootstrap_two, median_saving, ratio_of_sums


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(5)
    covered = 0
    for _ in range(200):
        samples = [(rng.gauss(10, 2), 1.0) for _ in range(40)]
        seen = bootstrap(samples, ratio_of_sums, rng, resamples=300)
        covered += seen.low <= 10 <= seen.high
    assert covered >= 176  # 95 % of 200, less three standard errors and the percentile method's small-sample bias


def test_the_same_seed_gives_the_same_interval() -> None:
    samples = [(float(i), 2.0) for i in range(10)]
    one = bootstrap(samples, ratio_of_sums, random.Random("x"))
    assert one == bootstrap(samples, ratio_of_sums, random.Random("x"))


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_samples_promise_nothing(n: int) -> None:
    seen = bootstrap([(1.0, 1.0)] * n, ratio_of_sums, random.Random(1))
    assert (seen.low, seen.high, seen.n) == (-math.inf, math.inf, n)


def test_two_identical_samples_do_not_differ() -> None:
    rng = random.Random(3)
    one = [rng.gauss(10, 1) for _ in range(30)]
    two = [rng.gauss(10, 1) for _ in range(30)]
    seen = bootstrap_two(one, two, lambda a, b: 1 - (sum(b) / len(b)) / (sum(a) / len(a)), rng)
    assert seen.low < 0 < seen.high


def test_a_saving_is_the_median_of_the_ratios() -> None:
    assert median_saving([0.5, 0.25, 0.125]) == pytest.approx(0.75)

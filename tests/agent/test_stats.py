from __future__ import annotations

import math
import random

import pytest

from burnish.stats import bootstrap, bootstrap_ratio, bootstrap_sum, bootstrap_two, median_saving, ratio_of_sums


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


def test_the_fast_sum_and_ratio_say_what_the_bootstrap_says() -> None:
    """Skewed blocks, many of them without a call; both are known to the noise of 2,000 draws."""
    rng = random.Random(11)
    for n in (2, 5, 40, 100):
        pairs = [(c * rng.lognormvariate(2, 1), float(c)) for c in (rng.choice((0, 0, 1, 5, 40)) for _ in range(n))]
        pairs[0] = (30.0, 3.0)
        slow = bootstrap([c for _, c in pairs], sum, rng)
        fast = bootstrap_sum([c for _, c in pairs])
        assert (fast.value, fast.n) == (slow.value, n)
        width = slow.high - slow.low
        assert (fast.low, fast.high) == (
            pytest.approx(slow.low, abs=0.1 * width),
            pytest.approx(slow.high, abs=0.1 * width),
        )


def test_the_fast_ratio_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(5)
    covered = 0
    for _ in range(200):
        calls = [rng.randint(1, 9) for _ in range(40)]
        seen = bootstrap_ratio([(rng.gauss(10 * n, 2 * n), float(n)) for n in calls], resamples=300)
        covered += seen.low <= 10 <= seen.high
    assert covered >= 176


def test_a_draw_without_any_call_takes_the_value_of_all() -> None:
    seen = bootstrap_ratio([(30.0, 3.0), (0.0, 0.0), (0.0, 0.0)])
    assert (seen.value, seen.low, seen.high) == (10, 10, 10)


@pytest.mark.parametrize("n", [0, 1])
def test_the_fast_ones_promise_nothing_of_too_few(n: int) -> None:
    for seen in (bootstrap_sum([2.0] * n), bootstrap_ratio([(1.0, 1.0)] * n)):
        assert (seen.low, seen.high, seen.n) == (-math.inf, math.inf, n)


def test_sums_of_equal_and_of_no_values_are_exact() -> None:
    for value in (0.0, 15.0, 1e18, 3e-9):
        seen = bootstrap_sum([value] * 30)
        assert (seen.value, seen.low, seen.high) == (
            pytest.approx(30 * value),
            pytest.approx(30 * value),
            pytest.approx(30 * value),
        )
    assert bootstrap_sum([15.0] * 30).low == 450

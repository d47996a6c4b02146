"""Ratios on numbers whose answer is known."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest

from evals.bench.sensor.ratios import PLAIN, SENSOR, difference, geometric, median_ratio, pooled, ratio, worst


def rng() -> random.Random:
    return random.Random(1)


def weather(cost: float, count: int = 40) -> list[dict[str, float]]:
    """Rounds on a machine whose speed changes fourfold from round to round, and by 1 % within a round."""
    draw = random.Random(7)
    speeds = [draw.uniform(1, 4) for _ in range(count)]
    return [{PLAIN: s, SENSOR: s * cost * draw.uniform(0.99, 1.01)} for s in speeds]


def test_the_weather_of_a_round_divides_out() -> None:
    seen = ratio(weather(1.05), SENSOR, rng())
    assert seen.low < 1.05 < seen.high
    assert seen.high - seen.low < 0.01
    assert seen.n == 40


def test_more_rounds_make_the_interval_narrower() -> None:
    few, many = (ratio(weather(1.0, count), SENSOR, rng()) for count in (8, 200))
    assert many.high - many.low < few.high - few.low


def test_a_round_that_lacks_a_variant_is_left_out() -> None:
    rounds = [{PLAIN: 1.0, SENSOR: 2.0}, {PLAIN: 1.0}, {PLAIN: 2.0, SENSOR: 4.0}]
    seen = ratio(rounds, SENSOR, rng())
    assert (seen.value, seen.n) == (2.0, 2)


def test_a_variant_that_never_ran_has_no_ratio() -> None:
    assert math.isnan(median_ratio([{PLAIN: 1.0}], SENSOR))
    assert math.isnan(ratio([{PLAIN: 1.0}], SENSOR, rng()).value)


def test_one_round_has_no_interval() -> None:
    assert math.isinf(ratio([{PLAIN: 1.0, SENSOR: 1.5}], SENSOR, rng()).high)


def test_programs_weigh_the_same_in_the_geometric_mean() -> None:
    rounds = [{"long": {PLAIN: 100.0, SENSOR: 200.0}, "short": {PLAIN: 0.1, SENSOR: 0.05}} for _ in range(5)]
    assert geometric(rounds, SENSOR, rng()).value == pytest.approx(1.0)
    assert worst(rounds, SENSOR, rng()).value == 2.0


def test_a_program_that_a_variant_cannot_run_is_not_in_its_mean() -> None:
    rounds = [{"a": {PLAIN: 1.0, SENSOR: 3.0}, "b": {PLAIN: 1.0}} for _ in range(3)]
    assert geometric(rounds, SENSOR, rng()).value == pytest.approx(3.0)


def test_pooled_values_are_compared_as_one_sample() -> None:
    rounds = [{PLAIN: [1.0, 2.0], SENSOR: [2.0, 4.0]}, {PLAIN: [3.0], SENSOR: [6.0]}]
    assert pooled(rounds, SENSOR, median, rng()).value == 2.0


def test_a_difference_keeps_its_unit() -> None:
    assert difference([{PLAIN: 10.0, SENSOR: 12.5}, {PLAIN: 20.0, SENSOR: 22.5}], SENSOR, rng()).value == 2.5

"""The estimator against populations of calls whose truth is known, sampled as `docs/format.md` says."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest

from burnish.conditions import Condition, Exemplar, Fact, Looked, Sample, explain, share_of_calls

KEPT = 8
Call = tuple[int, dict[str, Fact]]


def size_class(n: int) -> int:
    return 1 << (n.bit_length() - 1) if n else 0


def call(rng: random.Random) -> Call:
    """Slow for more than 500 items, which 4 in 1,000 calls have; the rest has a long tail of its own."""
    items = rng.randint(501, 4_000) if rng.random() < 0.004 else rng.randint(0, 500)
    wall = 5_000_000 * rng.lognormvariate(0, 0.5) + (2_000_000_000 if items > 500 else 0)
    return int(wall), {"arg.items.size": size_class(items), "note.plan": rng.choice(["free", "paid"])}


def windows(rng: random.Random, draw: Callable[[random.Random], Call], count: int, calls: int) -> list[list[Call]]:
    return [[draw(rng) for _ in range(rng.randint(calls // 2, calls * 3 // 2))] for _ in range(count)]


def sampled(rng: random.Random, population: list[Call], slow_ns: int, every: int, rate: float = 1.0) -> Sample:
    """What the sensor would write: recorded with probability 1/rate, every slow one counted, at most 8 of each kept."""
    recorded = [each for each in population if rng.random() < 1 / rate]
    slow = [each for each in recorded if each[0] >= slow_ns]
    even, left = [], rng.randint(1, every)
    for each in recorded:
        left -= 1
        if left <= 0:
            even.append(each)
            left = rng.randint(1, 2 * every - 1)
    kept = {"slow": rng.sample(slow, min(KEPT, len(slow))), "uniform": rng.sample(even, min(KEPT, len(even)))}
    rows = tuple(
        Exemplar(function="m:f", sample=kind, slow=wall >= slow_ns, wall_ns=wall, facts=facts, rate=rate)
        for kind, found in kept.items()
        for wall, facts in found
    )
    calls = round(len(recorded) * rate)
    return Sample(
        Looked(function="m:f", calls=calls, slow_ns=slow_ns, slow_calls=min(calls, round(len(slow) * rate))), rows
    )


def truth(population: list[list[Call]], slow_ns: int, condition: Condition) -> tuple[float, float]:
    """The shares of calls and of slow time for which a condition holds."""
    calls = [each for window in population for each in window]
    there = [
        each for each in calls if condition.holds(Exemplar(function="", sample="", slow=0, wall_ns=0, facts=each[1]))
    ]
    times = [sum(wall for wall, _ in some if wall >= slow_ns) for some in (there, calls)]
    return len(there) / len(calls), times[0] / times[1]


@pytest.mark.parametrize("rate", [1.0, 5.0])
def test_a_function_that_is_slow_for_many_items_is_explained_within_the_stated_error(rate: float) -> None:
    rng = random.Random(7)
    covered, errors = [0, 0], []
    for _ in range(6):
        population = windows(rng, call, 50, 300)
        slow_ns = sorted(wall for window in population for wall, _ in window)[-len(population) * 15]
        (best,) = explain([sampled(rng, window, slow_ns, 75, rate) for window in population], rng, most=1)
        assert (best.key, best.relation) == ("arg.items.size", "≥")
        assert best.value in (512, 1024)
        calls, time = truth(population, slow_ns, best)
        covered[0] += best.calls.low <= calls <= best.calls.high
        covered[1] += best.slow_time.low <= time <= best.slow_time.high
        errors.append(best.slow_time.value - time)
        assert 1.5e9 < best.p99_ns < 3e9
    assert min(covered) >= 4
    assert abs(sum(errors) / len(errors)) < 0.05


def test_shares_of_calls_are_unbiased_though_slow_calls_are_sampled_more_often() -> None:
    rng = random.Random(3)
    population = windows(rng, call, 10, 400)
    slow_ns = 12_000_000
    estimates = [
        share_of_calls([sampled(rng, window, slow_ns, 60) for window in population], "arg.items.size", "≥", 256)
        for _ in range(150)
    ]
    true = sum(f["arg.items.size"] >= 256 for w in population for _, f in w) / sum(map(len, population))  # type: ignore[operator]
    mean = sum(estimates) / len(estimates)
    error = math.sqrt(sum((e - mean) ** 2 for e in estimates)) / len(estimates)
    assert abs(mean - true) < 3 * error + 0.002


def test_what_has_nothing_to_do_with_it_explains_nothing() -> None:
    def noise(rng: random.Random) -> Call:
        return int(5e6 * rng.lognormvariate(0, 1)), {"queries": 2 ** rng.randint(0, 6), "first": False}

    rng = random.Random(11)
    false = 0
    for _ in range(10):
        population = windows(rng, noise, 30, 300)
        false += bool(explain([sampled(rng, window, 20_000_000, 60) for window in population], rng))
    assert false <= 1


def fixed(rows: Sequence[Exemplar], calls: int, slow_calls: int) -> list[Sample]:
    return [Sample(Looked(function="m:f", calls=calls, slow_calls=slow_calls), tuple(rows))] * 4


def row(slow: bool, wall_ns: int, **facts: Fact) -> Exemplar:
    return Exemplar(
        function="m:f", entry="GET x", sample="slow" if slow else "uniform", slow=slow, wall_ns=wall_ns, facts=facts
    )


def test_weights_are_calls_by_rows_in_each_stratum() -> None:
    rows = [
        row(True, 100, plan="paid"),
        row(True, 300, plan="free"),
        row(False, 1, plan="free"),
        row(False, 1, plan="free"),
    ]
    (best,) = explain(fixed(rows, calls=1_000, slow_calls=10), random.Random(1), most=1)
    assert best.text == "plan = paid"
    assert best.calls.value == pytest.approx(0.005)
    assert best.slow_time.value == pytest.approx(0.25)


def test_a_window_of_which_nothing_was_kept_is_represented_by_the_others() -> None:
    kept = fixed([row(True, 100, hot=True), row(False, 1, hot=False)], 100, 10)
    empty = [Sample(Looked(function="m:f", calls=100, slow_calls=10), ())]
    assert share_of_calls(kept + empty, "hot", "=", True) == pytest.approx(0.1)


def test_a_sample_that_was_taken_in_a_hurry_is_represented_by_the_others_too() -> None:
    kept = fixed([row(True, 100, hot=True), row(False, 1, hot=False)], 100, 10)
    looked = Looked(function="m:f", calls=100, slow_calls=10, hurried=True)
    assert share_of_calls([*kept, Sample(looked, (row(False, 1, hot=True),))], "hot", "=", True) == pytest.approx(0.1)


def test_where_the_other_calls_are_not_represented_nothing_is_claimed() -> None:
    samples = fixed([row(True, 100, hot=True)], 100, 10)
    assert math.isnan(share_of_calls(samples, "hot", "=", True))
    assert explain(samples, random.Random(1)) == ()


def test_nothing_is_explained_without_windows() -> None:
    assert explain([], random.Random(1)) == ()


def test_a_truth_value_is_not_a_number() -> None:
    samples = fixed([row(True, 100, x=1), row(False, 1, x=True)], 100, 10)
    assert share_of_calls(samples, "x", "=", True) == pytest.approx(0.9)
    assert share_of_calls(samples, "x", "≥", 1) == pytest.approx(0.1)

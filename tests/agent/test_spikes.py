"""What explains a spike, against populations whose truth is known."""

from __future__ import annotations

import random

import pytest

from burnish.condition_search import sentence
from burnish.conditions import Exemplar, Fact, Looked, Sample
from burnish.spikes import explain_spike, is_symptom, spread
from burnish.stats import wilson

SLOW_NS = 20_000_000


def sample(rng: random.Random, number: int) -> Sample:
    """A window of 400 calls, slow where a large export is full; of slow calls and of all up to 8 are kept."""
    calls: list[tuple[int, dict[str, Fact]]] = []
    for _ in range(400):
        large, full = rng.random() < 0.12, rng.random() < 0.1
        wall = (100_000_000 if large and full else 2_000_000) * rng.lognormvariate(0, 0.3)
        facts: dict[str, Fact] = {"arg.rows.size": 1024 if large else 64, "arg.full.is": full}
        calls.append((int(wall), facts | {"queries": 256 if wall > SLOW_NS else 1, "live": rng.choice([1, 2])}))
    slow_ns = 1_000_000 if number < 3 else SLOW_NS  # of a young process
    slow = [call for call in calls if call[0] >= slow_ns]
    kept = {"slow": rng.sample(slow, min(8, len(slow))), "uniform": rng.sample(calls, 8)}
    rows = tuple(
        Exemplar(function="m:f", sample=kind, slow=wall >= slow_ns, wall_ns=wall, facts=facts)
        for kind, some in kept.items()
        for wall, facts in some
    )
    return Sample(Looked(function="m:f", calls=400, slow_ns=slow_ns, slow_calls=len(slow)), rows, number)


def test_two_conditions_that_hold_together_are_found_and_their_intervals_cover_the_truth() -> None:
    covered = 0
    for seed in range(8):
        rng = random.Random(seed)
        found = explain_spike([sample(rng, i) for i in range(60)], SLOW_NS, rng)
        assert found is not None
        assert {sentence(test) for test in found.tests} == {"arg.rows.size ≥ 1024", "arg.full.is = true"}
        assert found.slow_time.low > 0.9
        assert [sentence(test) for test in found.companions] == ["queries ≥ 256"]
        assert 50e6 < found.p50_ns < 200e6
        assert found.typical_ns < 3e6
        covered += found.calls.low <= 0.012 <= found.calls.high
    assert covered >= 6


def test_what_is_settled_by_the_end_of_the_call_is_a_symptom() -> None:
    symptoms = ("queries", "gc_ns", "live", "result.size", "end.items.size", "note.retries.http")
    causes = ("arg.items.size", "entry", "first", "age_s", "note.cache", "note.retry")
    assert [is_symptom(key) for key in (*symptoms, *causes)] == [True] * len(symptoms) + [False] * len(causes)


def test_windows_are_drawn_evenly_and_stay_in_order() -> None:
    rng = random.Random(1)
    samples = [sample(rng, i) for i in range(100)]
    rows = sum(len(s.exemplars) for s in samples)
    some = spread(samples, rows // 4)
    assert 20 <= len(some) <= 25
    assert list(some) == sorted(some, key=lambda s: s.start_unix_ns)
    assert any(s.start_unix_ns < 30 for s in some)
    assert any(s.start_unix_ns > 70 for s in some)
    assert spread(samples, rows) is samples


def test_nothing_is_explained_where_nothing_is_slow() -> None:
    rng = random.Random(1)
    assert explain_spike([sample(rng, i) for i in range(10)], 10**12, rng) is None
    assert explain_spike([], SLOW_NS, rng) is None


def test_wilsons_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 and 0 of 20"""
    found = wilson(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (wilson(0, 20).low, wilson(0, 20).high) == pytest.approx((0, 0.1611), abs=1e-4)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)

from __future__ import annotations

import random
from collections import Counter

import pytest

from burnish_sensor.exemplars.reservoir import Limit, Reservoir, foreseen
from tests.sensor.support import FakeClock

SIZE = 8


def offer(reservoir: Reservoir, limit: Limit, draw: random.Random, thing: int) -> bool:
    """As ``Exemplars.capture`` does it; whether it was looked at."""
    reservoir.seen += 1
    tag = draw.random()
    looked = reservoir.wants(tag) and limit.admits(tag, reservoir)
    if looked:
        reservoir.add(tag, thing)
    return looked


def unlimited() -> Limit:
    return Limit(1e9, 1 << 40, FakeClock())


def test_each_that_was_offered_is_as_likely_to_be_kept() -> None:
    draw, kept = random.Random(1), Counter[int]()
    for _ in range(2_000):
        reservoir, limit = Reservoir(SIZE), unlimited()
        for thing in range(40):
            offer(reservoir, limit, draw, thing)
        sample = reservoir.sample(SIZE)
        assert len(sample) == SIZE
        kept.update(sample)
    # 2000 * 8 / 40 = 400 each, standard deviation 18
    assert all(abs(kept[thing] - 400) < 80 for thing in range(40))


def test_where_time_is_short_the_sample_is_smaller_but_as_fair_to_the_late() -> None:
    draw, looked, early, late = random.Random(2), 0, 0.0, 0.0
    for _ in range(3_000):
        reservoir, limit = Reservoir(SIZE), Limit(0.0, 15, FakeClock())
        looked += sum(offer(reservoir, limit, draw, thing) for thing in range(40))
        sample = reservoir.sample(SIZE)
        early += sum(thing < 20 for thing in sample) / max(len(sample), 1)
        late += sum(thing >= 20 for thing in sample) / max(len(sample), 1)
    assert looked / 3_000 < 20
    assert early + late == pytest.approx(3_000, abs=1)
    assert abs(early - late) < 0.05 * 3_000


def test_the_limit_refills_with_time() -> None:
    clock = FakeClock()
    limit, reservoir = Limit(20.0, 50, clock), Reservoir(1_000)
    assert sum(limit.admits(0.5, reservoir) for _ in range(200)) == 100  # the burst, and as many on credit
    clock.advance(5_000_000_000)
    assert sum(limit.admits(0.5, Reservoir(SIZE)) for _ in range(200)) == 100


def test_what_is_looked_at_stays_bounded_however_much_comes() -> None:
    clock, draw = FakeClock(), random.Random(3)
    limit = Limit(20.0, 50, clock)
    reservoirs = [Reservoir(SIZE) for _ in range(500)]
    looked = 0
    for _ in range(100_000):
        clock.advance(100_000)  # 10 s in all
        looked += offer(draw.choice(reservoirs), limit, draw, 0)
    assert looked <= 50 + 200 + 50
    assert limit.exhausted


def test_a_function_seen_for_the_first_time_has_room_when_others_used_the_limit() -> None:
    limit, busy, new = Limit(0.0, 20, FakeClock()), Reservoir(SIZE), Reservoir(SIZE)
    draw = random.Random(4)
    for thing in range(1_000):
        offer(busy, limit, draw, thing)
    assert offer(new, limit, draw, 1)


def test_what_is_foreseen_is_let_through_in_part() -> None:
    before = {1: Reservoir(SIZE), 2: Reservoir(SIZE)}
    before[1].seen, before[2].seen = 1_200, 3
    assert foreseen(before, 100.0, SIZE) == {1: 0.01, 2: 1.0}
    assert foreseen(before, 8.0, SIZE)[1] == 0.005


def test_a_smaller_sample_of_what_was_kept_has_the_smallest_tags() -> None:
    reservoir = Reservoir(SIZE)
    for tag in (0.3, 0.1, 0.2):
        reservoir.add(tag, tag)
    assert reservoir.sample(2) == [0.1, 0.2]


def test_where_one_could_not_be_looked_at_nothing_is_claimed() -> None:
    reservoir = Reservoir(SIZE)
    reservoir.add(0.5, "kept")
    reservoir.give_up()
    assert reservoir.sample(SIZE) == []
    assert not reservoir.wants(0.0)

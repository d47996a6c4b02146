"""The decision about cost, on processes whose times are drawn: nothing here is measured."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from burnish.why import Why
from burnish_tools.proof.cost import Bench, CasesVanished, Plan, Process, bench, look_after
from burnish_tools.proof.costchecks import cold_check, cost_check, effects, memory_check
from burnish_tools.proof.settings import ProofSettings

PLAN = Plan(warmup=(0, 1), measured=(2, 3, 4, 5), entries=dict.fromkeys(range(6), "GET a/"))
SETTINGS = ProofSettings()
MS = 1_000_000


@dataclass
class Drawn:
    """A process: a call takes `ns(request, times this request was sent before)`; `weather` is the process's own."""

    ns: Callable[[int, int], float]
    weather: float
    calls: int = 1
    memory: int = 50_000
    seen: dict[int, int] = field(default_factory=dict)

    def send(self, request: int) -> tuple[int, list[int]]:
        before = self.seen.get(request, 0)
        self.seen[request] = before + 1
        call = int(self.ns(request, before) * self.weather)
        return call * self.calls + MS, [call] * self.calls

    def peak_kb(self) -> int:
        return self.memory


def measured(
    new: Callable[[int, int], float], noise: float = 0.02, seed: int = 1, pairs: int = 20, **of_new: int
) -> Bench:
    rng = random.Random(seed)

    @contextmanager
    def start(arm: str) -> Iterator[Process]:
        weather = rng.lognormvariate(0, noise)
        yield Drawn(new, weather, **of_new) if arm == "new" else Drawn(steady(10), weather)

    settings = SETTINGS.model_copy(update={"pairs": pairs})
    return bench(start, PLAN, settings, random.Random(seed), lambda share: None)


def steady(ms: float) -> Callable[[int, int], float]:
    return lambda request, before: ms * MS


def test_looks_are_spread_over_the_rounds() -> None:
    assert look_after(20) == [8, 12, 16, 20]
    assert look_after(8) == [8]


def test_a_large_saving_is_proven_at_the_first_look() -> None:
    found = measured(steady(2))
    check = cost_check(found, "4 held-out requests")
    assert check.passed
    assert found.saving.n == 8
    assert 0.75 < found.saving.low <= found.saving.value <= found.saving.high < 0.85


def test_no_change_is_hopeless_at_the_first_look() -> None:
    found = measured(steady(10))
    assert cost_check(found, "4 held-out requests").why is Why.NOT_FASTER
    assert found.saving.n == 8
    assert found.saving.low < 0 < found.saving.high


def test_no_change_is_never_accepted_however_noisy() -> None:
    benches = [measured(steady(10), noise=noise, seed=seed) for seed in range(20) for noise in (0.02, 0.2)]
    assert [b for b in benches if b.faster] == []


def test_slower_is_refused() -> None:
    assert cost_check(measured(steady(12)), "4 held-out requests").why is Why.NOT_FASTER


def test_a_saving_below_the_bar_is_refused() -> None:
    assert cost_check(measured(steady(9.7), noise=0.001), "4 held-out requests").why is Why.NOT_FASTER


def test_an_unclear_saving_gets_more_rounds() -> None:
    assert measured(steady(9), noise=0.05).saving.n > 8


def test_a_saving_in_the_noise_is_too_noisy_to_tell() -> None:
    check = cost_check(measured(steady(7), noise=0.8, seed=4), "4 held-out requests")
    assert (check.passed, check.why) == (False, Why.TOO_NOISY)
    assert "old against itself" in check.summary


def test_a_gain_only_on_repeated_requests_is_a_memory_of_requests() -> None:
    found = measured(lambda request, before: 1 * MS if before else 9 * MS)
    check = cost_check(found, "4 held-out requests")
    assert (check.passed, check.why) == (False, Why.NOT_FASTER)
    assert "memory of inputs" in check.summary


def test_missing_calls_are_a_failure_and_not_a_saving() -> None:
    with pytest.raises(CasesVanished):
        measured(steady(1), calls=0)


def test_memory_may_grow_only_a_little() -> None:
    assert memory_check(measured(steady(2), memory=54_000), SETTINGS).passed
    assert memory_check(measured(steady(2), memory=60_000), SETTINGS).why is Why.NOT_FASTER


def test_a_slower_start_is_refused() -> None:
    slow_start = measured(lambda request, before: (30 if request < 2 else 2) * MS)
    assert not cold_check(slow_start, SETTINGS, random.Random(1)).passed
    assert cold_check(measured(steady(2)), SETTINGS, random.Random(1)).passed


def test_effects_tell_time_queries_entries_and_memory() -> None:
    found = effects(measured(steady(2), noise=0), "a:f", (26.0, 1.0), random.Random(1))
    told = {(e.what, e.subject): (e.before, e.after) for e in found}
    assert told["time", "a:f"] == (10 * MS, 2 * MS)
    assert told["queries", "a:f"] == (26, 1)
    assert told["time", "GET a/"] == (11 * MS, 3 * MS)
    assert told["peak_memory", "the replaying process"][0] == pytest.approx(48.8, abs=0.1)

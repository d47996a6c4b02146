"""Weeks of production that get slower, or only look so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.testing.drawn import At, Code, Drawn, Told, always
from burnish.why import Why
from burnish_tools.detectors.slow_rot import SlowRot

DAY = 24
WEEKS = 4 * 7 * DAY
F = "shop.orders:total"
OLD = [("a", 0, WEEKS)]


def climbing(at: At) -> float:
    """A fifth in four weeks."""
    return 10 * (1 + 0.2 * at.day / 28)


def others(n: int = 8) -> list[Code]:
    return [Code(f"shop.rest:f{i}", ms=always(5.0 + i), calls={"GET rest/": 2000}) for i in range(n)]


def detect(production: Drawn, **settings: Any) -> tuple[dict[str, Finding], dict[str, Passed]]:
    profile = production.profile()
    assert profile is not None
    seen = list(SlowRot(SlowRot.Settings(**settings)).detect(profile, production, None))
    assert len({one.function for one in seen}) == len(seen)
    return (
        {one.function: one for one in seen if isinstance(one, Finding)},
        {one.function: one for one in seen if isinstance(one, Passed)},
    )


def look(code: Sequence[Code], releases: Sequence[tuple[str, int, int]] = OLD, **more: Any) -> Any:
    return detect(Drawn(releases, [*code, *others()], **more))


def only(code: Code, **more: Any) -> Why:
    found, passed = look([code], **more)
    assert found == {}
    return passed[F].why  # type: ignore[no-any-return]


# ── what is rot ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fifth_in_four_weeks() -> None:
    found, _ = look([Code(F, ms=climbing)])
    (finding,) = found.values()
    seen = finding.evidence
    assert (finding.function, finding.kind, finding.informs, seen.since_release) == (F, "slow_rot", True, "")
    assert 1.2e6 < finding.removable_ns < 2.0e6
    assert seen.before is not None
    assert seen.after is not None
    assert seen.before.high < seen.after.low
    assert "bit by bit" in seen.notes[0]
    assert "p50" in " ".join(seen.notes)


def test_with_a_weekend_of_its_own() -> None:
    found, _ = look([Code(F, ms=lambda at: climbing(at) * (1.4 if at.weekday >= 5 else 1))])
    assert 1.0e6 < found[F].removable_ns < 3.0e6


def test_with_releases_of_which_none_explains_it() -> None:
    weekly = [(f"r{i}", i * 7 * DAY, (i + 1) * 7 * DAY) for i in range(4)]
    found, _ = look([Code(F, ms=climbing)], weekly)
    assert set(found) == {F}


def test_a_step_where_no_release_went_out() -> None:
    found, _ = look([Code(F, ms=lambda at: 13 if at.day >= 17 else 10)], [("a", 0, 9 * DAY), ("b", 9 * DAY, WEEKS)])
    assert "at once" in found[F].evidence.notes[0]
    assert (found[F].evidence.since_unix_ns // 86_400_000_000_000 + 3) % 7 == 17 % 7


def test_queries_that_grow_with_the_data() -> None:
    found, _ = look([Code(F, ms=always(20), queries=lambda at: 10 + at.day / 4)])
    assert found[F].removable_queries == pytest.approx(7, abs=1)
    assert found[F].removable_ns == 0


def test_the_function_below_is_named() -> None:
    above = "shop.views:orders"
    code = [
        Code(above, ms=lambda at: 5 + climbing(at), callers={"": 1.0}),
        Code(F, ms=climbing, callers={above: 1.0}),
    ]
    found, passed = look(code, noise=0.01)
    assert set(found) == {F}
    assert passed[above].why is Why.DUPLICATE


# ── what is none ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_at_a_release_is_a_regression() -> None:
    releases = [("a", 0, 17 * DAY + 9), ("b", 17 * DAY + 9, WEEKS)]
    assert only(Code(F, ms=lambda at: 13 if at.release == "b" else 10), releases=releases) is Why.DUPLICATE


def test_more_and_more_calls_at_the_same_speed() -> None:
    assert only(Code(F, ms=always(12), calls={"GET /": lambda at: 2000 + 50 * at.day})) is Why.WITHIN_NOISE


def test_a_mix_that_shifts_bit_by_bit() -> None:
    calls: dict[str, float | Told] = {
        "GET dear/": lambda at: 500 + 80 * at.day,
        "GET cheap/": lambda at: 2800 - 80 * at.day,
    }
    assert only(Code(F, ms=lambda at: 30 if at.entry == "GET dear/" else 5, calls=calls)) is Why.WITHIN_NOISE


def test_a_weekend_at_the_end() -> None:
    fortnight = [("a", 0, 14 * DAY)]
    assert only(Code(F, ms=lambda at: 14 if at.weekday >= 5 else 10), releases=fortnight) is Why.WITHIN_NOISE


def test_a_machine_that_gets_slower() -> None:
    assert only(Code(F, ms=always(10)), machine=lambda at: 1 + at.day / 100) is Why.WITHIN_NOISE


def test_it_went_away() -> None:
    assert only(Code(F, ms=lambda at: 15 if 8 <= at.day < 24 else 10)) in {Why.WENT_AWAY, Why.WITHIN_NOISE}


def test_too_few_days() -> None:
    assert only(Code(F, ms=climbing), releases=[("a", 0, 9 * DAY)]) is Why.NOT_ENOUGH_HISTORY


# ── how often it is wrong ────────────────────────────────────────────────────────────────────────────────────────────


def daily(seed: int, ms: Told, n: int = 0) -> Drawn:
    """Four weeks of a few busy hours a day: fewer hours, and days as noisy."""
    releases = [("a", 0, WEEKS)]
    code = [Code(F, ms=ms, calls={"GET /": lambda at: 60_000 if at.hour % 24 == 12 else 0}), *others(n)]
    return Drawn(releases, code, noise=0.05, machine_noise=0.0, seed=seed)


def test_false_alarms_are_as_rare_as_stated() -> None:
    wrong = sum(
        bool(detect(daily(seed, always(10)), min_effect=0.001, min_cost_ms_per_minute=0.01)[0]) for seed in range(200)
    )
    assert wrong <= 200 * 0.05


@pytest.mark.parametrize("shape", [climbing, lambda at: 11.5 if at.day >= 14 else 10], ids=["slope", "step"])
def test_a_change_is_found(shape: Told) -> None:
    """Days five percent apart, a slope of 20 % or a step of 15 %: in at least 80 % of 50 productions."""
    assert sum(F in detect(daily(seed, shape))[0] for seed in range(50)) >= 40

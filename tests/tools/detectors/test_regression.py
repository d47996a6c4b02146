"""Weeks of production with a release in them: what is a regression, and all that only looks like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from burnish.finding import Finding, Passed
from burnish.testing.drawn import At, Code, Drawn, Told, always
from burnish.why import Why
from burnish_tools.detectors.regression import Regression

DAY = 24
RELEASES = [("a", 0, 7 * DAY), ("b", 7 * DAY, 9 * DAY)]
F = "shop.orders:total"


def steps(before: float, after: float, since: str = "b") -> Told:
    return lambda at: after if at.release >= since else before


def others(n: int = 8) -> list[Code]:
    """Functions that do not change."""
    return [Code(f"shop.rest:f{i}", ms=always(5.0 + i), calls={"GET rest/": 5000}) for i in range(n)]


def detect(production: Drawn, **settings: Any) -> tuple[dict[str, Finding], dict[str, Passed]]:
    """Findings and reasons by function."""
    profile = production.profile()
    assert profile is not None
    seen = list(Regression(Regression.Settings(**settings)).detect(profile, production, None))
    assert len({one.function for one in seen}) == len(seen)
    return (
        {one.function: one for one in seen if isinstance(one, Finding)},
        {one.function: one for one in seen if isinstance(one, Passed)},
    )


def look(code: Sequence[Code], releases: Sequence[tuple[str, int, int]] = RELEASES, **more: Any) -> Any:
    return detect(Drawn(releases, [*code, *others()], **more))


# ── what is one ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_twelve_percent_slower_by_a_release() -> None:
    found, passed = look([Code(F, ms=steps(10, 11.2), body=lambda release: f"body of {release}")])
    (finding,) = found.values()
    seen = finding.evidence
    assert (finding.function, finding.kind, finding.informs) == (F, "regression", True)
    assert (seen.since_release, seen.suspects) == ("b", (F,))
    assert seen.before is not None
    assert seen.after is not None
    assert seen.before.value == pytest.approx(10e6, rel=0.02)
    assert seen.after.value == pytest.approx(11.2e6, rel=0.02)
    assert seen.before.low < seen.before.high < seen.after.low < seen.after.high
    assert 0.6e6 < finding.removable_ns < 1.2e6
    assert finding.seconds_per_week == pytest.approx(3000 * 168 * finding.removable_ns / 1e9, rel=0.05)
    assert {one.why for one in passed.values()} == {Why.WITHIN_NOISE}


def test_what_moved_is_told_with_intervals() -> None:
    found, _ = look([Code(F, ms=steps(10, 15))])
    notes = " ".join(found[F].evidence.notes)
    assert "p50" in notes
    assert "p99" in notes
    assert "Wasserstein" in notes
    assert "Neither its code nor that of what it calls changed" in notes


def test_more_queries_per_call_though_no_slower() -> None:
    found, _ = look([Code(F, ms=always(10), queries=steps(3, 4))])
    assert found[F].removable_queries == pytest.approx(1)
    assert found[F].queries_per_minute == pytest.approx(50, rel=0.05)
    assert "queries" in found[F].evidence.notes[0]


def test_the_innermost_function_is_named_and_what_changed_below_it() -> None:
    above, below = "shop.views:orders", "shop.tax:rate"
    code = [
        Code(above, ms=steps(40, 44), own=always(0.75)),
        Code(F, ms=steps(10, 14), own=always(0.9), callers={above: 1.0}),
        Code(below, ms=always(1), callers={F: 1.0}, body=lambda release: f"body of {release}"),
    ]
    found, passed = look(code)
    assert set(found) == {F}
    assert found[F].evidence.suspects == (below,)
    assert passed[above].why is Why.DUPLICATE


def test_a_rolling_deployment_and_a_canary_are_two_releases_at_once() -> None:
    found, _ = look([Code(F, ms=steps(10, 12))], [("a", 0, 8 * DAY), ("b", 7 * DAY, 9 * DAY)])
    assert found[F].evidence.since_release == "b"


def test_of_many_releases_the_right_one_is_blamed() -> None:
    often = [(f"r{i:02}", i * 6, (i + 1) * 6) for i in range(40)]
    found, _ = look([Code(F, ms=steps(10, 12, since="r31"))], often)
    assert found[F].evidence.since_release == "r31"


def test_deployed_every_hour_it_is_still_judged() -> None:
    often = [(f"r{i:03}", i, i + 1) for i in range(120)]
    found, _ = look([Code(F, ms=steps(10, 12, since="r100"))], often)
    assert found[F].evidence.since_release == "r100"


def test_a_renamed_function_keeps_its_past() -> None:
    old = Code("shop.orders:sum_up", ms=always(10), body=lambda r: "same" if r == "a" else "")
    new = Code(F, ms=always(13), body=lambda r: "same" if r == "b" else "")
    found, passed = look([old, new])
    assert set(found) == {F}
    assert found[F].evidence.suspects == ()
    small, passed = look([old.__class__(**{**vars(old), "lines": 2}), new.__class__(**{**vars(new), "lines": 2})])
    assert small == {}
    assert passed[F].why is not Why.DUPLICATE


# ── what is none ─────────────────────────────────────────────────────────────────────────────────────────────────────


def only(code: Code, **more: Any) -> Why:
    found, passed = look([code], **more)
    assert found == {}
    return passed[F].why  # type: ignore[no-any-return]


def test_more_calls_at_the_same_speed() -> None:
    assert only(Code(F, ms=always(10), calls={"GET /": steps(2000, 6000)})) is Why.WITHIN_NOISE


def test_another_mix_of_entries() -> None:
    def ms(at: At) -> float:
        return 30 if at.entry == "GET dear/" else 5

    calls: Mapping[str, float | Told] = {"GET dear/": steps(500, 2500), "GET cheap/": steps(2500, 500)}
    assert only(Code(F, ms=ms, calls=calls)) is Why.MIX_CHANGED


def test_other_callers() -> None:
    def callers(at: At) -> Mapping[str, float]:
        return {"shop.a:f": 1.0} if at.release == "a" else {"shop.a:f": 0.5, "shop.b:g": 0.5}

    assert only(Code(F, ms=steps(10, 13), callers=callers)) is Why.MIX_CHANGED


def test_a_slower_machine() -> None:
    assert only(Code(F, ms=always(10)), machine_noise=0.2) is Why.WITHIN_NOISE
    assert only(Code(F, ms=always(10)), machine=lambda at: 1.3 if at.hour >= 7 * DAY else 1.0) is Why.WITHIN_NOISE


def test_it_went_away() -> None:
    def ms(at: At) -> float:
        return 20 if 7 * DAY + 2 <= at.hour < 7 * DAY + 20 else 10

    assert only(Code(F, ms=ms)) is Why.WENT_AWAY


def test_it_came_long_after_the_release() -> None:
    assert only(Code(F, ms=lambda at: 14 if at.hour >= 8 * DAY else 10)) is Why.NOT_BY_RELEASE


def test_a_slope_is_no_step() -> None:
    found, passed = look(
        [Code(F, ms=lambda at: 10 + at.day)], [("a", 0, 6 * DAY), ("b", 6 * DAY, 12 * DAY)], noise=0.02
    )
    assert found == {}
    assert passed[F].why is Why.NOT_BY_RELEASE


def test_a_weekend_is_compared_with_a_weekend() -> None:
    def ms(at: At) -> float:
        return 14 if at.weekday >= 5 else 10

    week = [("a", 0, 12 * DAY), ("b", 12 * DAY, 13 * DAY)]
    assert only(Code(F, ms=ms), releases=week) is Why.WITHIN_NOISE


def test_code_that_moved_from_the_caller_into_it() -> None:
    above = "shop.views:orders"
    code = [
        Code(above, ms=always(40), own=steps(0.75, 0.65)),
        Code(F, ms=steps(10, 14), callers={above: 1.0}),
    ]
    found, passed = look(code)
    assert found == {}
    assert passed[F].why is Why.COST_MOVED


def test_too_cheap_to_matter() -> None:
    assert only(Code(F, ms=steps(12, 12.62), calls={"GET /": 2000})) is Why.NOT_WORTH_IT


def test_a_young_release_and_a_single_one_are_not_judged() -> None:
    young = [("a", 0, 7 * DAY), ("b", 7 * DAY, 7 * DAY + 2)]
    assert only(Code(F, ms=steps(10, 20)), releases=young) is Why.WARMING_UP
    assert only(Code(F, ms=always(10)), releases=[("a", 0, DAY)]) is Why.NOT_ENOUGH_HISTORY


def test_what_is_not_busy_is_not_read() -> None:
    found, passed = look([Code(F, ms=steps(1, 2), calls={"GET /": 60})])
    assert F not in found.keys() | passed.keys()


# ── how often it is wrong ────────────────────────────────────────────────────────────────────────────────────────────


def test_false_alarms_are_as_rare_as_stated() -> None:
    """200 productions of nine functions in which nothing changed: at most one in twenty may have a finding."""
    releases = [("a", 0, 36), ("b", 36, 48), ("c", 48, 60)]
    wrong = 0
    for seed in range(200):
        production = Drawn(releases, [Code(F, ms=always(10)), *others()], noise=0.06, machine_noise=0.1, seed=seed)
        wrong += bool(detect(production, min_effect=0.001, min_cost_ms_per_minute=0.01)[0])
    assert wrong <= 200 * 0.05


def test_a_tenth_slower_is_found() -> None:
    """Nine percent of hours apart, a day after the release: in at least 80 % of 50 productions."""
    releases = [("a", 0, 4 * DAY), ("b", 4 * DAY, 5 * DAY)]
    found = 0
    for seed in range(50):
        code = [Code(F, ms=steps(10, 11)), *others()]
        found += F in detect(Drawn(releases, code, noise=0.06, machine_noise=0.1, seed=seed))[0]
    assert found >= 40

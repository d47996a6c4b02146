from __future__ import annotations

import pytest

from burnish.backlog import Priors
from burnish.finding import Finding
from burnish.rank import rank
from burnish.settings import RankSettings
from burnish.testing.scripted import finding
from burnish.why import Why

NOTHING_LEARNT = Priors()


def test_the_order_is_saving_times_chance_over_risk() -> None:
    rare_but_dear = finding("a:x", per_minute=10, removable_ms=100)
    often = finding("b:x", per_minute=1000, removable_ms=5)
    candidates, *_ = rank([rare_but_dear, often], NOTHING_LEARNT, {"scripted": 1.0}, RankSettings())
    assert [c.finding.function for c in candidates] == ["b:x", "a:x"]
    best = candidates[0]
    assert best.saving_ns_per_minute == pytest.approx(900 * 5e6)  # the lower end of the rate's interval
    assert best.score == pytest.approx(900 * 5e6 * 0.8)


def test_risk_and_learnt_chances_change_the_order() -> None:
    one, two = finding("a:x", kind="index"), finding("b:x", kind="regex")
    settings = RankSettings()
    by_risk, *_ = rank([one, two], NOTHING_LEARNT, {"index": 2.0, "regex": 1.0}, settings)
    assert [c.finding.kind for c in by_risk] == ["regex", "index"]
    failed = Priors(finished={"regex": 6}, confirmed={"index": 1})
    by_chance, *_ = rank([one, two], failed, {"index": 2.0, "regex": 1.5}, settings)
    assert [c.finding.kind for c in by_chance] == ["index", "regex"]


def test_more_entries_are_more_risk() -> None:
    few, many = finding("a:x", entries=["GET /"]), finding("b:x", entries=[f"GET {i}/" for i in range(9)])
    candidates, *_ = rank([many, few], NOTHING_LEARNT, {"scripted": 1.0}, RankSettings())
    assert [c.finding.function for c in candidates] == ["a:x", "b:x"]


def test_ties_are_broken_by_name() -> None:
    names = ["m:c", "m:a", "m:b"]
    candidates, *_ = rank([finding(n) for n in names], NOTHING_LEARNT, {}, RankSettings())
    assert [c.finding.function for c in candidates] == sorted(names)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (RankSettings(min_saving_ms_per_minute=1e6), Why.NOT_WORTH_IT),
        (RankSettings(quiet_paths=("shop/*",)), Why.QUIET_PATH),
    ],
)
def test_what_is_left_out_has_a_reason(settings: RankSettings, why: Why) -> None:
    candidates, told, passed = rank([finding()], NOTHING_LEARNT, {}, settings)
    assert candidates == told == ()
    assert [p.why for p in passed] == [why]
    assert passed[0].fingerprint == finding().fingerprint
    assert passed[0].kind == "scripted"


def informing(function: str, per_minute: float) -> Finding:
    return finding(function, per_minute=per_minute).model_copy(update={"informs": True})


def test_what_is_for_people_is_told_by_its_cost_and_never_proposed() -> None:
    dead = informing("m:dead", per_minute=0)
    ranked = rank([dead, informing("m:cheap", 10), informing("m:dear", 1000)], NOTHING_LEARNT, {}, RankSettings())
    assert ranked.candidates == ranked.passed == ()
    assert [t.finding.function for t in ranked.told] == ["m:dear", "m:cheap", "m:dead"]
    assert {t.why for t in ranked.told} == {Why.FOR_PEOPLE}


def test_observed_kinds_are_told_with_the_setting() -> None:
    (told,) = rank([finding()], NOTHING_LEARNT, {}, RankSettings(observe=("scripted",))).told
    assert (told.why, told.detail) == (Why.ONLY_OBSERVED, "rank.observe names scripted")


def test_a_quiet_path_is_quiet_for_people_too() -> None:
    ranked = rank([informing("shop.x:f", 10)], NOTHING_LEARNT, {}, RankSettings(quiet_paths=("shop/*",)))
    assert ranked.told == ()
    assert [p.why for p in ranked.passed] == [Why.QUIET_PATH]


def test_no_findings_no_candidates() -> None:
    assert rank([], NOTHING_LEARNT, {}, RankSettings()) == ((), (), ())

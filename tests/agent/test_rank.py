from __future__ import annotations

import pytest

from burnish.backlog import Priors
from burnish.rank import rank
from burnish.settings import RankSettings
from burnish.testing.scripted import finding
from burnish.why import Why

NOTHING_LEARNT = Priors()


def test_the_order_is_saving_times_chance_over_risk() -> None:
    rare_but_dear = finding("a:x", per_minute=10, removable_ms=100)
    often = finding("b:x", per_minute=1000, removable_ms=5)
    candidates, _ = rank([rare_but_dear, often], NOTHING_LEARNT, {"scripted": 1.0}, RankSettings())
    assert [c.finding.function for c in candidates] == ["b:x", "a:x"]
    best = candidates[0]
    assert best.saving_ns_per_minute == pytest.approx(900 * 5e6)  # the lower end of the rate's interval
    assert best.score == pytest.approx(900 * 5e6 * 0.8)


def test_risk_and_learnt_chances_change_the_order() -> None:
    one, two = finding("a:x", kind="index"), finding("b:x", kind="regex")
    settings = RankSettings()
    by_risk, _ = rank([one, two], NOTHING_LEARNT, {"index": 2.0, "regex": 1.0}, settings)
    assert [c.finding.kind for c in by_risk] == ["regex", "index"]
    failed = Priors(finished={"regex": 6}, confirmed={"index": 1})
    by_chance, _ = rank([one, two], failed, {"index": 2.0, "regex": 1.5}, settings)
    assert [c.finding.kind for c in by_chance] == ["index", "regex"]


def test_more_entries_are_more_risk() -> None:
    few, many = finding("a:x", entries=["GET /"]), finding("b:x", entries=[f"GET {i}/" for i in range(9)])
    candidates, _ = rank([many, few], NOTHING_LEARNT, {"scripted": 1.0}, RankSettings())
    assert [c.finding.function for c in candidates] == ["a:x", "b:x"]


def test_ties_are_broken_by_name() -> None:
    names = ["m:c", "m:a", "m:b"]
    candidates, _ = rank([finding(n) for n in names], NOTHING_LEARNT, {}, RankSettings())
    assert [c.finding.function for c in candidates] == sorted(names)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (RankSettings(min_saving_ms_per_minute=1e6), Why.NOT_WORTH_IT),
        (RankSettings(quiet_paths=("shop/*",)), Why.QUIET_PATH),
        (RankSettings(observe=("scripted",)), Why.ONLY_OBSERVED),
    ],
)
def test_what_is_left_out_has_a_reason(settings: RankSettings, why: Why) -> None:
    candidates, passed = rank([finding()], NOTHING_LEARNT, {}, settings)
    assert candidates == []
    assert [p.why for p in passed] == [why]
    assert passed[0].fingerprint == finding().fingerprint


def test_no_findings_no_candidates() -> None:
    assert rank([], NOTHING_LEARNT, {}, RankSettings()) == ([], [])

"""The scoreboard: scoring is checked on made-up findings, the shop itself under load (slow)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from burnish.finding import Evidence, Finding, Passed, Site
from burnish.testing.scripted import finding
from burnish.why import Why
from evals.scoreboard.score import Answer, Answers, scores

ROOT = Path(__file__).resolve().parents[2]
LOOP = Answer("a:f", "n_plus_one", "a:Row.parent", range(10, 20))
INDEX = Answer("a:search", "missing_index", "a:view", range(30, 40))
DECOY = Answer("a:locks", "n_plus_one")
ANSWERS = Answers((LOOP, INDEX), (DECOY,))


def found(kind: str, function: str, site: str = "", line: int = 0) -> Finding:
    at = Site(function=site, file="a.py", line=line) if site else None
    return finding(function, kind=kind).model_copy(update={"evidence": Evidence(site=at)})


RIGHT = [found("n_plus_one", "a:f", "a:Row.parent", 12), found("missing_index", "a:view", "a:view", 31)]


def test_all_found_with_the_right_site_and_nothing_else() -> None:
    *_, everything = scores(ANSWERS, RIGHT)
    assert (everything.recall, everything.precision, everything.failed) == (1.0, 1.0, False)


def test_one_score_for_each_kind() -> None:
    by_kind = {score.detector: score for score in scores(ANSWERS, RIGHT[:1])}
    assert set(by_kind) == {"n_plus_one", "missing_index", "all"}
    assert by_kind["n_plus_one"].recall == 1.0
    assert (by_kind["missing_index"].recall, by_kind["missing_index"].precision) == (0.0, None)
    assert by_kind["all"].recall == 0.5


def test_the_wrong_call_site_is_a_miss_that_says_where_it_was_seen() -> None:
    wrong = found("n_plus_one", "a:f", "a:Row.parent", 99)
    *_, everything = scores(ANSWERS, [wrong, RIGHT[1]])
    (missed,) = everything.missed
    assert "a:Row.parent:99" in missed.instead
    assert everything.failed


def test_a_miss_repeats_what_the_detector_said_of_it() -> None:
    passed = Passed(function="a:f", by="n_plus_one", why=Why.NO_DRIVER, detail="in 0 of 57 calls")
    *_, everything = scores(ANSWERS, RIGHT[1:], passed=[passed])
    assert everything.missed[0].instead == "n_plus_one: no_driver, in 0 of 57 calls"


def test_a_decoy_counts_among_the_first_ten_only() -> None:
    decoy = found("n_plus_one", "a:locks")
    *_, everything = scores(ANSWERS, [*RIGHT, decoy])
    assert everything.decoys == ("a:locks",)
    assert everything.failed
    others = [found("n_plus_one", f"a:other{i}") for i in range(8)]
    *_, everything = scores(ANSWERS, [*RIGHT, *others, decoy])
    assert everything.decoys == ()
    assert everything.precision == pytest.approx(0.2)


def test_what_is_told_counts_as_found_and_not_against_precision() -> None:
    *_, everything = scores(ANSWERS, RIGHT[:1], told=[RIGHT[1], found("dead_code", "a:old")])
    assert (everything.recall, everything.precision) == (1.0, 1.0)


@pytest.mark.parametrize("service", ["shop", "ledger"])
def test_sites_in_the_answers_are_functions_of_the_service(service: str) -> None:
    folder = ROOT / "evals" / "services" / service
    answers = Answers.read(folder / "ANSWERS.toml", folder / "service")
    statements = [a for a in answers.planted if a.kind != "cpu_hot"]
    assert statements
    assert all(len(a.lines) > 1 for a in statements)


@pytest.mark.slow
def test_the_shop_every_planted_problem_is_found_and_no_decoy_comes_first(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evals.scoreboard", "--service", "shop", "--json", "--directory", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / p) for p in ("agent", "tools", "sensor", "."))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    everything = json.loads(done.stdout)["shop"][-1]
    assert (everything["planted"], everything["recall"], everything["decoys"]) == (7, 1.0, [])

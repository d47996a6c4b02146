"""The demo itself, with one fix, and what Burnish would do next held against the answers of the example service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from burnish.app import App
from burnish.job import Declined
from burnish.plan import choose
from burnish.world import Ranking

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = tomllib.loads((ROOT / "evals/services/shop/ANSWERS.toml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's directory after one fix was merged and judged."""
    directory = tmp_path_factory.mktemp("demo") / "stage"
    done = subprocess.run(
        [sys.executable, "-m", "evals.demo", "--fixes", "1", "--seconds", "16", "--directory", str(directory)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / p) for p in ("agent", "tools", "sensor", "."))},
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="module")
def app(demo: Path) -> App:
    return App(demo / "burnish.toml")


@pytest.fixture(scope="module")
def ranking(app: App) -> Ranking:
    """What production says after the fix."""
    app.runtime.refresh()
    ranking = app.world.assess()
    assert ranking is not None
    return ranking


def test_the_fix_is_confirmed_and_merged_by_one_pull_request(app: App) -> None:
    done = [job for job in app.store.jobs() if job.verdict is not None]
    assert [job.verdict.outcome.value for job in done if job.verdict] == ["confirmed"]
    pull_request = done[0].pull_request
    assert pull_request is not None
    assert pull_request.number == 1
    origin = ["git", "-C", str(app.base / "origin.git"), "log", "--no-merges", "--format=%s", "main"]
    commits = subprocess.run(origin, check=True, capture_output=True, text=True).stdout.splitlines()
    assert sorted(commits) == sorted([pull_request.title, "Shop as of today"])


def test_it_was_a_planted_problem_with_the_right_recipe(app: App) -> None:
    (job,) = [job for job in app.store.jobs() if job.verdict is not None]
    entries = {entry.entry for entry in job.finding.entries}
    assert job.recipe in {a["recipe"] for a in ANSWERS["planted"] if a["entry"] in entries}


def test_what_comes_next_is_planted_too_and_gets_the_right_recipe(app: App, ranking: Ranking) -> None:
    chosen = recipes(app, ranking)
    planted = {answer["function"]: answer["recipe"] for answer in ANSWERS["planted"]}
    assert chosen  # there is something left to do
    assert {f: r for f, r in chosen.items() if planted.get(f) != r} == {}


def test_no_decoy_would_be_touched(app: App, ranking: Ranking) -> None:
    decoys = {answer["function"] for answer in ANSWERS["decoy"]}
    assert decoys & set(recipes(app, ranking)) == set()
    touched = {function for job in app.store.jobs() if job.change for function in job.change.functions}
    assert decoys & touched == set()


def test_every_decoy_that_ran_has_a_reason(demo: Path, app: App, ranking: Ranking) -> None:
    ran = {f.function for f in ranking.profile.functions}
    for answer in ANSWERS["decoy"]:
        if answer["function"] in ran:
            why = [
                sys.executable,
                "-m",
                "burnish",
                "why",
                answer["function"],
                "--json",
                "-c",
                str(demo / "burnish.toml"),
            ]
            data = json.loads(subprocess.run(why, check=True, capture_output=True, text=True).stdout)
            assert data["passed"] or data["jobs"] or data["candidate"]


def test_the_report_is_one_file_without_anything_from_outside(demo: Path) -> None:
    text = (demo / "report.html").read_text(encoding="utf-8")
    assert "confirmed" in text
    assert "<svg" in text
    assert not any(mark in text for mark in ("<script src", 'src="http', "src='http", 'href="http', "@import"))


def test_nothing_is_left_running_or_lying_about(demo: Path) -> None:
    assert list((demo / ".burnish" / "proof" / "scratch").glob("*")) == []
    assert list((demo / ".burnish" / "git" / "tmp").glob("*")) == []
    shown = subprocess.run(["ps", "axo", "args"], check=True, capture_output=True, text=True).stdout
    assert str(demo) not in shown


def recipes(app: App, ranking: Ranking) -> dict[str, str]:
    """The recipe that each candidate would get at the head of the repository, by function."""
    from burnish.cycle import new_job

    head = app.workspace.head()
    chosen = {}
    for place, candidate in enumerate(ranking.candidates, 1):
        answer = choose(new_job(candidate, head, place, app.world), app.world)
        if not isinstance(answer, Declined):
            chosen[candidate.finding.function] = answer
    return chosen

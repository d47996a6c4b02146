"""Risk: what is counted, what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.histogram import Histogram
from burnish.job import Change, Check, FileEdit, Job, Proof, State
from burnish.profile import FunctionStats
from burnish.risk import History, Past, Risk, RiskSettings, assess, changed_lines, changed_ranges, load_bearing
from burnish.why import Why
from tests.agent.scenario import Scenario
from tests.agent.test_backlog import job as some_job

DAY = 86_400.0
NOW = 400 * DAY
SETTINGS = RiskSettings()


def edit(before: str, after: str, path: str = "app.py") -> FileEdit:
    return FileEdit(path=path, before=before, after=after)


def change(*edits: FileEdit, migration: bool = False) -> Change:
    return Change(recipe="r", title="t", summary="s", safety="s", edits=edits, migration=migration)


def job(change: Change, *, requests: int = 40, recipe: str = "select_related") -> Job:
    proof = Proof(checks=(Check(name="tests", passed=True, summary=""),), requests=requests)
    return some_job(State.RUNNING).model_copy(update={"change": change, "proof": proof, "recipe": recipe})


def stats(*, callers: int = 1, errors: int = 0) -> FunctionStats:
    return FunctionStats(
        function="app:f", file="app.py", line=1, end_line=2, body="", kind="function", calls=100,
        errors={"ValueError": errors} if errors else {}, wall=Histogram(), own=Histogram(), entries={},
        callers={f"app:c{n}": 1 for n in range(callers)},
    )  # fmt: skip


def past(days_ago: float, subject: str = "work", author: str = "ada@example.org") -> Past:
    return Past(commit="a" * 40, unix=NOW - days_ago * DAY, author=author, subject=subject)


def points(risk: Risk) -> dict[str, int]:
    return {factor.name: factor.points for factor in risk.factors}


ONE_LINE = change(edit("a\nb\nc\n", "a\nB\nc\n"))


def test_a_small_replayed_edit_by_a_recipe_on_old_code_is_low() -> None:
    risk = assess(job(ONE_LINE), History(commits=(past(200),)), stats(), NOW, SETTINGS)
    assert risk.level == "low"
    assert set(points(risk).values()) == {0}


@pytest.mark.parametrize(
    ("factor", "risk"),
    [
        ("size", assess(job(change(edit("a\n", "b\n" * 12))), History(), stats(), NOW, SETTINGS)),
        ("reach", assess(job(ONE_LINE), History(), stats(callers=6), NOW, SETTINGS)),
        ("errors", assess(job(ONE_LINE), History(), stats(errors=1), NOW, SETTINGS)),
        ("history", assess(job(ONE_LINE), History(commits=(past(1), past(20))), stats(), NOW, SETTINGS)),
        ("history", assess(job(ONE_LINE), History(read=False), stats(), NOW, SETTINGS)),
        ("verified", assess(job(ONE_LINE, requests=6), History(), stats(), NOW, SETTINGS)),
    ],
)
def test_each_factor_costs_a_point(factor: str, risk: Risk) -> None:
    assert {name for name, cost in points(risk).items() if cost} == {factor}
    assert points(risk)[factor] == 1


def test_calls_of_tests_count_as_much_as_requests() -> None:
    proven = job(ONE_LINE, requests=0)
    assert proven.proof is not None
    calls = proven.model_copy(update={"proof": proven.proof.model_copy(update={"calls": 40, "tests": 3})})
    risk = assess(calls, History(), stats(), NOW, SETTINGS)
    assert points(risk)["verified"] == 0
    assert "40 calls captured from 3 tests replayed" in [factor.text for factor in risk.factors]


def test_a_model_s_migration_that_was_hardly_replayed_is_high() -> None:
    edits = job(change(edit("a\n", "b\n"), migration=True), requests=2, recipe="model")
    risk = assess(edits, History(), None, NOW, SETTINGS)
    assert risk.level == "high"
    assert points(risk)["kind of edit"] == 4


@pytest.mark.parametrize(
    "subject",
    ['Revert "views: join the shop"', "views: read the price again on purpose", "Workaround for replication lag"],
)
def test_what_a_commit_says_is_needed_is_left_alone(subject: str) -> None:
    assert subject in load_bearing(History(commits=(past(100), past(300, subject))))


def test_ordinary_commits_are_no_reason() -> None:
    assert load_bearing(History(commits=(past(1, "views: show donations"), past(2, "fix the reverse order")))) == ""


def test_ranges_are_those_of_the_old_text() -> None:
    before = "a\nb\nc\nd\n"
    assert list(changed_ranges(edit(before, "a\nB\nC\nd\n"))) == [(2, 3)]
    assert list(changed_ranges(edit(before, "a\nb\nnew\nc\nd\n"))) == [(2, 2)]
    assert list(changed_ranges(edit(before, "new\n" + before))) == [(1, 1)]
    assert list(changed_ranges(edit(before, before))) == []
    assert list(changed_ranges(FileEdit(path="new.py", before=None, after="x\n"))) == []


def test_new_files_do_not_count_as_lines() -> None:
    new = FileEdit(path="migrations/0002.py", before=None, after="x\n" * 50)
    assert changed_lines(change(edit("a\n", "b\n"), new)) == 2


# ── in a job ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_pull_request_tells_the_level_and_its_factors(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    scenario.deployed(10.0)
    (opened,) = scenario.cycle().started
    assert opened.risk is not None
    text = scenario.forge.body(1)
    assert f"**Risk.** {opened.risk.level.capitalize()}. Touches `app.py`." in text
    assert "size: 2 lines in 1 file; " in text


def test_a_proven_change_above_the_limit_is_declined_with_its_points(tmp_path: Path) -> None:
    strict = RiskSettings(most="low", small_lines=1, busy_calls_per_minute=0, error_rate=0)
    scenario = Scenario(tmp_path, risk=strict)
    scenario.deployed(10.0)
    (declined,) = scenario.cycle().started
    assert (declined.state, declined.why) == (State.DECLINED, Why.TOO_RISKY)
    assert "size: 2 lines in 1 file" in declined.detail
    assert scenario.forge.open_pull_requests() == []

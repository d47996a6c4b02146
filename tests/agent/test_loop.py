"""The loop on a tiny repository: from finding to verdict, and what it does with every kind of no."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from burnish.errors import DataError, LeaseHeld, Unavailable
from burnish.job import Check, Job, Outcome, Proof, State, Step
from burnish.settings import LimitSettings, VerdictSettings
from burnish.testing.scripted import ScriptedProver, ScriptedRecipe, finding
from burnish.why import Why
from burnish_tools.forges.local import LocalForge
from burnish_tools.model.answer import Answer, Replacement
from burnish_tools.model.scripted import ScriptedModel
from tests.agent.scenario import FUNCTION, Scenario, git, refusal

ROOT = Path(__file__).resolve().parents[2]


def started(directory: Path, **options: object) -> Scenario:
    scenario = Scenario(directory, **options)  # type: ignore[arg-type]
    scenario.deployed(10.0)
    return scenario


def only_job(scenario: Scenario) -> Job:
    (job,) = scenario.store.jobs()
    return job


def test_from_finding_to_confirmed(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    (job,) = scenario.cycle().started
    assert (job.state, job.step, job.recipe) == (State.WAITING, Step.AWAIT_MERGE, "replace")
    assert scenario.cycle().went_on == ()  # nobody has decided yet
    scenario.forge.approve(1)
    (job,) = scenario.cycle().went_on
    assert job.step is Step.AWAIT_DEPLOY
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    assert job.state is State.DONE
    assert job.verdict is not None
    assert job.verdict.outcome is Outcome.CONFIRMED
    assert job.verdict.time_saving.value == pytest.approx(0.6, abs=0.02)
    assert "quick(n)" in (scenario.checkout / "app.py").read_text(encoding="utf-8")
    assert "confirmed" in str(scenario.forge.comments(1))
    assert scenario.world().priors().confirmed == {"scripted": 1}


def test_merged_and_deployed_between_two_cycles_is_judged_in_one(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.approve(1)
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    assert job.state is State.DONE


def test_a_function_that_is_hardly_called_any_more_ends_without_a_verdict(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.approve(1)
    scenario.deployed(4.0)
    scenario.verdicts = VerdictSettings(settle_seconds=1, warmup_seconds=0, min_calls=10**6)
    assert [job.step for job in scenario.cycle().went_on] == [Step.AWAIT_DEPLOY]  # patience: 14 days
    scenario.verdicts = scenario.verdicts.model_copy(update={"patience_days": 0.01})
    (job,) = scenario.cycle().went_on
    assert job.state is State.DONE
    assert job.verdict is not None
    assert job.verdict.outcome is Outcome.INCONCLUSIVE
    assert job.verdict.sentence.startswith("No verdict: 960 calls in 60 windows before the deployment;")
    assert scenario.world().priors().transfers == ()


def somebody_pushes(scenario: Scenario, name: str) -> None:
    git(scenario.checkout, "pull", "-q", "--ff-only")
    (scenario.checkout / name).write_text("x = 1\n", encoding="utf-8")
    git(scenario.checkout, "add", name)
    git(scenario.checkout, "commit", "-qm", name)
    git(scenario.checkout, "push", "-q")


def test_releases_that_follow_each_other_quickly_are_judged_as_one(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.approve(1)
    scenario.verdicts = scenario.verdicts.model_copy(update={"settle_seconds": 2.5 * 3600})  # a release lives an hour
    for n in range(2):
        scenario.deployed(4.0)
        (job,) = scenario.cycle().went_on or (only_job(scenario),)
        assert job.step is Step.AWAIT_DEPLOY
        somebody_pushes(scenario, f"{n}.py")
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    assert job.verdict is not None
    assert job.verdict.outcome is Outcome.CONFIRMED
    assert len(job.verdict.releases_after) == 3
    assert job.verdict.releases_after[-1] == job.verdict.release_after == job.deployed
    assert job.verdict.calls_after == 3 * job.verdict.calls_before


@pytest.mark.parametrize(("ms", "errors"), [(14.0, 0), (4.0, 200)])
def test_a_worse_result_opens_a_revert_that_restores_the_code(tmp_path: Path, ms: float, errors: int) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.approve(1)
    scenario.deployed(ms, errors=errors)
    (job,) = scenario.cycle().went_on
    assert job.verdict is not None
    assert job.verdict.outcome is Outcome.WORSE
    assert job.revert is not None
    assert job.revert.title.startswith('Revert "')
    scenario.forge.approve(job.revert.number)
    git(scenario.checkout, "pull", "-q")
    assert "slow(n)" in (scenario.checkout / "app.py").read_text(encoding="utf-8")


def test_a_closed_pull_request_is_not_proposed_again(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.refuse(1, "we rewrite this next week")
    (job,) = scenario.cycle().went_on
    assert (job.state, job.why, job.detail) == (State.DECLINED, Why.CLOSED_BY_PERSON, "we rewrite this next week")
    report = scenario.cycle()
    assert report.started == ()
    assert [p.why for p in report.passed] == [Why.REFUSED_BEFORE]


def test_it_is_proposed_again_when_the_code_has_changed(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.refuse(1, "no")
    scenario.cycle()
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [finding(FUNCTION, release=release, body="0ther")]
    assert len(scenario.cycle().started) == 1


def test_a_declined_candidate_makes_room_for_the_next(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [
        finding("other:g", release=release, removable_ms=9),
        finding(FUNCTION, release=release),
    ]
    first, second = scenario.cycle().started
    assert (first.why, first.state) == (Why.NO_PATTERN, State.DECLINED)
    assert second.state is State.WAITING
    assert Why.DECLINED_BEFORE in {p.why for p in scenario.cycle().passed}


@pytest.mark.parametrize("why", [Why.RESULT_DIFFERS, Why.TEST_VANISHED, Why.NOT_FASTER])
def test_a_proof_that_says_no_ends_the_job_with_its_reason(tmp_path: Path, why: Why) -> None:
    scenario = started(tmp_path, prover=refusal("equality", why, "row 7 differs"))
    (job,) = scenario.cycle().started
    assert (job.state, job.why, job.detail) == (State.DECLINED, why, "row 7 differs")
    assert scenario.forge.find(f"burnish/replace-f-{job.id[:8]}") is None


def test_red_tests_start_nothing_and_are_told(tmp_path: Path) -> None:
    red = Check(name="baseline", passed=False, summary="test_total fails", why=Why.RED_BASELINE)
    report = started(tmp_path, prover=ScriptedProver(baseline=red)).cycle()
    assert report.started == ()
    assert report.problems == ("The service's own tests fail without any change. test_total fails",)


def test_an_empty_dataset_says_how_to_fill_it(tmp_path: Path) -> None:
    assert "burnish_sensor" in Scenario(tmp_path).cycle().problems[0]


@pytest.mark.parametrize(
    ("limits", "opened"), [(LimitSettings(max_new=2), 2), (LimitSettings(max_new=1), 1), (LimitSettings(max_open=0), 0)]
)
def test_limits_hold_back_and_say_so(tmp_path: Path, limits: LimitSettings, opened: int) -> None:
    scenario = started(tmp_path, limits=limits, recipe=ScriptedRecipe("n", "m"))
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [finding("app:f", release=release), finding("app:g", release=release)]
    report = scenario.cycle()
    assert len(report.started) == opened
    assert [p.why for p in report.passed] == [Why.HELD_BACK] * (2 - opened)


def test_what_no_recipe_can_answer_costs_no_try(tmp_path: Path) -> None:
    scenario = started(tmp_path, limits=LimitSettings(max_tries=1))
    release = scenario.world().runtime.releases()[0].name
    unheard = finding("app:g", release=release, kind="unheard_of", removable_ms=20)
    scenario.findings = [unheard, finding(FUNCTION, release=release)]
    report = scenario.cycle()
    assert [c.finding.function for c in report.candidates] == ["app:g", FUNCTION]
    assert [(p.function, p.why) for p in report.passed] == [("app:g", Why.NO_RECIPE)]
    assert [job.state for job in report.started] == [State.WAITING]
    assert only_job(scenario).finding.function == FUNCTION


def test_a_model_is_asked_for_a_kind_without_a_recipe(tmp_path: Path) -> None:
    answer = Answer(decision="decline", reason="no", title="", summary="", safety="", edits=[])
    scenario = started(tmp_path, model=ScriptedModel([answer]))
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [finding(FUNCTION, release=release, kind="unheard_of")]
    (job,) = scenario.cycle().started
    assert (job.recipe, job.why) == ("model", Why.MODEL_DECLINED)


def test_the_model_is_asked_only_where_no_recipe_applies(tmp_path: Path) -> None:
    edit = Replacement(path="app.py", find="sum(slow(n))", replace="sum(quick(n))")
    answer = Answer(decision="edit", reason="", title="Use quick", summary="s", safety="t", edits=[edit])
    scenario = started(tmp_path, recipe=ScriptedRecipe("not there", ""), model=ScriptedModel([answer]))
    (job,) = scenario.cycle().started
    assert (job.recipe, job.state) == ("model", State.WAITING)
    assert job.change is not None
    assert "quick(n)" in job.change.edits[0].after


def test_a_moved_base_is_measured_again(tmp_path: Path) -> None:
    scenario = started(tmp_path)

    def push_meanwhile(job: Job) -> None:
        if job.step is Step.OPEN_PULL_REQUEST and not (scenario.checkout / "new.py").exists():
            (scenario.checkout / "new.py").write_text("x = 1\n", encoding="utf-8")
            git(scenario.checkout, "add", "new.py")
            git(scenario.checkout, "commit", "-qm", "someone else")
            git(scenario.checkout, "push", "-q")

    scenario.begins = push_meanwhile
    (job,) = scenario.cycle().started
    assert job.state is State.WAITING
    assert job.base == git(scenario.checkout, "rev-parse", "HEAD")


class Flaky(LocalForge):
    """A forge that is down."""

    def find(self, branch: str) -> None:
        raise Unavailable("the forge does not answer")


def test_what_fails_outside_is_tried_in_the_next_cycle(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    report = scenario.cycle(Flaky(scenario.origin, tmp_path / "state" / "pull_requests.sqlite3", scenario.clock))
    assert "the forge does not answer" in report.problems[0]
    assert only_job(scenario).state is State.RUNNING
    (job,) = scenario.cycle().went_on
    assert job.state is State.WAITING


class Broken(ScriptedProver):
    """A prover with a defect."""

    def prove(self, job: Job) -> Proof:
        raise KeyError("no such thing")


def test_a_defect_ends_its_job_and_no_other(tmp_path: Path) -> None:
    scenario = started(tmp_path, prover=Broken())
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [finding(FUNCTION, release=release), finding("other:g", release=release)]
    report = scenario.cycle()
    assert [job.state for job in report.started] == [State.FAILED, State.DECLINED]
    assert "KeyError" in report.problems[0]
    assert {p.why for p in scenario.cycle().passed} == {Why.DECLINED_BEFORE}


def test_a_checkout_with_uncommitted_work_starts_nothing(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    (scenario.checkout / "app.py").write_text("def f(n):\n    return 0\n", encoding="utf-8")
    scenario.workspace_path = scenario.checkout
    report = scenario.cycle()
    assert report.started == ()
    assert report.problems == ("The repository has uncommitted work. Commit or stash it first: app.py",)


def test_what_a_killed_job_opens_counts_for_the_limit(tmp_path: Path) -> None:
    scenario = started(tmp_path, recipe=ScriptedRecipe("n", "m"))
    release = scenario.world().runtime.releases()[0].name
    scenario.findings = [finding("app:f", release=release), finding("app:g", release=release)]
    scenario.cycle(Flaky(scenario.origin, tmp_path / "state" / "pull_requests.sqlite3", scenario.clock))
    report = scenario.cycle()
    assert [job.step for job in report.went_on][:1] == [Step.AWAIT_MERGE]
    assert report.started == ()


def test_a_corrupt_checkpoint_file_is_named_with_the_mend(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    for path in (tmp_path / "state").glob("checkpoints*"):
        path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(DataError, match=r"checkpoints\.sqlite3: cannot be read .*move it away"):
        scenario.cycle()


def test_a_lost_checkpoint_costs_nothing(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    scenario.cycle()
    scenario.forge.approve(1)
    for path in (tmp_path / "state").glob("checkpoints*"):
        path.unlink()
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    assert job.state is State.DONE


def test_a_second_run_is_refused(tmp_path: Path) -> None:
    scenario = started(tmp_path)
    with scenario.store.lease(), pytest.raises(LeaseHeld, match=f"process {os.getpid()} is running a cycle"):
        scenario.cycle()


CYCLES = (
    ("plan", "edit", "prove", "open_pull_request"),
    ("await_merge",),
    ("await_deploy", "compare", "learn"),
)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [step.value for step in Step])
def test_killed_at_any_step_it_goes_on_and_opens_one_pull_request(tmp_path: Path, step: str, moment: str) -> None:
    scenario = started(tmp_path)
    events: list[Callable[[], object]] = [
        lambda: scenario.forge.approve(1),
        lambda: scenario.deployed(4.0),
        lambda: None,
    ]
    for steps, event in zip(CYCLES, events, strict=True):
        if step in steps:
            command = [sys.executable, "-m", "tests.agent.scenario", str(tmp_path), moment, step]
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "agent:tools:."}, check=False)
            assert done.returncode == -signal.SIGKILL
        scenario.cycle()
        event()
    job = only_job(scenario)
    assert job.state is State.DONE
    assert job.verdict is not None
    assert job.verdict.outcome is Outcome.CONFIRMED
    assert job.pull_request is not None
    assert job.pull_request.number == 1
    assert scenario.forge.open_pull_requests() == []
    commits = git(scenario.origin, "log", "--no-merges", "--format=%s", "main").splitlines()
    assert sorted(commits) == sorted([job.pull_request.title, "first"])
    assert list((tmp_path / "git").glob("tmp/*")) == []

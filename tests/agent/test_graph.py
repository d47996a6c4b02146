from __future__ import annotations

import warnings
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from burnish.graph import JobState, build, stored_types
from burnish.job import Job, Outcome, Step
from burnish.steps import NEWS, STEPS
from tests.agent.scenario import Scenario


def test_step_names_are_a_stored_format() -> None:
    names = ["plan", "edit", "prove", "open_pull_request", "await_merge", "await_deploy", "compare", "learn"]
    assert [step.value for step in Step] == names
    assert list(STEPS) == list(Step)


def test_only_the_waits_interrupt() -> None:
    assert set(NEWS) == {Step.AWAIT_MERGE, Step.AWAIT_DEPLOY}


def test_every_step_is_a_node(tmp_path: Path) -> None:
    drawn = build(Scenario(tmp_path).world()).compile().get_graph().draw_mermaid()
    assert all(f"{step.value}(" in drawn for step in Step)


def test_every_stored_type_comes_back_from_a_checkpoint_as_itself(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path)
    scenario.deployed(10.0)
    scenario.cycle()
    scenario.forge.approve(1)
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    assert job.verdict is not None
    serde = JsonPlusSerializer(allowed_msgpack_modules=stored_types())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state = serde.loads_typed(serde.dumps_typed(JobState(job=job)))
    assert state == JobState(job=job)
    assert isinstance(state.job, Job)
    assert isinstance(state.job.verdict.outcome, Outcome)


def test_a_job_written_by_an_older_release_is_read() -> None:
    """Fields that are added later need a default: this is the least that the first release wrote."""
    text = (Path(__file__).parent / "job_v1.json").read_text(encoding="utf-8")
    assert Job.model_validate_json(text).id

"""The graph's checkpoints in PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from burnish.cycle import run_cycle
from burnish.errors import Unavailable
from burnish.graph import Jobs, serializer
from burnish.job import Job, State
from burnish.report import Report
from burnish_tools.state.checkpoints import postgres_checkpoints
from tests.agent.scenario import Scenario

AWAY = "postgres://me:s3cret@127.0.0.1:1/burnish"


def cycle(scenario: Scenario, url: str) -> Report:
    """As on a machine that has nothing but the jobs table and the server."""
    world = scenario.world()
    with closing(Jobs(world, postgres_checkpoints(url, serializer()))) as jobs:
        return run_cycle(world, jobs)


def waiting_at(scenario: Scenario, url: str, job: Job) -> bool:
    with closing(Jobs(scenario.world(), postgres_checkpoints(url, serializer()))) as jobs:
        state = jobs.graph.get_state({"configurable": {"thread_id": job.id}})
        return state.next == (job.step.value,) and bool(state.interrupts)


@pytest.mark.postgres
def test_a_job_that_waits_goes_on_at_another_machine(tmp_path: Path, state_url: str) -> None:
    scenario = Scenario(tmp_path)
    scenario.deployed(10.0)
    (job,) = cycle(scenario, state_url).started
    assert waiting_at(scenario, state_url, job)
    scenario.forge.approve(1)
    scenario.deployed(4.0)
    (done,) = cycle(scenario, state_url).went_on
    assert done.state is State.DONE
    assert done.verdict is not None


@pytest.mark.postgres
def test_a_server_that_was_restarted_in_between_does_no_harm(tmp_path: Path, state_url: str) -> None:
    scenario = Scenario(tmp_path)
    scenario.deployed(10.0)
    world = scenario.world()
    with closing(Jobs(world, postgres_checkpoints(state_url, serializer()))) as jobs:
        run_cycle(world, jobs)
        with psycopg.connect(state_url, autocommit=True) as db:
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        scenario.forge.approve(1)
        scenario.deployed(4.0)
        (done,) = run_cycle(scenario.world(), jobs).went_on
    assert done.verdict is not None


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match=r"postgres://127\.0\.0\.1:1/burnish: .*see that the server runs") as error:
        postgres_checkpoints(AWAY, serializer())
    assert "s3cret" not in str(error.value)

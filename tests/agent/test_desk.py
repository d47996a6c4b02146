"""The lead's desk on the local forge: jobs, show, approve, refuse, by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.cli import main
from burnish.job import State
from burnish.why import Why
from tests.agent.scenario import Scenario


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """A pull request that waits, and a configuration that finds it."""
    monkeypatch.chdir(tmp_path)
    text = 'state = "state"\n[service]\nname = "s"\nrepository = "origin.git"\n'
    (tmp_path / "burnish.toml").write_text(text, encoding="utf-8")
    scenario = Scenario(tmp_path)
    scenario.deployed(10.0)
    scenario.cycle()
    return scenario


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    streams = capsys.readouterr()
    return streams.err if status else streams.out


def test_jobs_and_show(desk: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = json.loads(said(capsys, "jobs", "--json"))
    assert (job["state"], job["step"]) == ("waiting", "await_merge")
    assert job["pull_request"]["url"] == f"burnish show {job['id'][:8]}"
    text = said(capsys, *job["pull_request"]["url"].split()[1:])
    assert "**Prediction.**" in text
    assert "+    return sum(quick(n))" in text


def test_approve_merges_and_the_verdict_is_shown(desk: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = desk.store.jobs()
    assert "merged 'Replace slow(n) by quick(n)'" in said(capsys, "approve", job.id[:6])
    desk.deployed(4.0)
    desk.cycle()
    assert "### Verdict: confirmed" in said(capsys, "show", job.id)
    (outcome,) = json.loads(said(capsys, "outcomes", "--json"))
    assert outcome["outcome"] == "confirmed"
    assert "confirmed" in said(capsys, "outcomes")


def test_approving_twice_changes_nothing(desk: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = desk.store.jobs()
    first = json.loads(said(capsys, "approve", job.id, "--json"))
    assert json.loads(said(capsys, "approve", job.id, "--json")) == first


def test_refuse_is_remembered_with_its_reason(desk: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = desk.store.jobs()
    said(capsys, "refuse", job.id, "--reason", "we rewrite this")
    desk.cycle()
    (job,) = desk.store.jobs()
    assert (job.state, job.why, job.detail) == (State.DECLINED, Why.CLOSED_BY_PERSON, "we rewrite this")
    assert "A person closed the pull request without merging it. we rewrite this" in said(capsys, "jobs")


def test_a_job_without_pull_request_cannot_be_approved(desk: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = desk.store.jobs()
    desk.store.save(job.model_copy(update={"id": "0123456789ab", "pull_request": None}))
    assert "job 0123456789ab has no pull request" in said(capsys, "approve", "0123", status=2)

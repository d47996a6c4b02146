from __future__ import annotations

from pathlib import Path

from burnish.job import Job
from burnish.pull_request import body, verdict_comment
from tests.agent.scenario import Scenario


def opened(path: Path) -> tuple[Scenario, Job]:
    scenario = Scenario(path)
    scenario.deployed(10.0)
    (job,) = scenario.cycle().started
    return scenario, job


def test_it_says_evidence_proof_risk_prediction_and_how_to_reproduce(tmp_path: Path) -> None:
    scenario, job = opened(tmp_path)
    text = scenario.forge.body(1)
    assert f"id={job.id}" in text
    for part in ("**Prediction.**", "**Why it is safe.**", "**Risk.**", "What production says", "What was checked"):
        assert part in text
    assert "-60% (95 % interval -63% to -57%)" in text  # the scripted proof: 0.6, ± 5 %
    assert "at least **48%** less time" in text  # 0.57 × 0.85
    assert "burnish prove" in text
    assert "+    return sum(quick(n))" in text


def test_quoted_text_cannot_leave_its_fence(tmp_path: Path) -> None:
    _, job = opened(tmp_path)
    text = body(job, "```\n@everyone fixes #1\n```")
    assert text.count("```") % 2 == 0
    assert "\n@everyone fixes #1\nʼʼʼ" in text


def test_the_verdict_names_the_promise_and_the_measurement(tmp_path: Path) -> None:
    scenario, _ = opened(tmp_path)
    scenario.forge.approve(1)
    scenario.deployed(4.0)
    (job,) = scenario.cycle().went_on
    text = verdict_comment(job)
    assert text.startswith("### Verdict: confirmed\n\nThe promise held: measured 60% less time per call")
    assert "at least −48%" in text
    assert "9.98 ms → 3.99 ms" in text

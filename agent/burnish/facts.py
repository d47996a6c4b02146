"""Plain facts for `--json` and for the tables in `burnish.views`: dictionaries of numbers and names, from the models.

Times are nanoseconds, rates per minute. The keys are a contract with whoever reads `--json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from burnish.evidence import in_a_line
from burnish.finding import Candidate, Finding, Passed, Told
from burnish.job import Job
from burnish.profile import Profile
from burnish.pull_request import reason

Row = dict[str, Any]
MINUTES_PER_WEEK = 7 * 24 * 60


def hot_rows(profile: Profile, by: str) -> list[Row]:
    """One row for each function, the dearest first; times in ns, rates per minute."""
    queries: dict[str, int] = {}
    for query in profile.queries:
        queries[query.site.function] = queries.get(query.site.function, 0) + query.executions
    rows = [
        {
            "function": f.function,
            "file": f.file,
            "line": f.line,
            "calls_per_minute": f.calls / profile.minutes,
            "own_ns_per_minute": f.own.sum / profile.minutes,
            "wall_ns_per_minute": f.wall.sum / profile.minutes,
            "p50_ns": f.wall.quantile(0.5),
            "p99_ns": f.wall.quantile(0.99),
            "queries_per_minute": queries.get(f.function, 0) / profile.minutes,
            "errors_per_minute": sum(f.errors.values()) / profile.minutes,
        }
        for f in profile.functions
    ]
    key = {"own": "own_ns", "wall": "wall_ns"}.get(by, by) + "_per_minute"
    return sorted(rows, key=lambda r: (-r[key], r["function"]))


def left_out_facts(profile: Profile) -> Row | None:
    """What the profile does not hold, with a sentence; None where it holds everything."""
    return {**profile.left_out.model_dump(), "sentence": left_out_sentence(profile)} if profile.left_out else None


def left_out_sentence(profile: Profile) -> str:
    """`Not looked at: 97,131 functions that cost least, with 4.1 % of all own time, and …`; empty where nothing is."""
    left, parts = profile.left_out, list[str]()
    if left is None:
        return ""
    if left.functions:
        parts.append(f"{left.functions:,} functions that cost least, with {left.own_share:.1%} of all own time")
    if left.statements:
        parts.append(f"{left.statements:,} statements, with {left.statement_share:.1%} of the time of all")
    return f"Not looked at: {', and '.join(parts)}." if parts else ""


def function_facts(name: str, profile: Profile) -> Row:
    """Everything about one function in one release; empty where it was not seen."""
    f = profile.function(name)
    if f is None:
        return {}
    fan_outs = [x for x in profile.fan_outs if x.function == name]
    return {
        "function": name,
        "release": profile.release,
        "file": f.file,
        "line": f.line,
        "body": f.body,
        "calls": f.calls,
        "calls_per_minute": f.calls / profile.minutes,
        "wall_ns": {
            "mean": f.wall.mean,
            "p50": f.wall.quantile(0.5),
            "p90": f.wall.quantile(0.9),
            "p99": f.wall.quantile(0.99),
            "max": f.wall.max,
        },
        "own_ns": {"mean": f.own.mean, "p50": f.own.quantile(0.5), "p99": f.own.quantile(0.99)},
        "errors": f.errors,
        "entries": f.entries,
        "callers": f.callers,
        "statements": [
            {
                "statement": x.statement,
                "site": x.site.model_dump(),
                "calls": x.calls,
                "executions_per_call": x.executions.mean,
                "identical": x.identical,
                "time_ns_per_call": x.time_ns / x.calls if x.calls else 0.0,
            }
            for x in sorted(fan_outs, key=lambda x: (-x.time_ns, x.statement_id))
        ],
    }


def cost_facts(finding: Finding) -> Row:
    """What a finding costs: seconds of the service's wall time in a week, and queries in a minute.

    `low` takes the lower end of the rate, `value` the rate itself; what one call costs is a lower bound in both.
    """
    value = finding.calls_per_minute.value * finding.removable_ns * MINUTES_PER_WEEK / 1e9
    return {
        "seconds_per_week": {"value": value, "low": finding.seconds_per_week},
        "queries_per_minute": finding.queries_per_minute,
        "evidence_line": in_a_line(finding),
    }


def candidate_facts(candidate: Candidate) -> Row:
    """A candidate with its score and cost."""
    return {
        **candidate.model_dump(mode="json"),
        "score": candidate.score,
        "fingerprint": candidate.finding.fingerprint,
        **cost_facts(candidate.finding),
    }


def told_facts(told: Told) -> Row:
    """A finding that is only told, with its cost and the reason."""
    return {
        **told.model_dump(mode="json"),
        "sentence": told.why.sentence,
        "fingerprint": told.finding.fingerprint,
        **cost_facts(told.finding),
    }


def passed_facts(passed: Passed) -> Row:
    """What was passed over, with the reason in words."""
    return {**passed.model_dump(mode="json"), "sentence": passed.why.sentence}


def finding_facts(
    candidates: Sequence[Candidate], told: Sequence[Told], passed: Sequence[Passed], profile: Profile
) -> Row:
    """All that a look at production found: in the order of work, then the dearest first, then what was left alone, and
    what was not looked at."""
    return {
        "candidates": [{"place": place, **candidate_facts(c)} for place, c in enumerate(candidates, 1)],
        "told": [told_facts(t) for t in told],
        "passed": [passed_facts(p) for p in passed],
        "left_out": left_out_facts(profile),
    }


def job_facts(job: Job) -> Row:
    """A job in a few keys."""
    return {
        "id": job.id,
        "state": job.state.value,
        "step": job.step.value,
        "kind": job.finding.kind,
        "function": job.finding.function,
        "recipe": job.recipe,
        "pull_request": job.pull_request.model_dump() if job.pull_request else None,
        "why": job.why.value if job.why else None,
        "sentence": reason(job) if job.why else (job.verdict.sentence if job.verdict else ""),
        "outcome": job.verdict.outcome.value if job.verdict else None,
    }


def outcome_facts(job: Job) -> Row:
    """Predicted against measured."""
    assert job.verdict is not None
    return {
        "job": job.id,
        "function": job.finding.function,
        "kind": job.finding.kind,
        "predicted": job.prediction.model_dump() if job.prediction else None,
        "measured": job.verdict.model_dump(mode="json"),
        "outcome": job.verdict.outcome.value,
    }

"""The view of a function as JSON: short keys with their units, three digits, what matters least left out first.

An interval is `[value, low, high]` (95 %). The keys are a contract with whoever reads `--json` and with the tools that
coding agents call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from burnish.evidence import in_a_line
from burnish.facts import Row
from burnish.finding import Finding, Interval
from burnish.function_model import Changed, FunctionView, Share, Status
from burnish.job import Job
from burnish.pull_request import reason
from burnish.tokens import fitted

TOKENS = 600
STATEMENT_LENGTH = 110
"""Characters of a statement that are shown."""
LEAST_FIRST = (
    *("callees", "jobs", "callers", "changed", "dependencies", "entries", "statements", "findings", "slow_when"),
    *("nearest", "errors", "own_share", "observed", "no_data"),
)
"""In which order elements go where the budget is tight. Of each list the first stays as long as it can."""


def function_json(view: FunctionView, tokens: int = TOKENS) -> Row:
    """The view in at most `tokens` tokens as `burnish.tokens` estimates them (name, rate and times always stay)."""
    return fitted({key: value for key, value in _all(view).items() if value not in ([], {}, None)}, tokens, LEAST_FIRST)


def _all(view: FunctionView) -> Row:
    wall = view.wall
    return {
        "function": view.function,
        "at": f"{view.site.file}:{view.site.line}" if view.site and view.site.file else None,
        "service": f"{view.service}/{view.environment}",
        "release": view.release[:12],
        "status": view.status.value,
        "no_data": list(view.no_data),
        "nearest": list(view.nearest),
        "calls_per_min": interval(view.calls_per_minute),
        "mean_ms": _ms_interval(wall.mean) if wall else None,
        "ms": {"p50": ms(wall.p50), "p90": ms(wall.p90), "p99": ms(wall.p99), "max": ms(wall.most)} if wall else None,
        "own_share": digits(view.own_share) if view.own_share is not None else None,
        "errors": most(view.errors),
        "slow_when": [
            {
                "condition": c.text,
                "share_of_slow_time": interval(c.slow_time),
                "share_of_calls": interval(c.calls),
                "p99_ms": ms(c.p99_ns),
            }
            for c in view.slow_when
        ],
        "entries": [_entry(e) for e in view.entries],
        "callers": [{"function": c.name, "calls_per_min": digits(c.calls_per_minute)} for c in view.callers],
        "statements": [
            {
                "sql": readable(s.statement),
                "at": f"{s.site.file}:{s.site.line}",
                "per_call": digits(s.executions_per_call),
                "identical_share": digits(s.identical),
                "ms_per_call": ms(s.ns_per_call),
            }
            for s in view.statements
        ],
        "dependencies": [
            {
                "what": d.what,
                "per_call": digits(d.calls_per_call),
                "mean_ms": ms(d.mean_ns),
                "failure_share": interval(d.failures),
                "timeouts": d.timeouts,
                "retries": d.retries,
            }
            for d in view.dependencies
        ],
        "callees": [{"function": c.name, "per_call": digits(c.per_call)} for c in view.callees],
        "changed": [_changed(c) for c in view.changed],
        "findings": [_finding(f) for f in view.findings],
        "jobs": [_job(j) for j in view.jobs],
        "observed": _observed(view),
    }


def most(errors: Mapping[str, int], n: int = 4) -> dict[str, int]:
    """The most frequent kinds; the others together."""
    ordered = sorted(errors.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ordered[n:])
    return dict(ordered[:n]) | ({"others": rest} if rest else {})


def _entry(entry: Share) -> Row:
    share = {} if entry.time_share is None else {"share_of_its_time": digits(entry.time_share)}
    return {"entry": entry.name or "(none)", "calls_per_min": digits(entry.calls_per_minute), **share}


def _changed(changed: Changed) -> Row:
    before, after = changed.before, changed.after
    return {
        "release": changed.release[:12],
        "since": when(changed.first_unix_ns),
        "mean_ms_before": _ms_interval(before) if before else None,
        "mean_ms_after": _ms_interval(after) if after else None,
    }


def _finding(finding: Finding) -> Row:
    told = {"for_people": True} if finding.informs else {}
    return {
        "kind": finding.kind,
        "seconds_per_week_at_least": digits(finding.seconds_per_week),
        "evidence": in_a_line(finding),
        **told,
    }


def _job(job: Job) -> Row:
    text = reason(job) if job.why else (job.verdict.sentence if job.verdict else "")
    return {
        "id": job.id[:8],
        "kind": job.finding.kind,
        "state": f"{job.state.value} at {job.step.value}",
        **({"why": short(text)} if text else {}),
        **({"pull_request": job.pull_request.url} if job.pull_request else {}),
    }


def _observed(view: FunctionView) -> Row:
    seen = view.confidence
    row: Row = {
        "calls": seen.calls,
        "windows": seen.windows,
        "instances": seen.instances,
        "hours": digits(seen.observed_hours),
        "until": when(seen.data_until_unix_ns),
    }
    if seen.last_unix_ns:
        row["last_called"] = when(seen.last_unix_ns)
    if view.status is Status.SEEN:
        row["counting"] = "every call" if not seen.calls_error else "sampled"
    if seen.calls_error:
        row |= {"calls_off_by_share": digits(seen.calls_error), "recorded_one_in": digits(seen.recorded_one_in)}
    return row


def interval(value: Interval | None) -> list[float | None] | None:
    """`[value, low, high]`; null for an end that is not known."""
    return [digits(part) for part in (value.value, value.low, value.high)] if value is not None else None


def _ms_interval(value: Interval) -> list[float | None]:
    return [digits(part / 1e6) for part in (value.value, value.low, value.high)]


def ms(ns: float) -> float | None:
    """Milliseconds, three digits."""
    return digits(ns / 1e6)


def digits(value: float, n: int = 3) -> float | None:
    """`n` significant digits, whole numbers where they are; None for what is no number."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{n}g}") if abs(value) < 10**n else float(round(value))
    return int(rounded) if rounded == int(rounded) else rounded


def when(unix_ns: int) -> str:
    """`2026-11-01T13:05Z`"""
    return f"{datetime.fromtimestamp(unix_ns / 1e9, UTC):%Y-%m-%dT%H:%MZ}"


def readable(statement: str, limit: int = STATEMENT_LENGTH) -> str:
    """A statement without quotes around its names and, where it is long, without its list of columns."""
    plain = re.sub(r'["`]', "", statement)
    if len(plain) > limit:
        plain = re.sub(r"^SELECT (DISTINCT )?.{20,}? FROM ", r"SELECT \1… FROM ", plain, count=1, flags=re.DOTALL)
    return short(plain, limit)


def short(text: str, limit: int = STATEMENT_LENGTH) -> str:
    """Cut in the middle, where a statement says least: its start and its conditions stay."""
    if len(text) <= limit:
        return text
    head = limit // 2 - 2
    return f"{text[:head]} … {text[len(text) - (limit - head - 3) :]}"

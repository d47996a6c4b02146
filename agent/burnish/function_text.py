"""The view of a function for people: one screen, every number with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from burnish.evidence import in_a_line
from burnish.finding import Interval
from burnish.function_facts import most, readable, when
from burnish.function_model import Changed, FunctionView, Share, Status, Times
from burnish.function_view import ago
from burnish.pull_request import ms, reason

MOST = 4
"""Rows of one kind."""
LABEL = 13
"""Characters of the first column."""


def function_text(view: FunctionView) -> str:
    """At most about forty lines."""
    place = f"  {view.site.file}:{view.site.line}" if view.site and view.site.file else ""
    lines = [f"{view.function}{place}  ({view.service}, {view.environment}, release {view.release[:12]})"]
    for label, rows in _sections(view):
        for number, row in enumerate(rows):
            lines.append(f"{label if not number else '':<{LABEL}} {row}".rstrip())
    return "\n".join(lines)


def _sections(view: FunctionView) -> Iterator[tuple[str, Sequence[str]]]:
    if view.calls_per_minute is not None:
        yield "how often", [f"{_rate(view.calls_per_minute)} calls per minute"]
    if view.wall is not None:
        yield "how slow", _slow(view, view.wall)
    yield (
        "slow when",
        [
            f"{c.text}: {_percent(c.slow_time)} of the slow time, {_percent(c.calls)} of the calls, p99 {ms(c.p99_ns)}"
            for c in view.slow_when
        ],
    )
    yield "from", _some([_entry(e) for e in view.entries])
    yield "called by", _some([f"{c.name} {c.calls_per_minute:,.1f}/min" for c in view.callers])
    yield (
        "queries",
        _some(
            [
                f"{s.executions_per_call:.1f} × {ms(s.ns_per_call)} in all, {s.identical:.0%} identical, at "
                f"{s.site.file}:{s.site.line}: {readable(s.statement, 120)}"
                for s in view.statements
            ]
        ),
    )
    yield "calls", _some([*_dependencies(view), *(f"{c.name} {c.per_call:.1f} ×" for c in view.callees)])
    yield "changed", _some([_changed(c) for c in view.changed])
    yield (
        "findings",
        _some([f"{f.kind}, ≥ {f.seconds_per_week:,.0f} s per week: {in_a_line(f)}" for f in view.findings]),
    )
    yield (
        "jobs",
        _some(
            [
                f"{j.id[:8]} {j.finding.kind}: {j.state.value} at {j.step.value}. {reason(j) if j.why else ''}"
                for j in view.jobs
            ]
        ),
    )
    yield "seen in", [_confidence(view)]
    yield "no data", view.no_data
    yield "did you mean", view.nearest


def _slow(view: FunctionView, wall: Times) -> list[str]:
    own = f"; {view.own_share:.0%} of it own time" if view.own_share is not None else ""
    times = f"p50 {ms(wall.p50)}, p90 {ms(wall.p90)}, p99 {ms(wall.p99)}, most {ms(wall.most)}"
    rows = [f"mean {_time(wall.mean)}; {times}{own}"]
    if view.errors:
        share = sum(view.errors.values()) / max(view.confidence.calls, 1)
        kinds = ", ".join(f"{name} {n:,}" for name, n in most(view.errors).items())
        rows.append(f"{share:.2%} end in an error: {kinds}")
    return rows


def _entry(entry: Share) -> str:
    share = "" if entry.time_share is None else f", {entry.time_share:.0%} of its time"
    return f"{entry.name or '(no entry)'} {entry.calls_per_minute:,.1f}/min{share}"


def _dependencies(view: FunctionView) -> list[str]:
    return [
        f"{d.what} {d.calls_per_call:.1f} ×, mean {ms(d.mean_ns)}, {_percent(d.failures)} fail, "
        f"{d.timeouts:,} timeouts, {d.retries:,} retries"
        for d in view.dependencies
    ]


def _changed(changed: Changed) -> str:
    calls = f"{changed.calls_before:,} and {changed.calls_after:,} calls"
    before = _time(changed.before) if changed.before else "?"
    after = _time(changed.after) if changed.after else "?"
    return f"in release {changed.release[:12]} ({when(changed.first_unix_ns)}): mean {before} → {after}, {calls}"


def _confidence(view: FunctionView) -> str:
    seen = view.confidence
    parts = [
        f"{seen.calls:,} calls, {seen.windows:,} windows of {seen.instances:,} processes, "
        f"{ago(seen.observed_hours)} observed"
    ]
    if seen.last_unix_ns:
        parts.append(f"last called {when(seen.last_unix_ns)}")
    if view.status is Status.SEEN:
        sampled = f"sampled, about 1 in {seen.recorded_one_in:.0f} recorded, calls ± {seen.calls_error:.1%}"
        parts.append(sampled if seen.calls_error else "every call counted")
    return "; ".join(parts)


def _some(rows: list[str]) -> list[str]:
    return rows if len(rows) <= MOST else [*rows[:MOST], f"and {len(rows) - MOST} more"]


def _rate(value: Interval) -> str:
    return f"{value.value:,.1f} ({value.low:,.1f} to {value.high:,.1f})" if value.n > 1 else f"{value.value:,.1f}"


def _time(value: Interval) -> str:
    return f"{ms(value.value)} ({ms(value.low)} to {ms(value.high)})" if value.n > 1 else ms(value.value)


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"

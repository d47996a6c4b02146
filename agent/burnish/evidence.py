"""What a detector saw, in one line: the numbers that make a person look, from whichever fields its kind filled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from burnish.finding import Evidence, Finding, Interval
from burnish.pull_request import ms


def in_a_line(finding: Finding) -> str:
    """`20.0 × per call at shop/views.py:31, 1.00 per row of the query before it (0.98 to 1.02)`; the first note where
    no field says more."""
    seen = finding.evidence
    parts = [*_queries(seen), *_index(seen), *_condition(seen), *_change(seen), *_dependency(seen)]
    if not parts and seen.own_share:
        parts = [f"{seen.own_share:.0%} of {ms(finding.wall_ns.value)} per call is its own"]
    return ", ".join(parts) or next(iter(seen.notes), "")


def _queries(seen: Evidence) -> Iterator[str]:
    if seen.executions_per_call:
        at = f" at {seen.site.file}:{seen.site.line}" if seen.site and seen.site.file else ""
        yield f"{seen.executions_per_call:.1f} × per call{at}"
    if seen.identical_per_call >= 1:
        yield f"{seen.identical_per_call:.1f} of them identical"
    if seen.slope is not None:
        yield f"{seen.slope.value:.2f} per row of the query before it ({seen.slope.low:.2f} to {seen.slope.high:.2f})"


def _index(seen: Evidence) -> Iterator[str]:
    if seen.table:
        columns = f" ({', '.join(seen.columns)})" if seen.columns else ""
        yield f"{seen.table}{columns}, {seen.table_rows:,} rows"


def _condition(seen: Evidence) -> Iterator[str]:
    if seen.conditions:
        share = f"{_percent(seen.slow_share)} of the slow time " if seen.slow_share is not None else "slow "
        yield share + "when " + " and ".join(seen.conditions)


def _change(seen: Evidence) -> Iterator[str]:
    if seen.before is not None and seen.after is not None:
        change = f"{ms(seen.before.value)} → {ms(seen.after.value)} per call"
        yield f"{change} ({ms(seen.after.low)} to {ms(seen.after.high)})"
    if seen.since_release:
        yield f"since release {seen.since_release[:12]}"
    elif seen.since_unix_ns:
        yield f"since {datetime.fromtimestamp(seen.since_unix_ns / 1e9, UTC):%Y-%m-%d %H:%M} UTC"
    if seen.suspects:
        yield "changed in it: " + ", ".join(seen.suspects[:2])


def _dependency(seen: Evidence) -> Iterator[str]:
    if seen.peer:
        yield f"calls {seen.peer}"
    if seen.failure_share is not None:
        yield f"{_percent(seen.failure_share)} fail"


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"

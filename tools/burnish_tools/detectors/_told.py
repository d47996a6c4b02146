"""A change over time as a finding: numbers with their intervals, and sentences for people."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from burnish.changes import average
from burnish.distribution import Hour, Shift, shift
from burnish.finding import Evidence, Finding, Interval
from burnish.standard import QUERIES, WALL
from burnish_tools.detectors._before import Before
from burnish_tools.detectors._blame import Graph, changed
from burnish_tools.detectors._boundary import Rise
from burnish_tools.detectors._measure import MS, finding

NEAREST_HOURS = 24
"""Hours on each side of the release whose distributions are compared: those next to it."""


def told(rise: Rise) -> str:
    """The rise as a sentence without its full stop."""
    unit, what = (1.0, "queries") if rise.measure == QUERIES else (MS, "ms")
    change = rise.change
    share = f" ({change.value / rise.was:+.0%})" if rise.was > 0 else ""
    return (
        f"a call: {rise.was / unit:.2f} → {(rise.was + change.value) / unit:.2f} {what}{share}, "
        f"{change.low / unit:+.2f} to {change.high / unit:+.2f}, since release {rise.sides.release[:12]}, "
        f"in {len(rise.sides.after)} hours against {len(rise.sides.before)} before"
    )


def regressed(rise: Rise, before: Before, graph: Graph) -> Finding:
    """The finding, with what changed in the release."""
    span, sides = (before.since, before.until), rise.sides
    suspects = changed(before.runtime, graph, rise.stats.function, span, before.either_side(sides), before.earlier)
    old, new = sides.values(WALL, sides.matched(before.limits.hours))
    time = sides.compared(WALL, before.limits.hours)
    evidence = Evidence(
        before=average(old),
        after=average(new),
        since_release=sides.release,
        since_unix_ns=next(r.first_unix_ns for r in before.releases if r.name == sides.release),
        suspects=suspects,
        notes=(f"One {told(rise)}.", *_distribution(rise, before), *_without_suspect(suspects)),
    )
    seen = finding(
        "regression",
        rise.stats,
        before.profile,
        before.runtime,
        evidence,
        removable_ns=max(0.0, time[0].low) if time else 0.0,
        removable_queries=_queries(rise, before),
    )
    return seen.model_copy(update={"informs": True})


def moved(before: Sequence[Hour], after: Sequence[Hour], seed: str, unit: str = "hours") -> Iterator[str]:
    """What became of the distribution, as sentences; none where there are too few hours."""
    seen = shift(before, after, random.Random(seed))
    if seen is not None:
        yield f"Quantiles that moved: {_quantiles(seen) or 'none beyond their intervals'}."
        yield (
            f"The distribution moved by {seen.distance_ns / MS:.2f} ms a call (Wasserstein); "
            f"with the {unit} relabelled at random it moves by up to {seen.by_chance_ns / MS:.2f} ms."
        )


def _distribution(rise: Rise, before: Before) -> Iterator[str]:
    sides = rise.sides
    old = before.hours(rise.stats.function, sides.before[-NEAREST_HOURS:])
    new = before.hours(rise.stats.function, sides.after[:NEAREST_HOURS])
    yield from moved(list(old), list(new), rise.stats.function)


def _quantiles(seen: Shift) -> str:
    return ", ".join(f"p{q.q * 100:g} {_ms(q.before)} → {_ms(q.after)} ms" for q in seen.quantiles if q.moved)


def _ms(value: Interval) -> str:
    return f"{value.value / MS:.2f} ({value.low / MS:.2f} to {value.high / MS:.2f})"


def _without_suspect(suspects: Sequence[str]) -> Iterator[str]:
    if not suspects:
        yield "Neither its code nor that of what it calls changed: data, settings or a library may have."


def _queries(rise: Rise, before: Before) -> float:
    """More queries per call, at least."""
    compared = rise.sides.compared(QUERIES, before.limits.hours)
    return max(0.0, compared[0].low) if compared else 0.0

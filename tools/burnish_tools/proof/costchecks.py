"""What the measured rounds mean: the checks `cost`, `memory` and `cold start`, and the effects of the proof."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import median

from burnish.finding import Interval
from burnish.job import Check, Effect
from burnish.stats import bootstrap, median_saving
from burnish.why import Why
from burnish_tools.proof.cost import CALLS, Bench, Round
from burnish_tools.proof.settings import ProofSettings

WORSE_AT_SCALE = 0.10
"""The same as for memory: what a fourfold input may take more, relative to what the plain one takes."""
FIRST_TIME_SHARE = 0.5
"""A gain that is less than half as large when an input is seen for the first time comes from remembering inputs."""


def cost_check(bench: Bench, inputs: str) -> Check:
    """Faster by more than the bar and the noise, also on inputs (`20 held-out requests`) new to the process."""
    saving, control = bench.saving, bench.control
    measured = (
        f"{_percent(saving)} of the function's time in {saving.n} interleaved rounds on {inputs}; "
        f"old against itself {_percent(control)}"
    )
    if bench.too_noisy:
        return _no(Why.TOO_NOISY, f"Saves {measured}: too noisy to tell; try again on a quieter machine.")
    if not bench.faster:
        return _no(Why.NOT_FASTER, f"Saves {measured}; the bar is {bench.bar:.1%}.")
    first = median_saving([r.first_pass for r in bench.rounds])
    if first < FIRST_TIME_SHARE * saving.value:
        summary = f"Saves {saving.value:.0%} on repeated inputs, {first:.0%} on new ones: a memory of inputs."
        return _no(Why.NOT_FASTER, summary)
    return Check(name="cost", passed=True, summary=f"Saves {measured}.")


def memory_check(bench: Bench, settings: ProofSettings) -> Check:
    """The peak may not grow by more than the configured share."""
    growth = median(r.memory for r in bench.rounds) - 1
    summary = f"Peak memory of the replaying process: {growth:+.1%} (limit {settings.max_memory_growth:+.0%})."
    passed = growth <= settings.max_memory_growth
    return Check(name="memory", passed=passed, summary=summary, why=None if passed else Why.NOT_FASTER)


def cold_check(bench: Bench, settings: ProofSettings, rng: random.Random, what: str = "requests") -> Check:
    """The first requests of a fresh process may not become slower, beyond noise, by more than the configured share."""
    change = bootstrap([r.cold for r in bench.rounds], median_saving, rng)
    summary = f"Time of the first {what} after a start: {-change.value:+.1%} (limit {settings.max_cold_growth:+.0%})."
    passed = -change.value <= settings.max_cold_growth or change.high >= 0
    return Check(name="cold start", passed=passed, summary=summary, why=None if passed else Why.NOT_FASTER)


def shape_check(rounds: Sequence[Round], scales: Sequence[str], rng: random.Random) -> Check:
    """With larger inputs the change may not lose, beyond noise, what it gains: new ÷ old at the largest of `scales`
    (names of entries, the smallest first) against the same at the smallest."""
    ratios = {scale: [r.walls[scale][1] / r.walls[scale][0] for r in rounds if scale in r.walls] for scale in scales}
    pairs = zip(ratios[scales[-1]], ratios[scales[0]], strict=True)
    change = bootstrap([large / small for large, small in pairs], median_saving, rng)
    shown = ", ".join(f"{1 - median_saving(ratios[scale]):.2g} at {scale.split()[-1]}" for scale in scales)
    worse = change.high < -WORSE_AT_SCALE
    summary = f"New ÷ old by size of the arguments: {shown}."
    return Check(name="scaling", passed=not worse, summary=summary, why=Why.SCALES_WORSE if worse else None)


def effects(bench: Bench, function: str, queries: tuple[float, float], rng: random.Random) -> tuple[Effect, ...]:
    """Time and queries of the function, time of each entry, peak memory. Times are those of the round whose ratio is
    the middle one: two medians, each over its own side, could come from different weather."""
    rounds = bench.rounds

    def time(subject: str, sides: Sequence[tuple[float, float]], saving: Interval) -> Effect:
        before, after = sorted(sides, key=lambda side: side[1] / side[0])[len(sides) // 2]
        return Effect(what="time", subject=subject, unit="ns", before=before, after=after, saving=saving)

    found = [time(function, [r.call_ns for r in rounds], bench.saving)]
    found.append(_queries(function, *queries))
    for entry in sorted({entry for r in rounds for entry in r.walls} - {CALLS}):
        mine = [r for r in rounds if entry in r.walls]
        sides = [(r.walls[entry][0] / r.sent[entry], r.walls[entry][1] / r.sent[entry]) for r in mine]
        found.append(time(entry, sides, bootstrap([new / old for old, new in sides], median_saving, rng)))
    found.append(
        Effect(
            what="peak_memory",
            subject="the replaying process",
            unit="MB",
            before=median(r.peak_kb[0] for r in rounds) / 1024,
            after=median(r.peak_kb[1] for r in rounds) / 1024,
            saving=bootstrap([r.memory for r in rounds], median_saving, rng),
        )
    )
    return tuple(found)


def _queries(function: str, before: float, after: float) -> Effect:
    """Counted, not sampled: the interval is the value."""
    saving = 1 - after / before if before else 0.0
    exact = Interval(value=saving, low=saving, high=saving, n=1)
    return Effect(what="queries", subject=function, unit="per call", before=before, after=after, saving=exact)


def _percent(saving: Interval) -> str:
    if math.isinf(saving.low):
        return f"{saving.value:.1%}"
    return f"{saving.value:.1%} ({saving.low:.1%} to {saving.high:.1%})"


def _no(why: Why, summary: str) -> Check:
    return Check(name="cost", passed=False, summary=summary, why=why)

"""Accuracy: what the windows of one run add up to, against the truth of the same run.

The functions that are observed know the truth: they wait on the clock for drawn durations and log what they did
(`probes/observed.py`), and what calls them is not observed and counts the calls. What a call takes beyond what it can
log, its frame, is measured without the sensor and added (`frame_ns`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from burnish.histogram import Histogram, merged
from evals.bench.sensor import probe
from evals.bench.sensor.cases import CASES, LIGHT, Case
from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.probes.accuracy import generate
from evals.bench.sensor.report import Table, progress
from evals.bench.sensor.settings import Settings

SCALE = 3
COVERED = 1.96
"""Standard errors on each side of the estimate within which the truth should be in 95 % of cases."""


@dataclass(frozen=True)
class Seen:
    """What the sensor said of a function, over all windows. `calls_se`: the stated standard error, None if unstated."""

    calls: float
    wall: Histogram
    own: Histogram
    errors: int
    queries: int
    sampled: bool
    calls_se: float | None


@dataclass(frozen=True)
class Compared:
    """One function: relative errors of the number of calls and of total time; `buckets`: how far p50, p90, p99 are."""

    function: str
    rate: float
    calls: float
    time: float
    buckets: tuple[int, ...]
    errors: bool
    queries: bool
    sampled: bool
    covered: bool | None


def requirements(settings: Settings) -> list[str]:
    """Nothing but the sensor."""
    return []


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """One table for a Python version, two rows a case."""
    root = settings.scratch / f"accuracy-{environment.version}"
    root.mkdir()
    generate(root, max(len(case.loads) for case in CASES))
    frame = float(_played(environment, root, {"root": str(root)})["frame_ns"])
    found = {}
    with progress(f"accuracy {environment.version}", len(CASES)) as advance:
        for case in CASES:
            found[case.name] = _case(case, environment, settings, root, frame)
            advance(case.name)
    return [_table(environment, settings, found, frame)]


def _played(environment: Environment, root: Path, told: dict[str, Any], output: str = "", window: float = 10) -> Any:
    variables = probe.sensor_variables(root, root / output, window)
    try:
        return probe.run(environment, "accuracy", told, variables, cwd=root)
    except DoesNotRun as error:
        raise BenchError(str(error)) from error


def _case(case: Case, environment: Environment, settings: Settings, root: Path, frame: float) -> list[Compared]:
    output = "windows-" + case.name.replace(" ", "-")
    seconds = settings.accuracy_seconds
    told = {"root": str(root), "sensor": True, "case": case.told(), "seconds": seconds, "seed": settings.seed}
    truths = _played(environment, root, told, output, window=2 if settings.quick else 10)
    seen = summed(probe.windows(root / output))
    if not seen:
        raise BenchError(f"{case.name}: the sensor did not observe a call")
    return [compared(t, seen.get(t["function"]), seconds, frame) for t in truths if t["calls"]]


def summed(windows: Iterable[dict[str, Any]]) -> dict[str, Seen]:
    """The call and query rows of all windows by function."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    queries: dict[str, int] = defaultdict(int)
    for window in windows:
        for row in window["calls"]:
            rows[row["function"]].append(row)
        for row in window["queries"]:
            queries[row["function"]] += row["executions"]
    return {function: _sum(group, queries[function]) for function, group in rows.items()}


def _sum(rows: Sequence[dict[str, Any]], queries: int) -> Seen:
    stated = [row["calls"] * row["calls_error"] for row in rows if row.get("calls_error") is not None]
    return Seen(
        calls=sum(row["calls"] for row in rows),
        wall=merged(Histogram.model_validate(row["wall"]) for row in rows),
        own=merged(Histogram.model_validate(row["own"]) for row in rows),
        errors=sum(sum(row["errors"].values()) for row in rows),
        queries=queries,
        sampled=any("rate" in row for row in rows),
        calls_se=math.sqrt(sum(one * one for one in stated)) if stated else None,
    )


def compared(truth: dict[str, Any], seen: Seen | None, seconds: float, frame_ns: float) -> Compared:
    """The truth of a function against what was seen; a function that was not seen at all is wrong by all of it."""
    rate = truth["calls"] / seconds
    if seen is None:
        quiet = (truth["errors"] == 0, truth["queries"] == 0)
        return Compared(truth["function"], rate, -1.0, -1.0, (), *quiet, sampled=True, covered=None)
    off = seen.calls - truth["calls"]
    # of a generator or a coroutine the pauses make wall time; its own time is what tells whether awaits were left out
    time, total = (
        (truth["wall_ns"] + frame_ns * truth["outermost"], seen.wall.sum)
        if truth["own_ns"] is None
        else (truth["own_ns"], seen.own.sum)
    )
    covered = None if seen.calls_se is None else abs(off) <= max(COVERED * seen.calls_se, 0.5)
    return Compared(
        function=truth["function"],
        rate=rate,
        calls=off / truth["calls"],
        time=total / time - 1,
        buckets=tuple(
            bucket(seen.wall.quantile(q)) - bucket(value + frame_ns)
            for q, value in zip((0.5, 0.9, 0.99), truth["quantiles"], strict=False)
        ),
        errors=seen.errors == truth["errors"],
        queries=seen.queries == truth["queries"],
        sampled=seen.sampled,
        covered=covered,
    )


def bucket(value: float) -> int:
    """The index of the histogram's bucket (docs/format.md) of a value above 0."""
    return math.ceil(math.log2(max(value, 1.0)) * (1 << SCALE)) - 1


def _table(environment: Environment, settings: Settings, found: dict[str, list[Compared]], frame: float) -> Table:
    rows = []
    for name, every in found.items():
        for light in (True, False):
            group = [one for one in every if (one.rate < LIGHT) is light]
            if group:
                rows.append(row(f"{name}, {'below' if light else 'from'} {LIGHT:,}/s", group))
    stated = [one.covered for every in found.values() for one in every if one.covered is not None]
    covers = (
        f"the stated sampling errors cover the truth in {sum(stated)} of {len(stated)} functions "
        f"({sum(stated) / len(stated):.1%}; {COVERED} standard errors to each side)"
        if stated
        else "no sampling error was stated"
    )
    return Table(
        f"Accuracy, {environment.name}",
        f"One run of {settings.accuracy_seconds:g} s a case, against the truth that the functions log in the same run. "
        f"Time is total wall time (own time of generators and coroutines), with {frame:.0f} ns a call for the frame, "
        "which a function cannot log. A quantile is right within one histogram bucket (9 %) of the true one.",
        ["functions", "n", "calls/s", "sampled", "exact", "error of calls: median, worst",
         "of total time: median, worst", "quantiles right",
         "errors, queries exact", "stated error covers"],
        rows,
        [covers],
        {name: [vars(one) for one in every] for name, every in found.items()},
    )  # fmt: skip


def _off(errors: Sequence[float]) -> str:
    return f"{median(abs(error) for error in errors):.2%}, {max(errors, key=abs):+.2%}"


def row(title: str, group: Sequence[Compared]) -> list[str]:
    """One line for some functions."""
    right = [abs(off) <= 1 for one in group for off in one.buckets]
    stated = [one.covered for one in group if one.covered is not None]
    return [
        title,
        f"{len(group)}",
        f"{sum(one.rate for one in group):,.0f}",
        f"{sum(one.sampled for one in group)}",
        f"{sum(one.calls == 0 for one in group)}",
        _off([one.calls for one in group]),
        _off([one.time for one in group]),
        f"{sum(right)} of {len(right)}",
        "yes" if all(one.errors and one.queries for one in group) else "no",
        f"{sum(stated)} of {len(stated)}" if stated else "–",
    ]

"""Memory: resident memory with and without the sensor, of a process that calls 20,000 functions in every window."""

from __future__ import annotations

import random
import shutil

from evals.bench.sensor import probe, ratios
from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.generated import compiled, project
from evals.bench.sensor.ratios import AGAIN, OURS, PLAIN, SENSOR, shuffled
from evals.bench.sensor.report import Table, interval, progress
from evals.bench.sensor.settings import Settings

FUNCTIONS, MODULES = 20_000, 200
WINDOWS, WINDOW_SECONDS = 5, 3.0
PAIRS = 5
Measured = dict[str, dict[str, float]]
"""By what was measured (`window 1`, `peak`), MiB by variant."""


def requirements(settings: Settings) -> list[str]:
    """Nothing but the sensor."""
    return []


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """The table of one Python version."""
    root = settings.scratch / f"memory-{environment.version}"
    names = project(root, MODULES, FUNCTIONS // MODULES, settings.seed)
    compiled(root, environment.python)
    pairs, windows = (2, 2) if settings.quick else (PAIRS, WINDOWS)
    told = {"root": str(root), "modules": names, "windows": windows, "window_seconds": WINDOW_SECONDS}
    rng = random.Random(settings.seed)
    rounds: list[Measured] = []
    seen = 0
    with progress(f"memory {environment.version}", pairs * len(OURS)) as advance:
        for _ in range(pairs):
            one: Measured = {}
            for variant in shuffled(OURS, rng):
                shutil.rmtree(root / "windows", ignore_errors=True)
                variables = probe.sensor_variables(root, root / "windows", WINDOW_SECONDS)
                try:
                    found = probe.run(environment, "project", {**told, "variant": variant}, variables, cwd=root)
                except DoesNotRun as error:
                    raise BenchError(str(error)) from error
                for name, kilobytes in _named(found["rss_kb"], found["peak_kb"]).items():
                    one.setdefault(name, {})[variant] = kilobytes / 1024
                if variant == SENSOR:
                    seen = len({row["function"] for w in probe.windows(root / "windows") for row in w["calls"]})
                advance(variant)
            rounds.append(one)
    return [_table(environment, settings, rounds, seen)]


def _named(resident: list[int], peak: int) -> dict[str, int]:
    windows = {f"after window {number}": value for number, value in enumerate(resident[1:], start=1)}
    return {"after the imports": resident[0], **windows, "peak": peak}


def _table(environment: Environment, settings: Settings, rounds: list[Measured], seen: int) -> Table:
    rows = []
    for name in rounds[0]:
        own = [one[name] for one in rounds]
        plain = sorted(one[PLAIN] for one in own)[len(own) // 2]
        more = [interval(ratios.difference(own, v, random.Random(settings.seed)), 1) for v in (AGAIN, SENSOR)]
        rows.append([name, f"{plain:.1f}", *more])
    return Table(
        f"Memory, {environment.name}",
        f"Resident memory in MiB of a process that imports {MODULES} modules and calls their {FUNCTIONS:,} functions "
        f"three times in each window of {WINDOW_SECONDS:g} s; differences from the same process without the sensor, "
        f"medians of n = {len(rounds)} interleaved pairs of fresh processes with 95 % bootstrap intervals.",
        ["", "plain", f"{AGAIN}, more", "sensor, more"],
        rows,
        [f"the sensor's windows named {seen:,} functions"],
        {"rounds": rounds},
    )

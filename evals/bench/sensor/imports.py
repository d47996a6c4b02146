"""Import and start: what the sensor adds to the start of a process, and to the imports of a large project."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from statistics import median
from typing import Any

from burnish.stats import bootstrap
from evals.bench.sensor import probe, ratios
from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import BenchError, DoesNotRun
from evals.bench.sensor.generated import compiled, project
from evals.bench.sensor.ratios import AGAIN, OURS, PLAIN, SENSOR, shuffled
from evals.bench.sensor.report import Table, interval, progress
from evals.bench.sensor.settings import Settings

MODULES, FUNCTIONS = 5_000, 20
QUICK_MODULES = 500
STARTS = (PLAIN, "import", "import and start")
EACH = 3
"""Processes that only start are this many times as many as the pairs of the project."""


def requirements(settings: Settings) -> list[str]:
    """Nothing but the sensor."""
    return []


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """Two tables for a Python version."""
    return [_start(environment, settings), _project(environment, settings)]


def _start(environment: Environment, settings: Settings) -> Table:
    root = settings.scratch / f"start-{environment.version}"
    root.mkdir()
    rng = random.Random(settings.seed)
    rounds: list[dict[str, dict[str, float]]] = []
    count = settings.import_pairs * EACH
    with progress(f"import {environment.version}", count + 1) as advance:
        for number in range(count + 1):
            one = {variant: _one_start(environment, root, variant) for variant in shuffled(STARTS, rng)}
            rounds += [one] if number else []  # the first writes __pycache__
            advance()
    return _start_table(environment, settings, rounds)


def _one_start(environment: Environment, root: Path, variant: str) -> dict[str, float]:
    variables = probe.sensor_variables(root, root / "windows", 10)
    began = time.perf_counter()
    found = _run(environment, "start", {"variant": variant}, variables, root)
    whole = (time.perf_counter() - began) * 1000
    return {"import": found["import_ns"] / 1e6, "start": found["start_ns"] / 1e6, "process": whole}


def _start_table(environment: Environment, settings: Settings, rounds: list[dict[str, dict[str, float]]]) -> Table:
    rng = random.Random(settings.seed)
    last = STARTS[-1]
    rows = [
        [f"`{name}`", interval(bootstrap([one[last][key] for one in rounds], median, rng), 1)]
        for name, key in (("import burnish_sensor", "import"), ("burnish_sensor.start()", "start"))
    ]
    for variant in STARTS[1:]:
        whole = [{name: one[name]["process"] for name in (PLAIN, variant)} for one in rounds]
        rows.append([f"whole process, {variant}, more", interval(ratios.difference(whole, variant, rng), 1)])
    return Table(
        f"Import, {environment.name}",
        f"Milliseconds of wall time, medians of n = {len(rounds)} fresh processes with 95 % bootstrap intervals; the "
        "whole process (with its last window and exit) against one that does neither, interleaved.",
        ["", "ms"],
        rows,
        raw={"rounds": rounds},
    )


def _project(environment: Environment, settings: Settings) -> Table:
    root = settings.scratch / f"import-{environment.version}"
    modules = QUICK_MODULES if settings.quick else MODULES
    names = project(root, modules, FUNCTIONS, settings.seed)
    compiled(root, environment.python)
    rng = random.Random(settings.seed)
    rounds: list[dict[str, dict[str, float]]] = []
    with progress(f"import {modules:,} modules {environment.version}", settings.import_pairs + 1) as advance:
        for number in range(settings.import_pairs + 1):
            one = {variant: _one_import(environment, root, names, variant) for variant in shuffled(OURS, rng)}
            rounds += [one] if number else []  # the first reads the disk
            advance()
    rows = []
    for title, key in (("wall time", "wall_ns"), ("CPU time", "cpu_ns")):
        own = [{variant: found[key] / 1e9 for variant, found in one.items()} for one in rounds]
        compared = [interval(ratios.ratio(own, v, random.Random(settings.seed))) for v in (AGAIN, SENSOR)]
        rows.append([title, f"{median(one[PLAIN] for one in own):.2f}", *compared])
    return Table(
        f"Importing a project of {modules:,} modules, {environment.name}",
        f"{FUNCTIONS} functions a module, `__pycache__` warm; ratios to the imports without the sensor, medians of n = "
        f"{len(rounds)} interleaved pairs of fresh processes with 95 % bootstrap intervals.",
        ["", "plain, s", AGAIN, "sensor"],
        rows,
        raw={"rounds": rounds},
    )


def _one_import(environment: Environment, root: Path, names: list[str], variant: str) -> dict[str, Any]:
    shutil.rmtree(root / "windows", ignore_errors=True)
    told = {"root": str(root), "modules": names, "variant": variant, "windows": 0}
    return _run(environment, "project", told, probe.sensor_variables(root, root / "windows", 10), root)


def _run(
    environment: Environment, name: str, told: dict[str, Any], variables: dict[str, str], cwd: Path
) -> dict[str, Any]:
    try:
        return probe.run(environment, name, told, variables, cwd=cwd)
    except DoesNotRun as error:
        raise BenchError(str(error)) from error

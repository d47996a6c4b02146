"""Flush: how long another thread waits for the GIL while a window of 20,000 functions is written.

`flush_gil.py` beside this file measures one process; here it runs several times on each version.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from statistics import median

from evals.bench.sensor.environments import REPOSITORY, Environment
from evals.bench.sensor.errors import BenchError
from evals.bench.sensor.report import Table, progress
from evals.bench.sensor.settings import Settings

SCRIPT = Path(__file__).with_name("flush_gil.py")
RUNS = 5


def requirements(settings: Settings) -> list[str]:
    """Nothing but the sensor."""
    return []


def measure(environment: Environment, settings: Settings) -> list[Table]:
    """The table of one Python version: every number that the script prints."""
    if not SCRIPT.exists():
        raise BenchError(f"{SCRIPT.relative_to(REPOSITORY)} is missing")
    runs = []
    count = 1 if settings.quick else RUNS
    with progress(f"flush {environment.version}", count) as advance:
        for _ in range(count):
            runs.append(_one(environment, settings.scratch))
            advance()
    rows = [
        [name.replace("_", " "), *(f"{pick(run[name] for run in runs):.3g}" for pick in (median, max))]
        for name in runs[0]
        if all(name in run for run in runs)
    ]
    return [
        Table(
            f"Flush, {environment.name}",
            f"n = {count} fresh processes; the script's docstring says how each number is taken.",
            ["", "median", "largest"],
            rows,
            raw={"runs": runs},
        )
    ]


def _one(environment: Environment, scratch: Path) -> dict[str, float]:
    command = [str(environment.python), str(SCRIPT)]
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            env=environment.environ({}),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{SCRIPT.name} took more than 600 s") from error
    if done.returncode:
        raise BenchError(f"{SCRIPT.name} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    return numbers(done.stdout)


def numbers(output: str) -> dict[str, float]:
    """The numbers of the last line, which is one JSON object. Raises BenchError where it is not."""
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1] if lines else "")
    except ValueError as error:
        raise BenchError(f"{SCRIPT.name}: the last line it printed is not JSON: {output.strip()[-200:]!r}") from error
    if not isinstance(found, dict):
        raise BenchError(f"{SCRIPT.name}: the last line it printed is not an object: {output.strip()[-200:]!r}")
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}

"""Runs a probe: a script of `probes/` in a process of its own, in the environment that is measured.

A probe gets its instructions as JSON in its only argument and prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.bench.sensor.environments import Environment
from evals.bench.sensor.errors import DoesNotRun

PROBES = Path(__file__).parent / "probes"


def run(
    environment: Environment,
    probe: str,
    instructions: Mapping[str, Any],
    variables: Mapping[str, str],
    *,
    cwd: Path,
    seconds: float = 600,
) -> dict[str, Any]:
    """What the probe printed. Raises DoesNotRun with the end of its stderr."""
    command = [str(environment.python), str(PROBES / f"{probe}.py"), json.dumps(instructions)]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment.environ(variables),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DoesNotRun(f"{probe} took more than {seconds:g} s with {instructions}") from error
    if done.returncode:
        raise DoesNotRun(f"{probe}.py in {cwd.name} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def windows(output: Path) -> Iterator[dict[str, Any]]:
    """The windows that a sensor wrote to a directory, whole lines only (docs/format.md)."""
    for file in sorted(output.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def sensor_variables(root: Path, output: Path, window_seconds: float) -> dict[str, str]:
    """How the sensor is told where the application is and where its windows go."""
    return {
        "BURNISH_ROOT": str(root),
        "BURNISH_OUTPUT": str(output),
        "BURNISH_SERVICE": "bench",
        "BURNISH_RELEASE": "bench",
        "BURNISH_WINDOW_SECONDS": f"{window_seconds:g}",
    }

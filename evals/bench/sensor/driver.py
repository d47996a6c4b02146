"""The second process: drives a server with a burst of load whenever it is told to, one JSON object a line.

    {"url": …, "mix": …, "scale": 1.0, "seed": 3, "users": 2, "requests": 400}
    {"elapsed_s": 1.98, "latencies_ms": […], "errors": 0}

The requests of a burst depend on the seed alone, so that every server of a round gets the same ones. No think time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.services.load import Limits, Run, parse_target
from evals.services.traffic import load_mix

LONGEST = 120.0


def main() -> None:
    """Serve bursts until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(burst(json.loads(line))), flush=True)


def burst(told: dict[str, Any]) -> dict[str, Any]:
    """Send the load. `died` says why a server stopped answering."""
    mix = replace(load_mix(Path(told["mix"]), told["scale"]), think_mean_s=0.0)
    run = Run(parse_target(told["url"]), mix, Limits(LONGEST, told["users"], told["requests"]), told["seed"])
    run.execute()
    return {
        "elapsed_s": run.elapsed_s,
        "latencies_ms": [sample.latency_ms for sample in run.samples if sample.status is not None],
        "errors": sum(not sample.ok for sample in run.samples),
        "died": run.died,
    }


if __name__ == "__main__":
    main()

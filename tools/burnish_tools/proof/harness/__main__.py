"""`python -m burnish_harness JOB.json`: one mode of one arm; the answer goes to the file that the job names.

    {"mode": "routes" | "equality" | "cost" | "calls" | "generate" | "callcost" | "literals",
     "answer": FILE, "service": {...}, "function": "module:Qualified.name",
     "requests": [...], "clock": {"instant", "step"} or null, "seed": n}

`service` is what `boot.start` takes. The answer is {"ok": true, ...} or {"ok": false, "problem": "start" | "function",
"error": text}.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any


def main(path: str) -> None:
    """Reads the job, does it, writes the answer. Never raises: an error is an answer."""
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    job["speak_on"] = os.dup(1)  # the service may print; what it prints is no answer
    os.dup2(2, 1)
    try:
        answer = {"ok": True, **run(job)}
    except LookupError as error:
        answer = {"ok": False, "problem": "function", "error": str(error)}
    except BaseException:  # noqa: BLE001 - also SystemExit of the service is an answer
        answer = {"ok": False, "problem": "start", "error": traceback.format_exc(limit=-8)}
    with open(job["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Clock and randomness come first: modules that the service imports must find them in place."""
    if job.get("clock"):
        from . import determinism

        determinism.install(**job["clock"], seed=job["seed"])
    from . import boot

    service = boot.start(job["service"])
    if job["mode"] == "routes":
        return {"entries": service.host.entries(job["paths"])}
    if job["mode"] in ("calls", "generate", "callcost", "literals"):
        from . import calls, literals

        modes = {"calls": calls.replay, "generate": calls.generate, "callcost": calls.cost, "literals": literals.run}
        return modes[job["mode"]](job, service)
    if job["mode"] == "cost":
        from . import cost as mode
    else:
        from . import equality as mode  # type: ignore[no-redef]
    return mode.run(job, service)


if __name__ == "__main__":
    main(sys.argv[1])

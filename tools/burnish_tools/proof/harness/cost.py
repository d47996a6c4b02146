"""Mode `cost`: how long a request and each call of the judged function take, in a process nobody has used before.

Spoken to by lines: a request's number is answered by {"wall": ns, "calls": [ns, ...]}, `peak` by {"peak_kb": n}. The
garbage collector stays on, nothing is recorded but times.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from time import perf_counter_ns
from typing import Any

from .boot import Booted
from .host import Send
from .wrap import Probe, wrap


class Timer(Probe):
    """Inclusive time of each outermost call, ns."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def begin(self) -> list[int]:
        self.depth += 1
        return [0, perf_counter_ns()]

    def pause(self, call: list[int]) -> None:
        call[0] += perf_counter_ns() - call[1]
        self.depth -= 1

    def resume(self, call: list[int]) -> None:
        self.depth += 1
        call[1] = perf_counter_ns()

    def end(self, call: list[int], args: Any, result: Any, error: Any) -> None:
        self.pause(call)
        self.times.append(call[0])


def run(job: dict[str, Any], service: Booted) -> dict[str, Any]:
    """Answers until nobody asks any more."""
    timer = Timer()
    wrap(job["function"], timer)
    send = service.host.sender(job["headers"])
    with os.fdopen(int(job["speak_on"]), "w", encoding="utf-8") as speaker:
        for line in sys.stdin:
            asked = line.strip()
            if asked == "peak":
                told: dict[str, Any] = {"peak_kb": _peak_kb()}
            else:
                with service.rolled_back():
                    told = _timed(send, timer, job["requests"][int(asked)])
            speaker.write(json.dumps(told) + "\n")
            speaker.flush()
    return {}


def _timed(send: Send, timer: Timer, target: str) -> dict[str, Any]:
    timer.times = []
    begun = perf_counter_ns()
    send(target)
    return {"wall": perf_counter_ns() - begun, "calls": timer.times}


def _peak_kb() -> int:
    """`ru_maxrss` is in kilobytes, but on macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak

"""What the accuracy part plays: functions of a kind, called at a rate, in a pattern."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

LIGHT = 1000
"""Calls per second below which a function must be counted and timed exactly."""


@dataclass(frozen=True)
class Load:
    """One function. `rate`: calls per second that are tried; `median_ns`: of its lognormal durations.

    `pattern`: `steady` (times drawn uniformly), `burst` (all within one 150 ms of a second), `comb` (in the first 10 ms
    of every 100 ms), `swing` (steady, ten times as long in every other 250 ms).
    """

    kind: str
    rate: float
    median_ns: int
    pattern: str = "steady"
    size: int = 1
    """Depth of a recursion, steps of a generator; of 1,000 calls how many fail."""


@dataclass(frozen=True)
class Case:
    """Functions that are played together by some threads, in one process, or as tasks on an event loop."""

    name: str
    loads: tuple[Load, ...]
    threads: int = 1
    tasks: bool = False

    def told(self) -> dict[str, Any]:
        """For the probe."""
        return asdict(self)


def _spread(kind: str, count: int, low: float, high: float, median_ns: int, **more: Any) -> tuple[Load, ...]:
    """`count` functions whose rates are spaced evenly on a logarithmic scale."""
    step = math.log(high / low) / max(1, count - 1)
    return tuple(Load(kind, low * math.exp(step * n), median_ns, **more) for n in range(count))


CASES = (
    Case(
        "light functions beside hot ones",
        _spread("busy", 40, 5, 900, 20_000) + _spread("busy", 2, 20_000, 40_000, 2_000),
    ),
    Case("hot functions", _spread("busy", 24, 2_000, 40_000, 1_500)),
    Case("one very hot function", (Load("busy", 400_000, 500), *_spread("busy", 8, 50, 5_000, 3_000))),
    Case("bursts", _spread("busy", 12, 300, 20_000, 3_000, pattern="burst")),
    Case(
        "periodic work",
        _spread("busy", 6, 500, 15_000, 3_000, pattern="comb")
        + _spread("busy", 6, 500, 15_000, 3_000, pattern="swing"),
    ),
    Case("recursion", _spread("recursive", 6, 20, 800, 2_000, size=20)),
    Case("generators", _spread("generator", 10, 50, 4_000, 2_000, size=10)),
    Case("coroutines", _spread("awaiting", 10, 20, 800, 10_000), tasks=True),
    Case("threads", _spread("busy", 16, 100, 8_000, 3_000), threads=4),
    Case(
        "errors and queries",
        _spread("failing", 8, 50, 20_000, 2_000, size=20)
        + _spread("asking", 4, 20, 2_000, 5_000)
        + _spread("busy", 2, 5_000, 20_000, 2_000),
    ),
)

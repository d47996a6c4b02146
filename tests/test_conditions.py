"""From calls to an explanation: what the sensor writes of a function is what the agent explains it by."""

from __future__ import annotations

import json
import random
from pathlib import Path

from msgspec import to_builtins

from burnish.conditions import Exemplar, Looked, Sample, explain
from burnish_sensor.settings import Settings
from burnish_sensor.windows.flush import Flusher
from burnish_tools.runtime.format import Window, parse
from tests.sensor.support import Bench

MS = 1_000_000
FUNCTION = "shop:total"


def windows(folder: Path, count: int, calls: int) -> tuple[list[Window], float, float]:
    """Windows of a function that is slow for 2 % of its calls, those of many items; the two shares."""
    bench, draw = Bench(), random.Random(4)
    settings = Settings("", str(folder), "shop", "test", "r1", 10.0, True)
    flusher = Flusher(bench.recorder, bench.registry, bench.statements, settings, {}, lambda: bench.clock.now)
    flusher.exemplars = bench.look()
    total = bench.load("def total(items, plan, wall):\n    tick(wall)\n", "shop")["total"]
    many, spent, slow = 0, 0, 0
    for _ in range(count):
        for _ in range(calls):
            items = [0] * (draw.randint(512, 900) if draw.random() < 0.02 else draw.randint(0, 400))
            wall = int(MS * draw.lognormvariate(0, 0.4)) + (40 * MS if len(items) > 500 else 0)
            slow_ns = bench.recorder.triggers[1].slow_ns if 1 in bench.recorder.triggers else MS
            many += len(items) > 500
            slow += wall if wall >= slow_ns else 0
            spent += wall if len(items) > 500 else 0
            total(items, draw.choice(["free", "paid"]), wall)
            bench.clock.advance(10_000 * MS // calls - wall)
        flusher.flush()
    found = [parse(line) for line in Path(flusher.output.path).read_text().splitlines()]
    return found, many / (count * calls), spent / slow


def test_what_makes_a_function_slow_is_found_in_its_windows(tmp_path: Path) -> None:
    found, calls, time = windows(tmp_path, count=40, calls=200)
    samples = [
        Sample(
            Looked(**to_builtins(looked)),
            tuple(Exemplar(**to_builtins(row)) for row in window.exemplars if row.function == FUNCTION),
        )
        for window in found
        for looked in window.conditions
        if looked.function == FUNCTION
    ]
    assert len(samples) == 40
    assert sum(sample.looked.calls for sample in samples) == 40 * 200
    (best,) = explain(samples, random.Random(1), most=1)
    assert best.text == "arg.items.size ≥ 512"
    assert best.calls.low <= calls <= best.calls.high
    assert best.slow_time.low <= time <= best.slow_time.high
    assert best.calls.high < 0.04
    assert best.slow_time.low > 0.7
    assert json.loads(Path(next(tmp_path.glob("*.jsonl"))).read_text().splitlines()[-1])["exemplars"]

"""Plays functions whose truth is known and prints the truth. Argument: see `accuracy.py` beside this folder.

Without `sensor` it measures instead what a call takes beyond what the function itself logs: its frame.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import os
import random
import sqlite3
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter_ns as clock
from typing import Any

Call = Callable[[int], None]
PHASES = 5


def main() -> None:
    """Start the sensor, play, stop, tell the truth."""
    told = json.loads(sys.argv[1])
    sys.path[0] = told["root"]
    if told.get("sensor"):
        import burnish_sensor

        burnish_sensor.start()
    module = importlib.import_module("observed")
    if not told.get("sensor"):
        print(json.dumps({"frame_ns": frame_ns(module)}))
        return
    functions = [Function(module, number, load, told["seed"]) for number, load in enumerate(told["case"]["loads"])]
    play(told["case"], functions, told["seconds"], told["seed"])
    burnish_sensor.stop()
    print(json.dumps([function.truth() for function in functions]))


class Function:
    """One observed function, with what it was asked to do."""

    def __init__(self, module: Any, number: int, load: dict[str, Any], seed: int) -> None:
        self.load = load
        self.name = f"{load['kind']}_{number}"
        self._module, self._number = module, number
        self._target = getattr(module, self.name)
        rng = random.Random(f"{seed}:{number}")
        self._durations = [round(load["median_ns"] * math.exp(rng.gauss(0, 0.5))) for _ in range(1021)]
        self._fails = [rng.random() * 1000 < load["size"] for _ in range(1021)]
        self.calls = self.errors = self.queries = 0
        self._lock = threading.Lock()
        self._cursor: Any = None

    def call(self, now: int) -> None:
        """One call, counted here. `now` is the time in ns, for durations that swing."""
        with self._lock:
            number = self.calls
            self.calls += 1
        duration = self._durations[number % 1021]
        if self.load["pattern"] == "swing" and now // 250_000_000 % 2:
            duration *= 10
        getattr(self, "_" + self.load["kind"])(duration, number)

    def _busy(self, duration: int, number: int) -> None:
        self._target(duration)

    def _recursive(self, duration: int, number: int) -> None:
        self._target(duration, self.load["size"])

    def _generator(self, duration: int, number: int) -> None:
        for _ in self._target(duration, self.load["size"]):
            pass

    def _failing(self, duration: int, number: int) -> None:
        try:
            self._target(duration, self._fails[number % 1021])
        except ValueError:
            self.errors += 1

    def _asking(self, duration: int, number: int) -> None:
        if self._cursor is None:
            connection = sqlite3.connect(":memory:")
            connection.execute("CREATE TABLE numbers (value integer)")
            self._cursor = connection.cursor()
        self._target(duration, self._cursor)
        self.queries += 1

    async def awaited(self, pause: float) -> None:
        """One call of a coroutine function."""
        number = self.calls
        self.calls += 1
        await self._target(self._durations[number % 1021], pause)

    def truth(self) -> dict[str, Any]:
        """What really happened; times without the frames of the calls."""
        walls = getattr(self._module, f"walls_{self._number}")
        owns = getattr(self._module, f"owns_{self._number}")
        depth = self.load["size"] if self.load["kind"] == "recursive" else 1
        return {
            "function": f"observed:{self.name}",
            "calls": self.calls * depth,
            "outermost": self.calls,
            "wall_ns": sum(walls),
            "own_ns": sum(owns) if owns else None,
            "quantiles": quantiles(walls),
            "errors": self.errors,
            "queries": self.queries,
        }


def quantiles(values: array[int]) -> list[int]:
    """p50, p90, p99 by nearest rank."""
    if not values:
        return []
    found: list[int] = []
    counted, seen = Counter(values), 0
    ranks = [max(1, math.ceil(q * len(values))) for q in (0.5, 0.9, 0.99)]
    for value in sorted(counted):
        seen += counted[value]
        while len(found) < 3 and seen >= ranks[len(found)]:
            found.append(value)
    return found


def play(case: dict[str, Any], functions: list[Function], seconds: float, seed: int) -> None:
    """All functions for so long."""
    if case["tasks"]:
        asyncio.run(on_loop(functions, seconds, seed))
        return
    groups = [functions[n :: case["threads"]] for n in range(case["threads"])]
    threads = [threading.Thread(target=in_time, args=(g, seconds, f"{seed}:{n}")) for n, g in enumerate(groups[1:])]
    for thread in threads:
        thread.start()
    in_time(groups[0], seconds, f"{seed}")
    for thread in threads:
        thread.join()


def in_time(functions: list[Function], seconds: float, seed: str) -> None:
    """Call each function at its times, one second's plan after another; behind time, as fast as it goes."""
    rng = random.Random(seed)
    plans = [plan(functions, rng) for _ in range(PHASES)]
    calls = [function.call for function in functions]
    end = clock() + round(seconds * 1e9)
    while (second := clock()) < end:
        for at, index in zip(*rng.choice(plans), strict=True):
            now = clock()
            if now >= end:
                return
            while now - second < at:
                if at - (now - second) > 300_000:
                    time.sleep((at - (now - second) - 200_000) / 1e9)
                now = clock()
            calls[index](now)


def plan(functions: list[Function], rng: random.Random) -> tuple[array[int], array[int]]:
    """When in a second, in ns, which function is called."""
    events = []
    for index, function in enumerate(functions):
        rate = function.load["rate"]
        count = int(rate) + (rng.random() < rate % 1)
        events += [(at, index) for at in times(function.load["pattern"], count, rng)]
    events.sort()
    return array("q", [at for at, _ in events]), array("H", [index for _, index in events])


def times(pattern: str, count: int, rng: random.Random) -> Iterator[int]:
    """When the calls of one second happen."""
    begin = rng.random() * 0.85
    for _ in range(count):
        draw = rng.random()
        if pattern == "burst":
            draw = begin + draw * 0.15
        elif pattern == "comb":
            draw = rng.randrange(10) / 10 + draw * 0.01
        yield int(draw * 1e9)


async def on_loop(functions: list[Function], seconds: float, seed: int) -> None:
    """A few tasks per function, each calling it again and again after a random pause."""
    end = time.monotonic() + seconds

    async def repeat(function: Function, number: int, mean: float) -> None:
        rng = random.Random(f"{seed}:{number}")
        while time.monotonic() < end:
            await asyncio.sleep(rng.expovariate(1 / mean))
            await function.awaited(0.001)

    tasks = 4
    await asyncio.gather(*(repeat(f, n, tasks / f.load["rate"]) for f in functions for n in range(tasks)))


def frame_ns(module: Any) -> float:
    """The median time that a call of `busy` takes beyond what it logs, less that of reading the clock twice."""
    beyond, bare = [], []
    for _ in range(20_000):
        start = clock()
        module.busy_0(1000)
        beyond.append(clock() - start - module.walls_0[-1])
        start = clock()
        bare.append(clock() - start)
    return float(sorted(beyond)[10_000] - sorted(bare)[10_000])


def generate(root: Path, functions: int) -> None:
    """Write the observed module."""
    template = Path(__file__).with_name("observed.py").read_text(encoding="utf-8")
    head, _, body = template.partition("\n\nwalls_N")
    text = head + "".join("\n\nwalls_N".replace("_N", f"_{n}") + body.replace("_N", f"_{n}") for n in range(functions))
    (root / "observed.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()

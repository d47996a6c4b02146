"""The governor over a simulated program: its clock moves only in ``tick``, and is also its CPU time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.recording.meter import Costs
from burnish_sensor.settings import Settings
from burnish_sensor.windows.flush import Flusher
from tests.sensor.format_shape import check_window
from tests.sensor.support import Bench, bare, short

MS = 1_000_000
COSTS = Costs(call=400.0, sampled=1_000.0, counted=0.0, exchange=0.0, resumption=500.0)
PROGRAM = """
    def hot(ns):
        tick(ns)
    def caller(ns):
        tick(100)
        hot(ns)
    def burst(n):
        tick(1_000)
        for _ in range(n):
            hot(3_000)
    def rare():
        tick(1_000)
    def slow():
        tick(2_000_000)
    def fails():
        tick(5_000)
        raise KeyError
    def down(n):
        tick(2_000)
        if n: down(n - 1)
    def numbers(n):
        for number in range(n):
            tick(2_000)
            yield number
    def drain(n):
        for _ in numbers(n): pass
    def asks():
        tick(100)
        bench.query("SELECT 1", took=100)
    def one():
        tick(2_000)
        helper()
    def helper():
        tick(3_000)
"""


class Process:
    """A process with a budget of 1 %, whose flush thread runs between calls of its functions."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.bench = Bench(budget=0.01)
        self.bench.draw.seed(seed)
        self.governor = self.bench.governor
        self.governor.costs = COSTS
        self.folder = folder
        settings = Settings("", str(folder), "shop", "test", "r1", 10.0, True, 0.01)
        self.flusher = Flusher(
            self.bench.recorder,
            self.bench.registry,
            self.bench.statements,
            settings,
            {"version": "0", "mechanism": "m"},
            lambda: self.bench.clock.now,
            self.governor,
        )
        self.app = self.bench.load(PROGRAM)
        self.truth: dict[str, int] = {}
        self.next_fold = 0

    def call(self, name: str, *arguments: int, **counts: int) -> None:
        """Call a function; ``counts`` are the calls that this makes."""
        for function, count in (counts or {name: 1}).items():
            self.truth[function] = self.truth.get(function, 0) + count
        with suppress(KeyError):
            self.app[name](*arguments)
        self.rest()

    def rest(self) -> None:
        """What the flush thread does when its time has come."""
        now = self.bench.clock.now
        self.governor.duty.step()
        if now >= self.next_fold:
            self.flusher.fold()
            self.next_fold = now + 20 * MS

    def run(self, ms: int, *steps: Callable[[], None]) -> None:
        """Take the steps in turn for ``ms`` of simulated CPU time."""
        end = self.bench.clock.now + ms * MS
        while self.bench.clock.now < end:
            for step in steps:
                step()

    def window(self) -> dict[str, Any]:
        self.flusher.flush()
        lines = [line for file in self.folder.glob("*.jsonl") for line in file.read_text().splitlines()]
        window: dict[str, Any] = json.loads(lines[-1])
        check_window(window)
        return window


def rows(window: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {bare(row["function"]): row for row in window["calls"]}


def test_everything_is_exact_while_it_is_cheap(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(300, lambda: process.call("rare"), lambda: process.bench.clock.advance(200_000))
    window = process.window()
    assert rows(window)["rare"]["calls"] == process.truth["rare"]
    assert "rate" not in rows(window)["rare"]
    assert (window["sensor"]["budget"], window["sensor"]["sampled"]) == (0.01, 0)


def test_the_dearest_function_is_sampled_and_the_others_stay_exact(tmp_path: Path) -> None:
    process = Process(tmp_path)
    pause = process.bench.clock.advance
    process.run(300, *[lambda: process.call("hot", 20_000)] * 20, lambda: process.call("rare"), lambda: pause(100_000))
    window = process.window()
    assert rows(window)["hot"]["rate"] > 1
    assert "rate" not in rows(window)["rare"]
    assert rows(window)["rare"]["calls"] == process.truth["rare"]
    assert window["sensor"]["sampled"] == 1


def test_the_cost_stays_within_the_budget(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(200, lambda: process.call("caller", 1_000))
    process.window()
    before = process.bench.clock.now
    process.governor.take_cost()
    process.run(1_000, lambda: process.call("caller", 1_000))
    process.flusher.fold()
    window = process.window()
    spent = recorded_cost(window)
    assert 0 < spent < 0.0125 * (process.bench.clock.now - before)


def recorded_cost(window: dict[str, Any]) -> float:
    """What the recorded calls of a window cost, by the calibration that the process was given."""
    return sum(row["calls"] / row.get("rate", 1) * COSTS.sampled for row in window["calls"])


@pytest.mark.parametrize("seed", range(3))
def test_counts_times_and_callers_are_unbiased(seed: int, tmp_path: Path) -> None:
    """Calls come in random bursts of two callers, with two durations: 1 in 4 calls takes 9 µs, the others 1 µs."""
    process = Process(tmp_path, seed)
    draw = random.Random(seed)

    def step() -> None:
        for _ in range(draw.choice((1, 2, 5))):
            ns = 9_000 if draw.random() < 0.25 else 1_000
            process.call("caller", ns, caller=1, hot=1)
        if draw.random() < 0.3:
            process.call("burst", 4, burst=1, hot=4)

    process.run(6_000, step)
    found = rows(process.window())
    for name in ("hot", "caller", "burst"):
        assert found[name]["calls"] == pytest.approx(process.truth[name], rel=0.06), name
    hot = found["hot"]
    assert hot["rate"] > 10
    assert hot["callers"]["app:caller"] == pytest.approx(process.truth["caller"], rel=0.15)
    assert hot["callers"]["app:burst"] == pytest.approx(4 * process.truth["burst"], rel=0.2)
    truth = process.truth["caller"] * 3_000 + process.truth["burst"] * 4 * 3_000
    assert hot["wall"]["sum"] == pytest.approx(truth, rel=0.12)


def test_errors_stay_exact_when_calls_are_sampled(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(400, lambda: process.call("fails"))
    row = rows(process.window())["fails"]
    assert row["rate"] > 1
    assert row["errors"] == {"KeyError": process.truth["fails"]}


def test_a_slow_function_and_one_with_queries_are_not_sampled_while_others_save_enough(tmp_path: Path) -> None:
    process = Process(tmp_path)
    steps = [lambda: process.call("hot", 1_000)] * 80 + [lambda: process.call("asks"), lambda: process.call("slow")]
    process.run(1_000, *steps)
    window = process.window()
    found = rows(window)
    assert "rate" in found["hot"]
    for name in ("slow", "asks"):
        assert "rate" not in found[name]
        assert found[name]["calls"] == process.truth[name]
    assert window["queries"][0]["executions"] == process.truth["asks"]
    assert [row for row in window["per_call"] if "rate" in row] == []


LAYERS = """
    def view(n):
        tick(3_000)
        for _ in range(n): layer()
    def layer():
        tick(2_000)
        asks()
    def asks():
        tick(2_000)
        bench.query("SELECT 2", took=1_000)
    def busy():
        tick(2_000)
"""


def layers(folder: Path) -> Process:
    """``view`` calls ``layer`` calls ``asks``, which is the only one that runs a statement; ``busy`` runs none."""
    process = Process(folder)
    process.app.update(process.bench.load(LAYERS, "late", "late.py"))
    return process


def test_the_functions_above_a_statement_are_shed_before_its_call_site_and_after_others(tmp_path: Path) -> None:
    process = layers(tmp_path)
    asking = [lambda: process.call("view", 1)]
    process.run(400, *asking, *[lambda: process.call("busy")] * 200)
    assert {name for name, row in rows(process.window()).items() if "rate" in row} == {"busy"}
    pause = process.bench.clock.advance
    process.run(1_000, *asking, lambda: pause(100_000))
    process.window()
    process.run(400, *asking, lambda: pause(100_000))
    sampled = {name for name, row in rows(process.window()).items() if "rate" in row}
    assert "asks" not in sampled
    assert sampled & {"view", "layer"}


def test_of_sampled_functions_statements_are_exact_and_their_number_in_a_call_is_an_estimate(tmp_path: Path) -> None:
    process = layers(tmp_path)
    process.run(500, lambda: process.call("view", 4, view=1, layer=4, asks=4))
    process.window()
    process.truth.clear()
    process.run(1_000, lambda: process.call("view", 4, view=1, layer=4, asks=4))
    window = process.window()
    found = rows(window)
    assert all("rate" in found[name] for name in ("view", "layer", "asks"))
    (query,) = window["queries"]
    assert (query["function"], query["line"]) == ("late:asks", 10)
    assert query["executions"] == process.truth["asks"]
    per_call = {bare(row["function"]): row for row in window["per_call"]}
    for name, executions in (("view", 4), ("layer", 1), ("asks", 1)):
        row = per_call[name]
        assert row["rate"] > 1
        assert row["executions"]["count"] == row["calls"] == pytest.approx(found[name]["calls"], rel=0.02)
        assert row["executions"]["sum"] == executions * row["calls"], "a recorded call knows all that was run below it"
        assert abs(row["calls"] - process.truth[name]) <= 3 * row["error"]["calls"]
        assert row["error"]["executions"] >= executions * row["error"]["calls"] * 0.99


def test_a_sampled_function_that_issues_a_query_is_restored_where_others_can_be_sampled(tmp_path: Path) -> None:
    process = Process(tmp_path)
    app = process.bench.load(
        """
        def maybe(sql):
            tick(5_000)
            if sql: bench.query("SELECT 2", took=100)
        """,
        "late",
        "late.py",
    )
    process.app["maybe"] = app["maybe"]
    process.run(200, lambda: process.call("maybe", 0), lambda: process.call("hot", 2_000))
    assert "rate" in rows(process.window())["maybe"]
    process.call("maybe", 1)
    window = process.window()
    assert (window["queries"][0]["function"], window["queries"][0]["line"]) == ("late:maybe", 4)
    steps = [lambda: process.call("hot", 2_000)] * 200 + [lambda: process.call("maybe", 0)]
    process.run(40, *steps)
    process.window()
    process.truth.clear()
    process.run(200, *steps)
    found = rows(process.window())["maybe"]
    assert (found["calls"], "rate" in found) == (process.truth["maybe"], False)


def test_the_caller_of_an_exact_function_is_the_sampled_one(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(300, lambda: process.call("one", one=1, helper=1))
    process.window()
    process.run(300, lambda: process.call("one", one=1, helper=1))
    assert list(rows(process.window())["helper"]["callers"]) == ["app:one"]


def test_recursion_counts_wall_time_once_when_it_is_sampled(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(2_000, lambda: process.call("down", 3, down=4))
    row = rows(process.window())["down"]
    assert row["rate"] > 1
    assert row["wall"]["count"] * 4 == pytest.approx(row["calls"], rel=0.05)
    assert row["wall"]["min"] == row["wall"]["max"] == 8_000


def test_a_generator_is_sampled_for_the_cost_of_its_resumptions(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(3_000, lambda: process.call("drain", 400, drain=1, numbers=1))
    row = rows(process.window())["numbers"]
    assert row["rate"] > 1
    assert row["calls"] == pytest.approx(process.truth["numbers"], rel=0.1)


def test_a_function_that_cools_down_is_exact_again(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(300, lambda: process.call("hot", 5_000))
    assert "rate" in rows(process.window())["hot"]
    idle = process.bench.clock.advance
    process.run(8_000, lambda: process.call("hot", 5_000), lambda: idle(1 * MS))
    process.window()
    process.truth.clear()
    process.run(300, lambda: process.call("hot", 5_000), lambda: idle(1 * MS))
    row = rows(process.window())["hot"]
    assert (row["calls"], "rate" in row) == (process.truth["hot"], False)


def test_after_a_reset_everything_is_exact(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.run(300, lambda: process.call("hot", 5_000))
    process.window()
    process.governor.reset()
    process.truth.clear()
    for _ in range(100):
        process.app["hot"](100)
    assert short(rows(process.window())["hot"])["calls"] >= 100
    assert process.governor.sampled == 0


def test_the_own_time_of_an_exact_caller_is_without_the_calls_that_were_not_seen(tmp_path: Path) -> None:
    process = Process(tmp_path)
    app = process.bench.load(
        """
        def batch(hot, n):
            tick(1_000_000)
            for _ in range(n):
                hot(2_000)
                rest()
        """,
        "batches",
        "batches.py",
    )
    app["rest"] = process.rest
    process.app["batch"] = lambda n: app["batch"](process.app["hot"], n)
    process.run(200, lambda: process.call("hot", 2_000))
    process.window()
    for _ in range(200):
        process.call("batch", 500, batch=1, hot=500)
        process.bench.clock.advance(500_000)
    found = rows(process.window())
    assert found["hot"]["rate"] > 1
    assert found["batch"]["wall"]["sum"] == 200 * 2_000_000
    assert found["batch"]["own"]["sum"] == pytest.approx(200 * 1_000_000, rel=0.1)

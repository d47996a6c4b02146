"""Where statements are issued is known whether calls are recorded or not: functions that are sampled mostly are not."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest

from burnish_sensor.mechanisms.switch import LIGHT
from burnish_sensor.recording.native import load
from tests.sensor.support import Bench, bare

APP = """
    def outer(n, how):
        for _ in range(n):
            inner(how)
        return how
    def inner(how):
        how(site)
    def site():
        bench.query("SELECT 1")
"""


class NativeBench(Bench):
    """Over the extension."""

    native = True


KINDS = [Bench, *([NativeBench] if load() is not None else [])]


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    made: Bench = request.param()
    return made


def let_run_light(bench: Bench, *names: str) -> None:
    """Let functions run as sampled ones do between slices."""
    numbers = [n for n, f in enumerate(bench.registry.functions) if bare(f.name) in names]
    assert len(numbers) == len(names)
    assert all(bench.switch.can_change(number) for number in numbers)
    bench.switch.change(numbers, LIGHT)
    bench.recorder.sampling.use(frozenset(numbers))


def sites(tables: dict[str, Any]) -> dict[tuple[str, int], int]:
    return {(bare(row["function"]), row["line"]): row["executions"] for row in tables["queries"]}


def per_call(tables: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {bare(row["function"]): (row["calls"], row["executions"]["sum"]) for row in tables["per_call"]}


def directly(function: Any) -> None:
    function()


@pytest.mark.parametrize("light", [("site",), ("inner", "site"), ("outer", "inner", "site"), ("inner",)])
def test_a_call_site_is_the_nearest_function_and_recorded_calls_know_all_below(
    bench: Bench, light: tuple[str, ...]
) -> None:
    app = bench.load(APP)
    let_run_light(bench, *light)
    for _ in range(3):
        app["outer"](5, directly)
    tables = bench.tables()
    assert sites(tables) == {("site", 9): 15}
    whole = {"outer": (3, 15), "inner": (15, 15), "site": (15, 15)}
    assert per_call(tables) == {name: row for name, row in whole.items() if name not in light}


def test_a_call_site_is_found_below_a_tall_stack_of_a_library(bench: Bench) -> None:
    app = bench.load(APP)

    def library(function: Any, depth: int = 100) -> None:
        if depth:
            library(function, depth - 1)
        else:
            bench.query("SELECT 1")

    let_run_light(bench, "inner")
    app["outer"](2, library)
    assert sites(bench.tables()) == {("inner", 7): 2}


def test_calls_that_still_run_light_after_the_last_function_is_restored(bench: Bench) -> None:
    app = bench.load(APP)

    def restore(function: Any) -> None:
        bench.recorder.sampling.use(frozenset())
        bench.query("SELECT 1")

    let_run_light(bench, "inner")
    app["outer"](1, restore)
    assert sites(bench.tables()) == {("inner", 7): 1}


def test_what_another_thread_does_for_a_function_that_is_not_recorded(bench: Bench) -> None:
    app = bench.load(APP)

    def elsewhere(function: Any) -> None:
        token = bench.probe.carry()
        context = contextvars.copy_context()
        bench.probe.take_back(token)
        thread = threading.Thread(target=context.run, args=(bench.query, "SELECT 1"))
        thread.start()
        thread.join()

    let_run_light(bench, "inner")
    app["outer"](2, elsewhere)
    assert sites(bench.tables()) == {("inner", 7): 2}


def test_what_a_greenlet_does_for_a_function_that_is_not_recorded(bench: Bench) -> None:
    greenlet = pytest.importorskip("greenlet")
    app = bench.load(APP)

    def inside(function: Any) -> None:
        token = bench.probe.leave()
        made = greenlet.greenlet(lambda: (bench.query("SELECT 1"), function()))
        made.gr_context = contextvars.copy_context()
        made.switch()
        bench.probe.take_back(token)

    let_run_light(bench, "inner")
    app["outer"](2, inside)
    assert sites(bench.tables()) == {("inner", 7): 2, ("site", 9): 2}


def test_a_generator_that_is_not_recorded(bench: Bench) -> None:
    app = bench.load(
        """
        def consumer():
            return sum(numbers())
        def numbers():
            for number in range(3):
                bench.query("SELECT 1")
                yield number
        """
    )
    let_run_light(bench, "numbers")
    app["consumer"]()
    tables = bench.tables()
    assert sites(tables) == {("numbers", 6): 3}
    assert per_call(tables) == {"consumer": (1, 3)}

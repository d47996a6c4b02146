"""The native recorder as ``sys.monitoring`` drives it: events of the application's own code objects."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

import pytest

from burnish_sensor.recording.native import load
from burnish_sensor.windows.window import Window
from tests.sensor.monitored import Monitored, Truth

core: Any = load()
pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12"),
    pytest.mark.skipif(core is None, reason="burnish_sensor.recording._core is not built for this Python"),
]

RANDOM = """
    import asyncio, threading
    def work(draw, depth):
        for _ in range(draw.randrange(1, 4)):
            tick(1)
            draw.choice(CHOICES)(draw, depth - 1) if depth > 0 else leaf(draw, 0)
    def leaf(draw, depth):
        tick(draw.randrange(3))
    def recurse(draw, depth):
        tick(1)
        if depth > 0:
            recurse(draw, depth - 1)
            work(draw, depth - 2) if depth > 2 else leaf(draw, 0)
    def raises(draw, depth):
        leaf(draw, 0)
        raise draw.choice((KeyError, ValueError))(depth)
    def between(draw, depth):
        list(map(lambda _: raises(draw, depth), "x"))
    def catches(draw, depth):
        try:
            between(draw, depth)
        except (KeyError, ValueError) as error:
            FAILURES.append(type(error).__name__)
    def numbers(draw, depth):
        try:
            for number in range(4):
                leaf(draw, depth)
                yield number
        finally:
            leaf(draw, depth)
    def plain_numbers(draw, depth):
        for number in range(4):
            yield number
    def nested(draw, depth):
        yield from numbers(draw, depth)
        yield from plain_numbers(draw, depth)
    def consumes(draw, depth):
        for number in draw.choice((numbers, plain_numbers, nested))(draw, depth):
            leaf(draw, depth)
            if draw.random() < 0.3:
                break
    def thrown(draw, depth):
        iterator = numbers(draw, depth)
        next(iterator)
        try:
            iterator.throw(KeyError("thrown"))
        except KeyError:
            THROWN.append(1)
    def interleaved(draw, depth):
        return sum(a + b for a, b in zip(numbers(draw, depth), nested(draw, depth)))
    async def waits(draw, depth):
        for _ in range(2):
            leaf(draw, 0)
            await asyncio.sleep(0)
        return [number async for number in produces(draw, depth)]
    async def produces(draw, depth):
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    async def gathers(draw, depth):
        await asyncio.gather(*(waits(draw, depth) for _ in range(3)))
    def runs(draw, depth):
        asyncio.run(gathers(draw, depth))
    CHOICES = [work, leaf, recurse, catches, consumes, thrown, interleaved]
    FAILURES, THROWN = [], []
"""


def drive(app: Any, seed: int, threads: int = 3) -> None:
    """The same calls for the same seed, on threads that do not depend on each other."""

    def one(draw: random.Random) -> None:
        for _ in range(30):
            app["work"](draw, 4)
        app["runs"](draw, 3)

    running = [threading.Thread(target=one, args=(random.Random(seed * 100 + n),)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)


def flat(calls: dict[str, dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter({(name, caller): n for name, row in calls.items() for caller, n in row["callers"].items()})


@pytest.mark.parametrize("seed", range(4))
def test_calls_and_callers_are_those_of_a_full_profile(seed: int) -> None:
    bench = Monitored(RANDOM)
    with Truth(bench.codes) as truth:
        drive(bench.app, seed)
    bench.app["FAILURES"].clear()
    bench.app["THROWN"].clear()
    with bench:
        drive(bench.app, seed)
    calls = bench.calls()
    assert flat(calls) == truth.callers
    assert calls["raises"]["errors"] == Counter(bench.app["FAILURES"])
    assert calls["between"]["errors"] == Counter(bench.app["FAILURES"])
    assert calls["catches"]["errors"] == {}
    assert calls["numbers"]["errors"] == {"KeyError": len(bench.app["THROWN"])}
    assert [bench.core.live(number) for number in bench.numbers.values()] == [0] * len(bench.numbers)


def test_own_times_add_up_to_the_time_that_passed() -> None:
    bench = Monitored(RANDOM)
    with bench:
        before = bench.clock.now
        drive(bench.app, 11, threads=1)
        passed = bench.clock.now - before
    calls = bench.calls()
    assert sum(row["own"] for row in calls.values()) == passed > 100


def test_a_generator_that_is_left_ends_even_where_no_event_tells() -> None:
    bench = Monitored("""
        def plain():
            tick(1)
            yield 1
        def guarded():
            try:
                tick(1)
                yield 1
            finally:
                tick(2)
        def first(numbers):
            for number in numbers():
                return number
        def closes():
            numbers = plain()
            next(numbers)
            numbers.close()
    """)
    with bench:
        bench["first"](bench["plain"])
        bench["first"](bench["guarded"])
        bench["closes"]()
    calls = bench.calls()
    assert (calls["plain"]["calls"], calls["plain"]["own"], calls["plain"]["wall"]) == (2, 2, 2)
    assert (calls["guarded"]["calls"], calls["guarded"]["own"], calls["guarded"]["errors"]) == (1, 3, {})
    assert calls["first"]["own"] == 0


def test_the_first_slice_of_a_coroutine_belongs_to_the_entry_of_its_task() -> None:
    bench = Monitored("""
        import asyncio
        async def serve(name):
            context = recorder.new_context(name, "http")
            recorder.entry.set(context)
            token = recorder.push_entry(context)
            recorder.suspend(token)
            await asyncio.gather(view(), view())
            recorder.resume(token)
            recorder.pop_entry(token)
        async def view():
            await asyncio.sleep(0)
            step()
        def step():
            tick(3)
    """)
    with bench:
        asyncio.run(bench["serve"]("GET a"))
    window = Window(10)
    bench.recorder.take(window)
    calls = {bench.codes[number - 1].co_name: row.own.count for number, row in window.totals["GET a"].calls.items()}
    assert calls == {"view": 2, "step": 2}


def test_foreign_exceptions_cost_nothing_and_count_nothing() -> None:
    bench = Monitored("""
        def ours():
            return foreign()
    """)

    def foreign() -> int:
        try:
            raise KeyError
        except KeyError:
            return 1

    bench.app["foreign"] = foreign
    with bench:
        assert bench["ours"]() == 1
    assert bench.calls()["ours"]["errors"] == {}


def test_an_exemplar_tells_the_result_and_the_frame() -> None:
    bench = Monitored("""
        def slow(n):
            tick(n)
            return "x" * n
    """)
    seen: list[tuple[Any, ...]] = []
    bench.core.capture = lambda *all: seen.append((*all[:6], all[7].f_locals["n"], all[8]))
    bench.core.set_trigger(1, 50, 0)
    with bench:
        bench["slow"](10)
        bench["slow"](60)
    assert seen == [(1, 60, 60, False, 2, 1, 60, "x" * 60)]


def test_changes_of_form_while_calls_run_leave_nothing_behind() -> None:
    bench = Monitored(RANDOM)
    draw, numbers, halt = random.Random(5), list(bench.numbers.values()), threading.Event()

    def govern() -> None:
        while not halt.wait(0.0005):
            some = draw.sample(numbers, 6)
            form = draw.choice((core.OFF, core.COUNT, core.TIMED, core.DRAIN))
            for number in some:
                bench.core.set_form(number, form)
                bench.core.set_sampled(number, draw.random() < 0.5)
            if form == core.OFF:
                bench.core.cut(some)
            if form == core.TIMED:
                bench.core.seed(some)
            bench.core.take_counts()
            bench.calls()

    with bench:
        governor = threading.Thread(target=govern)
        governor.start()
        until = time.monotonic() + 1.5
        for seed in range(1000):
            drive(bench.app, seed, threads=2)
            if time.monotonic() > until:
                break
        halt.set()
        governor.join(10)
        for number in numbers:
            bench.core.set_form(number, core.TIMED)
            bench.core.set_sampled(number, False)
        bench.calls()
        bench.app["FAILURES"].clear()
        drive(bench.app, 3)
    calls = bench.calls()
    with Truth(bench.codes) as truth:
        drive(bench.app, 3)
    assert flat(calls) == truth.callers
    assert [bench.core.live(number) for number in numbers] == [0] * len(numbers)

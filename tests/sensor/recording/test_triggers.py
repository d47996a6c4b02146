from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

from burnish_sensor.recording.triggers import FIRST_SLOW_NS
from tests.sensor.support import Bench

MS = 1_000_000


class Calls:
    """What a bench's triggers say, in the place of ``Exemplars.capture``."""

    def __init__(self, bench: Bench) -> None:
        self.found: list[tuple[int, int, bool, int]] = []
        self.frames: list[str] = []
        self.live: list[int] = []
        bench.recorder.triggers.capture = self
        bench.recorder.triggers.draw = random.Random(1)

    def __call__(self, function: int, wall: int, own: int, uniform: bool, nth: int, live: Any, *rest: Any) -> None:
        self.found.append((wall, own, uniform, nth))
        self.frames.append(rest[1].f_code.co_name)
        self.live.append(live())


def test_the_first_calls_of_a_function_are_reported_if_they_are_long() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("def f(n): tick(n)\n")
    for wall in (FIRST_SLOW_NS - 1, FIRST_SLOW_NS, 5):
        app["f"](wall)
    assert calls.found == [(FIRST_SLOW_NS, FIRST_SLOW_NS, False, 2)]
    assert calls.frames == ["f"]


def test_a_threshold_can_be_set_and_taken_away() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("def f(n): tick(n)\n")
    app["f"](1)
    bench.recorder.set_trigger(1, 100, 0)
    for wall in (99, 100, 101):
        app["f"](wall)
    bench.recorder.set_trigger(1, 0, 0)
    app["f"](5 * MS)
    assert [wall for wall, *_ in calls.found] == [100, 101]
    assert 1 not in bench.recorder.triggers


def test_one_call_in_so_many_is_in_the_even_sample_at_no_fixed_distance() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("def f(n): tick(n)\n")
    app["f"](1)
    bench.recorder.set_trigger(1, 0, 10)
    for number in range(10_000):
        app["f"](number)
    walls = [wall for wall, _, uniform, _ in calls.found if uniform]
    assert len(walls) == len(calls.found)
    assert 900 < len(walls) < 1_100
    distances = {walls[n + 1] - walls[n] for n in range(len(walls) - 1)}
    assert distances == set(range(1, 20))
    assert 60 < sum(wall % 10 == 0 for wall in walls) < 140  # work with a period of ten is met everywhere


def test_a_call_that_is_both_is_reported_once() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("def f(n): tick(n)\n")
    app["f"](1)
    bench.recorder.set_trigger(1, 5, 1)
    app["f"](7)
    assert [(wall, uniform) for wall, _, uniform, _ in calls.found] == [(7, True)]


def test_setting_what_is_set_does_not_begin_the_even_sample_anew() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("def f(n): tick(n)\n")
    app["f"](1)
    for _ in range(100):
        bench.recorder.set_trigger(1, 0, 20)
        app["f"](1)
    assert 2 <= len(calls.found) <= 10


def test_generators_coroutines_and_functions_that_read_their_locals_are_reported() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("""
        def numbers():
            tick(1_000_000)
            yield 1
            tick(2_000_000)
        async def task():
            tick(4_000_000)
        def names(a):
            tick(8_000_000)
            return locals()
    """)
    assert list(app["numbers"]()) == [1]
    asyncio.run(app["task"]())
    assert app["names"](1) == {"a": 1}
    assert [(wall, own) for wall, own, *_ in calls.found] == [(3 * MS, 3 * MS), (4 * MS, 4 * MS), (8 * MS, 8 * MS)]


def test_an_error_in_it_does_not_reach_the_host() -> None:
    bench = Bench()
    app = bench.load("def f(n):\n    tick(n)\n    return n\n")

    def broken(*arguments: Any) -> None:
        raise ValueError("ours")

    bench.recorder.triggers.capture = broken
    assert app["f"](5 * MS) == 5 * MS
    assert bench.calls()["f"]["calls"] == 1


def test_calls_in_other_threads_that_run_now_are_counted() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("""
        def f(inside, leave, n):
            inside.set()
            leave.wait(10)
            tick(n)
    """)
    leave, free = threading.Event(), threading.Event()
    free.set()
    threads = []
    for _ in range(2):
        inside = threading.Event()
        threads.append(threading.Thread(target=app["f"], args=(inside, leave, 0)))
        threads[-1].start()
        assert inside.wait(10)
    app["f"](threading.Event(), free, 2 * MS)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert calls.live[0] == 3


def test_a_generator_that_is_never_finished_is_forgotten_when_it_is_closed() -> None:
    bench = Bench()
    calls = Calls(bench)
    app = bench.load("""
        def numbers():
            tick(2_000_000)
            yield 1
            yield 2
    """)
    first, second = app["numbers"](), app["numbers"]()
    next(first), next(second)
    first.close()
    second.close()
    assert calls.live == [2, 1]

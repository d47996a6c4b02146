from __future__ import annotations

import asyncio
import threading

import pytest

from tests.sensor.support import Bench

pytestmark = pytest.mark.usefixtures("each_recorder")


def test_a_generators_own_time_leaves_out_its_consumer() -> None:
    bench = Bench()
    app = bench.load("""
        def numbers():
            tick(1)
            yield 1
            tick(2)
            yield 2
            tick(4)
        def consumer():
            for _ in numbers():
                tick(100)
    """)
    app["consumer"]()
    calls = bench.calls()
    assert calls["numbers"] == {"calls": 1, "wall": 207, "own": 7, "callers": {"consumer": 1}, "errors": {}}
    assert calls["consumer"]["own"] == 200
    assert calls["consumer"]["wall"] == 207


def test_a_generator_that_is_delegated_to() -> None:
    bench = Bench()
    app = bench.load("""
        def inner():
            tick(1)
            yield 1
            tick(2)
        def outer():
            tick(10)
            yield from inner()
            tick(20)
        def consumer():
            for _ in outer():
                tick(100)
    """)
    app["consumer"]()
    calls = bench.calls()
    assert [calls[name]["own"] for name in ("inner", "outer", "consumer")] == [3, 30, 100]
    assert calls["outer"]["wall"] == 133
    assert calls["inner"]["callers"] == {"outer": 1}


def test_a_recursive_generator_counts_wall_time_once() -> None:
    bench = Bench()
    app = bench.load("""
        def walk(n):
            tick(1)
            yield n
            if n:
                yield from walk(n - 1)
    """)
    assert list(app["walk"](3)) == [3, 2, 1, 0]
    row = bench.tables()["calls"][0]
    assert (row["calls"], row["wall"]["count"], row["wall"]["sum"], row["own"]["sum"]) == (4, 1, 4, 4)


def test_two_generators_at_once_are_not_a_recursion() -> None:
    bench = Bench()
    app = bench.load("""
        def numbers():
            for n in range(2):
                tick(1)
                yield n
    """)
    pairs = list(zip(app["numbers"](), app["numbers"]()))  # noqa: B905 - Python 3.9 has no `strict`
    assert pairs == [(0, 0), (1, 1)]
    row = bench.tables()["calls"][0]
    assert (row["calls"], row["wall"]["count"], row["own"]["sum"]) == (2, 2, 4)


def test_a_generator_that_is_thrown_into_and_goes_on() -> None:
    bench = Bench()
    app = bench.load("""
        from contextlib import contextmanager
        @contextmanager
        def manager():
            try:
                yield
            except KeyError:
                tick(3)
                clean()
        def clean():
            tick(5)
        def body():
            with manager():
                tick(100)
                raise KeyError
    """)
    app["body"]()
    calls = bench.calls()
    assert calls["manager"]["own"] == 3
    assert calls["clean"]["callers"] == {"manager": 1}
    assert calls["body"]["own"] == 100
    assert calls["manager"]["errors"] == {}


def test_a_generator_that_is_abandoned_ends_when_it_is_closed() -> None:
    bench = Bench()
    app = bench.load("""
        def numbers():
            tick(1)
            yield 1
            tick(2)
    """)
    iterator = app["numbers"]()
    next(iterator)
    bench.clock.advance(50)
    assert "numbers" not in bench.calls()
    iterator.close()
    assert bench.calls()["numbers"] == {"calls": 1, "wall": 51, "own": 1, "callers": {"": 1}, "errors": {}}


def test_an_await_is_not_own_time() -> None:
    bench = Bench()
    app = bench.load("""
        async def outer(wait):
            tick(1)
            await inner(wait)
            tick(2)
        async def inner(wait):
            tick(10)
            await wait()
            tick(20)
    """)

    async def wait() -> None:
        await asyncio.sleep(0)
        bench.clock.advance(1000)  # the library's own running time after it was resumed
        loop = asyncio.get_running_loop()
        loop.call_soon(bench.clock.advance, 5000)  # the time of others while this task waits
        await asyncio.sleep(0)

    asyncio.run(app["outer"](wait))
    calls = bench.calls()
    assert (calls["outer"]["own"], calls["outer"]["wall"]) == (3, 6033)
    assert (calls["inner"]["own"], calls["inner"]["wall"]) == (1030, 6030)
    assert calls["inner"]["callers"] == {"outer": 1}


def test_interleaved_tasks_have_their_own_callers_and_times() -> None:
    bench = Bench()
    app = bench.load("""
        import asyncio
        async def left():
            for _ in range(3):
                helper(1)
                await asyncio.sleep(0)
        async def right():
            for _ in range(3):
                await asyncio.sleep(0)
                helper(100)
        def helper(n):
            tick(n)
        async def main():
            tick(5)
            await asyncio.gather(left(), right())
            tick(6)
        def run():
            asyncio.run(main())
    """)
    app["run"]()
    calls = bench.calls()
    assert calls["helper"] == {"calls": 6, "wall": 303, "own": 303, "callers": {"left": 3, "right": 3}, "errors": {}}
    assert [calls[name]["own"] for name in ("left", "right", "main", "run")] == [0, 0, 11, 0]
    assert calls["main"]["wall"] == calls["run"]["wall"] == 314


def test_tasks_of_different_entries_do_not_mix() -> None:
    bench = Bench()
    app = bench.load("""
        import asyncio
        async def serve(name, n):
            entry = bench.entries.begin("http")
            await bench.entries.awaiting(entry, view(n))
            bench.entries.end(entry, name)
        async def view(n):
            for _ in range(n):
                await asyncio.sleep(0)
                step()
        def step():
            tick(1)
        async def main():
            await asyncio.gather(serve("GET a", 2), serve("GET b", 5))
    """)
    asyncio.run(app["main"]())
    rows = {(row["entry"], row["function"]): row["calls"] for row in bench.tables()["calls"]}
    assert rows["GET a", "app:step"] == 2
    assert rows["GET b", "app:step"] == 5
    assert ("", "app:step") not in rows


def test_asynchronous_iteration_and_managers_are_suspensions() -> None:
    bench = Bench()
    app = bench.load("""
        import asyncio
        class Source:
            def __aiter__(self): return self
            async def __anext__(self):
                await asyncio.sleep(0)
                raise StopAsyncIteration
            async def __aenter__(self): await asyncio.sleep(0)
            async def __aexit__(self, *error): await asyncio.sleep(0)
        async def reader():
            async with Source():
                async for _ in Source():
                    pass
            return [x async for x in Source()]
        async def other():
            for _ in range(4):
                step()
                await asyncio.sleep(0)
        def step():
            tick(1)
        async def main():
            await asyncio.gather(reader(), other())
    """)
    asyncio.run(app["main"]())
    calls = bench.calls()
    assert calls["step"]["callers"] == {"other": 4}
    assert calls["reader"]["own"] == 0
    assert calls["Source.__anext__"]["errors"] == {}


def test_a_generator_that_goes_on_in_another_thread() -> None:
    bench = Bench()
    app = bench.load("""
        def numbers():
            tick(1)
            yield 1
            helper()
            yield 2
        def helper():
            tick(10)
    """)
    iterator = app["numbers"]()
    next(iterator)
    thread = threading.Thread(target=lambda: list(iterator))
    thread.start()
    thread.join(5)
    calls = bench.calls()
    assert calls["helper"]["callers"] == {"numbers": 1}
    assert calls["numbers"]["own"] == 1
    assert bench.recorder.function() == 0

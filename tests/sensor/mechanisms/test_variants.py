from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.mechanisms.variants import FUNCTIONS_PER_SLOT
from tests.sensor.mechanisms.test_rewrite import SNIPPETS, TRACEBACKS, execute, traced
from tests.sensor.support import Bench


class Swapped(Bench):
    """A bench whose functions run their light or counting code from the moment that they are defined."""

    def __init__(self, text: str, form: str) -> None:
        super().__init__()
        self.form = form
        self.tree = ast.parse(text)
        self.built: set[str] = set()
        self.builtins["__burnish_define__"] = self.define

    def define(self, number: int) -> Any:
        def keep(function: Any) -> Any:
            slot = self.slots[number]
            function = slot(function)
            if self.slots.build(number, self.tree):
                self.built.add(self.registry.functions[number].name)
                slot.exchange(getattr(slot, self.form))
            return function

        return keep


@pytest.mark.parametrize("form", ["light", "counting"])
@pytest.mark.parametrize("name", SNIPPETS)
def test_exchanged_code_does_what_plain_code_does(name: str, form: str, tmp_path: Path) -> None:
    text = inspect.cleandoc(SNIPPETS[name])
    plain = execute(text, False, tmp_path / "snippet.py")
    bench = Swapped(text, form)
    observed = execute(text, True, tmp_path / "snippet.py", bench)
    assert observed["result"] == plain["result"]
    assert bench.built, "no code was exchanged"


@pytest.mark.parametrize("name", TRACEBACKS)
def test_the_traceback_of_light_code_is_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "snippet.py"
    path.write_text(inspect.cleandoc(TRACEBACKS[name]))
    assert traced(path, True, Swapped(path.read_text(), "light")) == traced(path, False)


def loaded(text: str) -> tuple[Bench, dict[str, Any]]:
    """A module whose functions can be exchanged."""
    bench = Bench()
    app = bench.load(text)
    tree = ast.parse(textwrap.dedent(text))
    for number in range(1, len(bench.registry.functions)):
        assert bench.slots.build(number, tree)
    return bench, app


def test_light_code_records_errors_but_no_calls() -> None:
    bench, app = loaded("""
        def f(x):
            if x: raise KeyError(x)
        def end(): raise StopIteration
    """)
    for number in (1, 2):
        bench.slots[number].exchange(bench.slots[number].light)
    app["f"](0)
    for function, arguments in ((app["f"], (1,)), (app["end"], ())):
        with pytest.raises((KeyError, StopIteration)):
            function(*arguments)
    assert {name: (row["calls"], row["errors"]) for name, row in bench.calls().items()} == {
        "f": (0, {"KeyError": 1}),
    }


def test_counting_code_counts_each_call_and_each_generator_once() -> None:
    bench, app = loaded("""
        def f(): pass
        def g():
            yield 1
            yield 2
    """)
    for number in (1, 2):
        bench.slots[number].exchange(bench.slots[number].counting)
    for _ in range(5):
        app["f"]()
        assert list(app["g"]()) == [1, 2]
    assert [len(bench.slots[number].counted) for number in (1, 2)] == [5, 5]
    assert bench.calls() == {}


def test_a_running_call_ends_in_the_code_that_it_began_in() -> None:
    bench, app = loaded("""
        def down(n, middle):
            tick(1)
            if n: down(n - 1, middle)
            else: middle()
    """)
    slot = bench.slots[1]
    app["down"](3, lambda: slot.exchange(slot.light))
    app["down"](3, lambda: slot.exchange(None))
    assert bench.calls()["down"]["calls"] == 4
    app["down"](1, lambda: None)
    assert bench.calls()["down"]["calls"] == 2
    assert bench.recorder.function() == 0


def test_generators_and_coroutines_end_in_the_code_that_they_began_in() -> None:
    bench, app = loaded("""
        import asyncio
        def g():
            tick(1)
            yield 1
            tick(1)
        async def co():
            await asyncio.sleep(0)
            return 2
    """)
    generator, coroutine = app["g"](), app["co"]()
    assert next(generator) == 1
    for number in (1, 2):
        bench.slots[number].exchange(bench.slots[number].light)
    assert list(generator) == []
    assert asyncio.run(_result(coroutine)) == 2
    assert list(app["g"]()) == [1]
    assert {name: row["calls"] for name, row in bench.calls().items()} == {"g": 1, "co": 1}


async def _result(coroutine: Any) -> Any:
    return await coroutine


def test_a_function_whose_code_someone_else_changed_is_left_alone() -> None:
    bench, app = loaded("def f(): return 1\n")
    code = (lambda: 2).__code__
    app["f"].__code__ = code
    bench.slots[1].exchange(bench.slots[1].light)
    assert app["f"].__code__ is code


def test_functions_made_while_light_are_light() -> None:
    text = """
        def outer():
            def inner(): return 1
            return inner
    """
    bench = Bench()
    app = bench.load(text)
    inner = app["outer"]()
    number = next(n for n, f in enumerate(bench.registry.functions) if f.name.endswith("inner"))
    assert bench.slots.build(number, ast.parse(textwrap.dedent(text)))
    slot = bench.slots[number]
    slot.exchange(slot.light)
    assert inner.__code__ is app["outer"]().__code__ is slot.light
    slot.exchange(None)
    assert inner.__code__ is app["outer"]().__code__ is slot.timed


def test_a_closure_that_is_made_again_and_again_is_not_exchanged() -> None:
    text = "def outer():\n    def inner(): return 1\n    return inner\n"
    bench = Bench()
    outer = bench.load(text)["outer"]
    for _ in range(FUNCTIONS_PER_SLOT + 1):
        outer()
    (slot,) = bench.slots.values()
    assert slot.broken


def test_exchanging_while_threads_call_and_recurse_loses_no_result() -> None:
    bench, app = loaded("""
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
    """)
    slot, results = bench.slots[1], []
    threads = [threading.Thread(target=lambda: results.append(app["fib"](16))) for _ in range(4)]
    for thread in threads:
        thread.start()
    forms = (slot.light, slot.counting, None)
    turn = 0
    while any(thread.is_alive() for thread in threads):
        slot.exchange(forms[turn % 3])
        turn += 1
    for thread in threads:
        thread.join()
    assert results == [987] * 4
    assert bench.recorder.function() == 0

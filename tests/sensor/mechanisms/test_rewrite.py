"""Rewritten code must do what plain code does: each snippet runs plain and rewritten, and the results are compared."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from burnish_sensor.mechanisms.registry import Source
from burnish_sensor.mechanisms.rewrite import rewrite
from tests.sensor.support import Bench

SNIPPETS = {
    "values": """
        def f(a, b=2, *c, d=4, **e):
            return a, b, c, d, e
        result = [f(1), f(1, 3, 5, d=6, x=7)]
    """,
    "finally and return": """
        log = []
        def f(x):
            try:
                if x: return 'a'
                raise KeyError(1)
            except KeyError as error:
                log.append(repr(error))
                return 'b'
            finally:
                log.append('end')
        result = [f(0), f(1), log]
    """,
    "super, class cell and mangling": """
        class A:
            __slots__ = ('_A__x',)
            def __init__(self): self.__x = 1
            def get(self): return self.__x
        class B(A):
            def get(self): return super().get() + 1, __class__.__name__
        result = B().get()
    """,
    "closures": """
        def counter():
            n = 0
            def up():
                nonlocal n
                n += 1
                return n
            return up
        total = 0
        def add():
            global total
            total += 1
        up = counter()
        result = [up(), up(), add(), total]
    """,
    "locals": """
        def f(a, b):
            return dict(locals()), sorted(dir()), eval('a + b')
        def keyword(**options): return sorted(options)
        def g(a):
            c = 1
            return keyword(**vars())
        def gen(a):
            yield dict(locals())
        result = [f(1, 2), g(3), list(gen(1))]
    """,
    "decorators and defaults": """
        log = []
        def noted(f):
            log.append(f.__name__)
            return f
        @noted
        def f(x=log.append('default')): "Doc."
        class C:
            @staticmethod
            def s(): return 's'
            @classmethod
            def c(cls): return cls.__name__
            @property
            def p(self): return 'p'
        result = [log, f(), f.__doc__, C.s(), C.c(), C().p]
    """,
    "signatures and kinds": """
        import inspect
        def f(a: int, /, b: 'str' = '', *, c) -> None: 'doc'
        def g(): yield
        async def co(): pass
        async def ag(): yield
        result = [str(inspect.signature(f)), f.__doc__, f.__code__.co_firstlineno, f.__qualname__,
                  f.__code__.co_varnames[:3], f.__annotations__,
                  [(inspect.isgeneratorfunction(x), inspect.iscoroutinefunction(x), inspect.isasyncgenfunction(x))
                   for x in (f, g, co, ag)]]
    """,
    "lambdas": """
        f = lambda x, *y: (x, y)
        g = lambda: (yield 1)
        def h():
            return [k(2) for k in [lambda v: v * 2, f]]
        result = [f(1, 2), list(g()), h()]
    """,
    "generators": """
        def g(n):
            got = []
            for i in range(n):
                got.append((yield i))
            try:
                x = yield 'last'
            except ValueError as error:
                got.append(str(error))
                yield 'caught'
            return got
        def outer():
            return (yield from g(2))
        it = outer()
        result = [next(it), it.send('a'), it.send('b'), it.throw(ValueError('v'))]
        try:
            next(it)
        except StopIteration as stop:
            result.append(stop.value)
    """,
    "yield inside expressions": """
        def g():
            x = (yield 1) + (yield 2)
            y = [(yield x), (yield)]
            return y
        it = g()
        result = [next(it), it.send(10), it.send(20), it.send(3)]
        try:
            it.send(4)
        except StopIteration as stop:
            result.append(stop.value)
    """,
    "closing a generator": """
        log = []
        def g():
            try:
                yield 1
                yield 2
            finally:
                log.append('closed')
        def outer():
            yield from g()
        it = outer()
        next(it)
        it.close()
        result = [log, list(outer())]
    """,
    "yield from iterables without send": """
        def g():
            yield from [1, 2]
            yield from {'k': 1}
            yield from (x * 2 for x in (1, 2))
        it = g()
        result = [list(g())]
        next(it)
        try:
            it.send('x')
        except AttributeError as error:
            result.append(str(error))
        def bad():
            yield from 5
        try:
            list(bad())
        except TypeError as error:
            result.append(str(error))
    """,
    "context managers": """
        from contextlib import contextmanager
        log = []
        @contextmanager
        def cm():
            log.append('in')
            try:
                yield 'v'
            except KeyError:
                log.append('swallowed')
            finally:
                log.append('out')
        with cm() as v:
            raise KeyError
        result = [v, log]
    """,
    "coroutines": """
        import asyncio
        log = []
        async def leaf(x):
            await asyncio.sleep(0)
            return x * 2
        class Manager:
            async def __aenter__(self): log.append('in'); return self
            async def __aexit__(self, *error): log.append(error[0] and error[0].__name__); return True
        async def numbers():
            for i in range(3):
                await asyncio.sleep(0)
                yield i
        async def main():
            async with Manager() as m, Manager():
                raise KeyError
            found = [x async for x in numbers() if x]
            async for y in numbers():
                found.append(await leaf(y))
            found.append(await asyncio.gather(leaf(1), leaf(2), asyncio.wait_for(leaf(3), 1)))
            found.append({await leaf(z): 1 for z in (1, 2)})
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            loop.call_soon(future.set_result, 'done')
            found.append(await future)
            return found
        result = [asyncio.run(main()), log]
    """,
    "cancelling": """
        import asyncio
        log = []
        async def sleeper():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                log.append('cancelled')
                await asyncio.sleep(0)
                raise
            finally:
                log.append('out')
        async def main():
            task = asyncio.ensure_future(sleeper())
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                log.append('seen')
            try:
                await asyncio.wait_for(asyncio.sleep(60), 0.001)
            except asyncio.TimeoutError:
                log.append('timeout')
        asyncio.run(main())
        result = log
    """,
    "generator coroutines": """
        import asyncio, types
        @types.coroutine
        def old():
            yield from asyncio.sleep(0).__await__()
            return 'old'
        @types.coroutine
        def older():
            return (yield from new())
        async def new():
            return await old()
        class Custom:
            def __await__(self):
                return (yield from new().__await__())
        async def main():
            return [await old(), await new(), await older(), await Custom()]
        result = asyncio.run(main())
    """,
    "asynchronous generators": """
        import asyncio
        log = []
        async def ag():
            try:
                got = yield 1
                log.append(got)
                yield got
            finally:
                await asyncio.sleep(0)
                log.append('closed')
        async def main():
            it = ag()
            first = await it.__anext__()
            second = await it.asend('sent')
            await it.aclose()
            return [first, second]
        result = [asyncio.run(main()), log]
    """,
    "refusals": """
        import asyncio
        async def a(): await 5
        async def b():
            async for x in 5: pass
        async def c():
            async with 5: pass
        result = []
        for f in (a, b, c):
            try:
                asyncio.run(f())
            except (TypeError, AttributeError) as error:
                result.append((type(error).__name__, str(error)))
    """,
    "exception context": """
        def inner():
            raise ValueError('inner')
        def outer():
            try:
                inner()
            except ValueError as error:
                raise KeyError('outer') from error
        try:
            outer()
        except KeyError as error:
            result = [repr(error), repr(error.__cause__), repr(error.__context__), error.__suppress_context__]
    """,
    "pickle and copy": """
        import copy, functools
        @functools.lru_cache(maxsize=None)
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        @functools.singledispatch
        def kind(x): return 'any'
        @kind.register(int)
        def _(x): return 'int'
        result = [fib(20), kind(1), kind(''), copy.copy(fib).__name__]
    """,
}


def execute(text: str, rewritten: bool, path: Path, bench: Bench | None = None) -> dict[str, Any]:
    tree = ast.parse(text)
    bench = bench or Bench()
    if rewritten:
        rewrite(tree, "snippet", path.name, Source(text), bench.registry.add)
    namespace: dict[str, Any] = {"__name__": "snippet", "__builtins__": bench.builtins}
    exec(compile(tree, str(path), "exec", dont_inherit=True), namespace)
    return namespace


@pytest.mark.parametrize("name", SNIPPETS)
def test_the_result_is_the_same(name: str, tmp_path: Path) -> None:
    text = inspect.cleandoc(SNIPPETS[name])
    plain = execute(text, False, tmp_path / "snippet.py")
    bench = Bench()
    observed = execute(text, True, tmp_path / "snippet.py", bench)
    assert observed["result"] == plain["result"]
    assert set(observed) == set(plain)
    assert bench.registry.functions[1:], "nothing was rewritten"
    assert bench.recorder.function() == 0


TRACEBACKS = {
    "plain": """
        def a():
            return b(1) + 1
        def b(x):
            if x:
                raise ValueError(
                    'no')
        a()
    """,
    "generator": """
        def g():
            yield 1
            raise ValueError('no')
        def h():
            yield from g()
        list(h())
    """,
    "coroutine": """
        import asyncio
        async def leaf():
            await asyncio.wait_for(failing(), 5)
        async def failing():
            await asyncio.sleep(0)
            raise ValueError('no')
        async def main():
            async for x in numbers():
                await leaf()
        async def numbers():
            yield 1
        def run():
            asyncio.run(main())
        run()
    """,
    "finally": """
        def f():
            try:
                int('x')
            finally:
                x = 1
        f()
    """,
}


@pytest.mark.parametrize("name", TRACEBACKS)
def test_the_traceback_is_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "snippet.py"
    path.write_text(inspect.cleandoc(TRACEBACKS[name]))
    assert traced(path, True) == traced(path, False)


def traced(path: Path, rewritten: bool, bench: Bench | None = None) -> list[str]:
    linecache.checkcache()
    try:
        execute(path.read_text(), rewritten, path, bench)
    except ValueError:
        return traceback.format_exc().splitlines()[4:]
    raise AssertionError("the snippet should have failed")


def test_the_source_of_a_function_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "snippet.py"
    path.write_text("# first\n\ndef f(x):\n    'Doc.'\n    return x\n")
    linecache.checkcache()
    f = execute(path.read_text(), True, path)["f"]
    assert inspect.getsource(f) == "def f(x):\n    'Doc.'\n    return x\n"


@pytest.mark.parametrize(
    "text", ["from __future__ import annotations\ndef f(x: Missing): pass\n", '"Doc."\ndef f(): pass\n']
)
def test_what_must_be_first_in_a_module_stays_first(text: str, tmp_path: Path) -> None:
    plain, observed = (execute(text, rewritten, tmp_path / "m.py") for rewritten in (False, True))
    assert observed.get("__doc__") == plain.get("__doc__")


def test_functions_for_a_just_in_time_compiler_are_left_alone(tmp_path: Path) -> None:
    text = "def jit(**options): return lambda f: f\n@jit(nopython=True)\ndef f(): return 1\n"
    namespace = execute(text, True, tmp_path / "m.py")
    assert "__burnish_f__" not in namespace["f"].__code__.co_varnames
    assert "__burnish_f__" in namespace["jit"].__code__.co_varnames


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are Python 3.12")
def test_type_parameters(tmp_path: Path) -> None:
    text = "def first[T](items: list[T]) -> T:\n    return items[0]\nclass Box[T]:\n    def get(self) -> T: return 1\n"
    namespace = execute(text, True, tmp_path / "m.py")
    assert (namespace["first"]([4]), namespace["Box"]().get()) == (4, 1)


def test_a_full_registry_leaves_functions_alone(tmp_path: Path) -> None:
    bench = Bench()
    bench.registry.capacity = 2
    namespace = execute("def f(): return 1\ndef g(): return 2\n", True, tmp_path / "m.py", bench)
    assert (namespace["f"](), namespace["g"](), bench.registry.dropped) == (1, 2, 1)


def test_a_module_that_is_reloaded_keeps_its_numbers(tmp_path: Path) -> None:
    bench = Bench()
    for _ in range(2):
        execute("def f(): return 1\n", True, tmp_path / "m.py", bench)
    assert [function.name for function in bench.registry.functions] == ["", "snippet:f"]

"""Programs that look at themselves: each is a module with ``main()`` that prints what it sees."""

from __future__ import annotations

PROGRAMS = {
    "recursion to the limit": """
        import sys, warnings
        # at the limit, the hook of an ``await`` in rewritten code may fail before the coroutine is awaited
        warnings.simplefilter("ignore", RuntimeWarning)
        def down(n): return down(n + 1)
        class Deep:
            def __getattr__(self, name): return getattr(self, name + "x")
        def generate(n): yield from generate(n + 1)
        async def wait(n): await wait(n + 1)
        def main():
            for attempt in (lambda: down(0), lambda: Deep().a, lambda: list(generate(0)), lambda: wait(0).send(None)):
                try:
                    attempt()
                except RecursionError as error:
                    print(type(error).__name__)
            print("alive", sys.getrecursionlimit(), fine(100))
        def fine(n): return n and fine(n - 1)
    """,
    "functions that replace themselves": """
        import functools, types
        def first(): return "first"
        def second(): return "second"
        def lazy():
            global lazy
            lazy = second
            return "lazy"
        def other(): return "other code"
        class Holder:
            def method(self): return "method"
        def main():
            print(first(), lazy(), lazy())
            first.__code__ = other.__code__
            print(first())
            Holder.method = types.FunctionType(second.__code__, globals(), "method")
            print(Holder.method(None))
            wrapped = functools.wraps(second)(lambda: second())
            print(wrapped(), wrapped.__wrapped__ is second, wrapped.__name__, wrapped.__module__)
            copied = types.FunctionType(second.__code__, {"__builtins__": __builtins__}, "copied")
            print(copied())
    """,
    "what can be asked of a function": '''
        import inspect, pickle, copy
        class Thing:
            """A thing."""
            def __init__(self, size: int = 3, *rest: str, key: "Thing | None" = None) -> None:
                """Make it."""
                self.size = size
            @property
            def twice(self) -> int: return self.size * 2
            @staticmethod
            def make(): return Thing()
            def __reduce__(self): return (Thing, (self.size,))
        def plain(a, b=1, /, c=2, *, d=3): "doc"; return locals()
        def generate(): yield 1
        async def wait(): return 1
        async def both(): yield 1
        def main():
            for function in (Thing.__init__, plain, generate, wait, both, Thing.make):
                print(function, function.__qualname__, function.__doc__, function.__defaults__, function.__kwdefaults__)
                print(inspect.signature(function), inspect.getsource(function), inspect.getsourcelines(function)[1])
                code = function.__code__
                print(code.co_filename[-6:], code.co_name, code.co_firstlineno, code.co_argcount, code.co_freevars)
                print(function.__annotations__, function.__module__, vars(function), function.__closure__)
                print([check(function) for check in (inspect.isgeneratorfunction, inspect.iscoroutinefunction)])
            print(inspect.getdoc(Thing), inspect.getmodule(Thing).__name__, sorted(vars(Thing)))
            again = pickle.loads(pickle.dumps(Thing(4)))
            print(again.twice, pickle.loads(pickle.dumps(plain)) is plain, copy.deepcopy(again).size, plain(1))
            print([name for name in globals() if "burnish" in name], len(dir(Thing)))
    ''',
    "tracebacks": """
        import sys, traceback
        def fail(n): return 1 / n
        def outer(n):
            try:
                fail(n)
            except ZeroDivisionError as error:
                raise KeyError("outer") from error
            finally:
                n += 1
        def generate():
            yield 1
            raise ValueError("generator")
        async def wait(): raise TypeError("coroutine")
        async def waits(): await wait()
        class Manager:
            def __enter__(self): return self
            def __exit__(self, *error): print("exit", error[0].__name__, error[2].tb_lineno)
        def within():
            with Manager():
                fail(0)
        def main():
            for attempt in (lambda: outer(0), lambda: list(generate()), lambda: waits().send(None), within):
                try:
                    attempt()
                except Exception:
                    print(traceback.format_exc())
                    trace = sys.exc_info()[2]
                    while trace:
                        print(trace.tb_lineno, trace.tb_frame.f_code.co_name)
                        trace = trace.tb_next
            print(sys.exc_info())
            outer(0)
    """,
    "exec, eval and compile": """
        def make(name): exec("def %s(n): return n + 1" % name, globals())
        def main():
            for number in range(50):
                make("f%d" % number)
            print(f7(1), eval("f8(2)"), eval(compile("f9(3)", "<text>", "eval")))
            space = {}
            exec(compile("import app\\ndef g(): return app.known()\\nresult = g()", "app.py", "exec"), space)
            print(space["result"])
            try:
                exec("def broken(: pass")
            except SyntaxError as error:
                print(error)
        def known(): return "known"
    """,
    "locals and frames": """
        import sys, inspect
        def names(a, b=2):
            c = a + b
            return sorted(locals())
        def caller(): return sys._getframe(1).f_code.co_name
        def stack(): return [frame.function for frame in inspect.stack()][:3]
        def main():
            print(names(1), caller(), stack())
            print(vars() is not None, sorted(dir()))
            class Local:
                x = 1
                y = sorted(name for name in locals() if not name.startswith("__"))
            print(Local.y)
    """,
    "signals during observed calls": """
        import signal, time
        seen = []
        def handler(number, frame):
            seen.append(frame.f_code.co_name)
            if len(seen) == 5:
                raise InterruptedError("fifth")
        def work(n): return sum(range(n))
        def main():
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            try:
                while True:
                    work(1000)
            except InterruptedError as error:
                print(error)
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(len(seen), work(10))
    """,
    "an interrupt that is caught": """
        import os, signal, time
        def inner():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        def main():
            try:
                inner()
            except KeyboardInterrupt:
                print("interrupted")
            try:
                leave()
            except SystemExit as error:
                print(error.code)
        def leave(): raise SystemExit({"a": 1})
    """,
    "shutdown": """
        import atexit, sys, threading, time
        def tick(n): return n
        def forever():
            while True:
                tick(1)
                time.sleep(0.001)
        def last(): print("last", tick(2), list(generate())[:2])
        def generate():
            try:
                yield 1
                yield 2
            finally:
                tick(3)
                print("closed")
        class Dying:
            def __del__(self): tick(4); print("deleted")
        atexit.register(last)
        kept, thing = generate(), Dying()
        def main():
            next(kept)
            for _ in range(3):
                threading.Thread(target=forever, daemon=True).start()
            late = threading.Thread(target=lambda: (time.sleep(0.05), tick(5), print("thread")))
            late.start()
            time.sleep(0.02)
            print("main ends")
    """,
    "huge and strange values": """
        class Rude:
            def __len__(self): raise RuntimeError("len")
            def __eq__(self, other): raise RuntimeError("eq")
            def __hash__(self): raise RuntimeError("hash")
            def __repr__(self): raise RuntimeError("repr")
            def __bool__(self): raise RuntimeError("bool")
            def __getattribute__(self, name): raise RuntimeError("attribute")
            @property
            def __class__(self): raise RuntimeError("class")
        class Odd(Exception):
            def __init__(self): pass
            def __str__(self): raise RuntimeError("str")
            def __eq__(self, other): raise RuntimeError("eq")
            __hash__ = None
        class Endless:
            def __len__(self): return 2 ** 62
        def take(*values, **named): return len(values) + len(named)
        def give(value): return value
        def fail(): raise Odd()
        def main():
            big = "x" * 50_000_000
            print(take(big, [0] * 1_000_000, **{"k%d" % n: n for n in range(10_000)}))
            rude = Rude()
            print(take(rude), object.__repr__(give(rude))[:20], take(Endless()), len(give(b"y" * 10_000_000)))
            try:
                fail()
            except Odd as error:
                print(type(error).__name__)
    """,
    "a thread of each kind": """
        import threading, concurrent.futures as futures
        local = threading.local()
        def work(n):
            local.n = n
            return inner() + n
        def inner(): return local.n
        def main():
            with futures.ThreadPoolExecutor(8) as pool:
                print(sum(pool.map(work, range(1000))))
            threads = [threading.Thread(target=work, args=(n,)) for n in range(200)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(threading.active_count() < 4)
    """,
    "generators": """
        import contextlib, asyncio
        def numbers():
            received = []
            try:
                while True:
                    received.append((yield len(received)))
            except ValueError as error:
                yield "threw %s" % error
            finally:
                received.append("end")
        def delegate(): return (yield from numbers())
        @contextlib.contextmanager
        def managed():
            try: yield "inside"
            except KeyError: print("swallowed")
        async def ticks():
            for n in range(3):
                await asyncio.sleep(0)
                yield n
        async def use():
            found = [n async for n in ticks()]
            tasks = [asyncio.create_task(slow(n)) for n in range(5)]
            tasks[0].cancel()
            return found, [str(r) or type(r).__name__ for r in await asyncio.gather(*tasks, return_exceptions=True)]
        async def slow(n):
            await asyncio.sleep(0.01)
            if n == 1: raise ValueError("one")
            return n
        def main():
            for make in (numbers, delegate):
                it = make()
                print(next(it), it.send("a"), it.throw(ValueError("x")), it.gi_frame is not None)
                it.close()
                it = make()
                print(next(it), it.gi_code.co_name, it.__name__)
                del it
            with managed() as inside:
                print(inside)
                raise KeyError
    """
    + """
        def more():
            print(asyncio.run(use()))
        import atexit
        atexit.register(more)
    """,
    "warnings name the caller": """
        import warnings
        def old(): warnings.warn("old", DeprecationWarning, stacklevel=2)
        def main():
            warnings.simplefilter("always")
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always")
                old()
            print([(str(w.message), w.filename[-6:], w.lineno) for w in found])
    """,
    "trace functions": """
        import sys
        events = []
        def trace(frame, event, argument):
            if frame.f_code.co_filename.endswith("app.py"):
                events.append((event, frame.f_code.co_name))
            return trace
        def work(n): return inner(n)
        def inner(n): return n
        def main():
            sys.settrace(trace)
            work(1)
            sys.settrace(None)
            print([event for event in events if event[0] in ("call", "return")])
            events.clear()
            sys.setprofile(trace)
            work(1)
            sys.setprofile(None)
            print([event for event in events if event[0] in ("call", "return")])
    """,
    "faulthandler": """
        import faulthandler, sys
        def main():
            faulthandler.enable()
            faulthandler.dump_traceback(sys.stdout.fileno() and open("trace.txt", "w"))
            print("main" in open("trace.txt").read())
    """,
    "functions of the library that are taken away or forbidden": """
        import os, sys, time
        def hot(n): return n
        def main():
            frame, real = sys._getframe, os.path.realpath
            end = time.perf_counter() + 0.5
            while time.perf_counter() < end: hot(1)
            def forbidden(*arguments, **options): raise RuntimeError("blocking call")
            del sys._getframe
            os.path.realpath = os.path.isfile = os.lstat = forbidden
            try:
                end = time.perf_counter() + 0.5
                while time.perf_counter() < end: hot(1)
                import colorsys
                print(colorsys.rgb_to_hsv(0, 0, 0))
            finally:
                sys._getframe, os.path.realpath = frame, real
    """,
}

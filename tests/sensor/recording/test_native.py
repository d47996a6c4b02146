"""What the native recorder has beyond the pure one. That both record the same is in the tests of the recorder."""

from __future__ import annotations

import gc
import random
import sys
import threading
from collections import Counter
from typing import Any

import pytest

from burnish_sensor.recording.histogram import BOUNDS, Histogram
from burnish_sensor.recording.native import NativeRecorder, load
from burnish_sensor.windows.window import Window
from tests.sensor.support import ROOT, Bench, bare, run, short

core: Any = load()
pytestmark = pytest.mark.skipif(core is None, reason="burnish_sensor.recording._core is not built for this Python")


class NativeBench(Bench):
    native = True

    def number(self, name: str) -> int:
        return next(n for n, function in enumerate(self.registry.functions) if bare(function.name) == name)


def test_it_is_not_loaded_where_it_is_switched_off(tmp_path: Any) -> None:
    code = "from burnish_sensor.recording.native import load; print(load())"
    assert run(code, tmp_path, BURNISH_NATIVE="off").stdout == "None\n"
    assert "_core" in run(code, tmp_path).stdout


def test_histograms_are_those_of_python() -> None:
    draw = random.Random(7)
    values = [int(2 ** draw.uniform(0, 40)) for _ in range(100_000)]
    values += [2**power + step for power in range(61) for step in (-1, 0, 1)] + [0, 0]
    values += [bound + step for bound in BOUNDS[:400] for step in (0, 1)]
    bench = NativeBench()
    app = bench.load("""
        def f(n):
            tick(n)
    """)
    for value in values:
        bench.clock.now = 1
        app["f"](value)
    expected = Histogram()
    expected.extend(values)
    row = bench.tables()["calls"][0]
    assert row["own"] == row["wall"] == expected.to_dict()


def test_tables_are_taken_in_parts() -> None:
    bench = NativeBench()
    app = bench.load("\n".join(f"def f{n}():\n    tick({n})" for n in range(50)))
    for n in range(50):
        app[f"f{n}"]()
    recorder = bench.recorder
    recorder.core.fold(recorder.core.root(), "a")
    parts = []
    while True:
        part, uses, queries = recorder.core.take(7)
        assert (uses, queries) == ([], [])
        if not part:
            break
        parts.append(part)
    assert [len(part) for part in parts] == [7] * 7 + [1]
    assert sorted(row[1] for part in parts for row in part) == list(range(1, 51))
    assert {row[0] for part in parts for row in part} == {"a"}


def test_a_log_that_is_long_is_folded_before_the_entry_ends() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            tick(2)
    """)
    entry = bench.entries.begin("job", "")
    for _ in range(10_000):
        app["f"]()
    before = bench.recorder.core.memory()
    bench.entries.end(entry, "job:x")
    assert before < 300_000
    (row,) = bench.tables()["calls"]
    assert (row["entry"], row["calls"], row["wall"]["sum"], row["callers"]) == ("job:x", 10_000, 20_000, {"": 10_000})


def test_a_form_decides_what_is_recorded() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            tick(1)
    """)
    native = bench.recorder.core
    for form, calls in ((core.OFF, 3), (core.COUNT, 5), (core.DRAIN, 7), (core.TIMED, 11)):
        native.set_form(1, form)
        for _ in range(calls):
            app["f"]()
    assert native.take_counts() == {1: 5}
    assert native.take_counts() == {}
    assert native.meter() == [(1, 11, 11)]
    assert native.meter() == []
    assert bench.calls()["f"]["calls"] == 11


def test_sampled_calls_are_told_apart() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            tick(1)
    """)
    app["f"]()
    bench.recorder.core.set_sampled(1, True)
    app["f"]()
    app["f"]()
    window = Window(10)
    bench.recorder.take(window)
    assert (window.totals[""].calls[1].own.count, window.totals[""].sampled[1].own.count) == (1, 2)


@pytest.mark.parametrize("form", ["TIMED", "COUNT"])
def test_the_end_of_a_slice_is_told_once(form: str) -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            tick(1)
    """)
    native, told = bench.recorder.core, []
    native.full = lambda: told.append(bench.clock.now)
    native.set_sampled(1, True)
    native.set_form(1, getattr(core, form))
    native.slice_end = bench.clock.now + 100
    for _ in range(500):
        app["f"]()
        bench.clock.advance(1)
    assert len(told) == 1
    assert told[0] >= 1_000 + 100


def test_running_calls_that_are_cut_pass_on_what_they_know() -> None:
    bench = NativeBench()
    app = bench.load("""
        def outer():
            tick(1)
            middle()
            tick(2)
        def middle():
            tick(10)
            inner()
            bench.query("SELECT 1", took=5)
            bench.recorder.core.cut([bench.number("middle")])
            inner()
        def inner():
            tick(100)
        def numbers():
            yield 1
            bench.recorder.core.cut([bench.number("numbers")])
            yield 2
    """)
    app["outer"]()
    assert list(app["numbers"]()) == [1, 2]
    calls = bench.calls()
    assert calls["outer"] == {"calls": 1, "wall": 218, "own": 18, "callers": {"": 1}, "errors": {}}
    assert calls["inner"]["callers"] == {"middle": 1, "outer": 1}
    assert {"middle", "numbers"} & calls.keys() == set()
    assert bench.recorder.core.live(bench.number("middle")) == 0


def test_calls_that_run_already_are_seeded_as_callers() -> None:
    bench = NativeBench()
    app = bench.load("""
        def outer():
            tick(1)
            sampled(2)
        def sampled(n):
            tick(10)
            if n:
                sampled(n - 1)
            else:
                begin_slice()
                exact()
        def begin_slice():
            bench.begin_slice()
        def exact():
            tick(100)
    """)
    native, number = bench.recorder.core, bench.number("sampled")
    native.register_code(app["sampled"].__code__, number)
    native.set_form(number, core.OFF)
    native.set_sampled(number, True)

    def begin_slice() -> None:
        native.set_form(number, core.TIMED)
        native.seed([number])

    bench.begin_slice = begin_slice  # type: ignore[attr-defined]
    app["outer"]()
    assert native.live(number) == 0
    calls = bench.calls()
    assert calls["exact"]["callers"] == {"sampled": 1}
    assert "sampled" not in calls
    assert (calls["outer"]["own"], calls["outer"]["wall"]) == (31, 131)


def test_an_unrecorded_caller_is_found_on_the_real_stack() -> None:
    bench = NativeBench()
    app = bench.load("""
        def outer():
            sampled()
        def sampled():
            return [exact() for _ in range(2)]
        def exact():
            return bench.recorder.function()
    """)
    native, number = bench.recorder.core, bench.number("sampled")
    native.register_code(app["sampled"].__code__, number)
    native.set_form(number, core.OFF)
    native.set_sampled(number, True)
    app["outer"]()
    assert bench.calls()["exact"]["callers"] == {"sampled": 2}
    assert native.number_of(app["sampled"].__code__) == number
    assert native.number_of(test_histograms_are_those_of_python.__code__) == 0


def test_exemplars_are_the_slow_calls_and_a_uniform_sample() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f(n):
            tick(n)
            if n == 77:
                bench.query("SELECT 1")
    """)
    native = bench.recorder.core
    slow: list[tuple[Any, ...]] = []
    native.capture = lambda *all: slow.append(all)
    native.set_trigger(1, 70, 0)
    for n in range(78):
        app["f"](n)
    assert [call[1] for call in slow] == [*range(70, 77), 87]
    assert all(call[3] is False and call[8] is core.MISSING for call in slow)
    assert [call[6] for call in slow] == [0] * 7 + [1]
    assert slow[0][4:6] == (71, 1)
    native.set_trigger(1, 0, 10)
    uniform = Counter(call[3] for call in slow[len(slow) :])
    native.capture = lambda *all: uniform.update([all[3]])
    for _ in range(10_000):
        app["f"](0)
    assert uniform.keys() == {True}
    assert 800 < uniform[True] < 1_200


def test_what_a_callable_raises_stays_inside() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            try:
                raise ValueError
            except ValueError:
                g()
                raise
        def g():
            tick(1)
    """)
    native = bench.recorder.core
    native.capture = native.full = native.wake = lambda *all: 1 // 0
    native.set_trigger(2, 1, 0)
    with pytest.raises(ValueError, match=r"^$"):
        app["f"]()
    assert bench.calls()["f"]["errors"] == {"ValueError": 1}


def test_beyond_the_deepest_recursion_calls_are_counted_as_dropped() -> None:
    bench = NativeBench()
    app = bench.load("""
        def down(n):
            return n and down(n - 1)
    """)
    limit = sys.getrecursionlimit()
    thread_size = threading.stack_size(256 * 1024 * 1024)
    done: list[int] = []

    def deep() -> None:
        sys.setrecursionlimit(20_000)
        done.append(app["down"](12_000))

    thread = threading.Thread(target=deep)
    thread.start()
    thread.join(30)
    threading.stack_size(thread_size)
    sys.setrecursionlimit(limit)
    assert done == [0]
    assert bench.recorder.core.dropped == 2_001
    row = bench.tables()["calls"][0]
    assert (row["calls"], row["wall"]["count"]) == (10_000, 1)


def test_a_recursion_to_the_limit_leaves_the_stack_whole() -> None:
    bench = NativeBench()
    app = bench.load("""
        def forever():
            forever()
        def after():
            tick(1)
    """)
    with pytest.raises(RecursionError):
        app["forever"]()
    assert bench.recorder.function() == 0
    app["after"]()
    calls = bench.calls()
    assert calls["after"]["callers"] == {"": 1}
    assert calls["forever"]["errors"]["RecursionError"] >= 10


def test_stacks_can_be_switched_on_one_thread() -> None:
    bench = NativeBench()
    app = bench.load("""
        def outer():
            tick(1)
            bench.recorder.core.switch_stack(5)
            other()
            bench.recorder.core.switch_stack(0)
            other()
            bench.recorder.core.drop_stack(5)
        def other():
            tick(10)
    """)
    app["outer"]()
    calls = bench.calls()
    assert calls["other"]["callers"] == {"": 1, "outer": 1}
    assert (calls["outer"]["own"], calls["outer"]["wall"]) == (1, 21)


def test_a_stack_on_top_of_another_is_called_by_what_waits_there() -> None:
    bench = NativeBench()
    app = bench.load("""
        core = bench.recorder.core

        def outer():
            tick(1)
            core.switch_stack(5, 0)
            inner()
            core.switch_stack(0)
            tick(2)
            core.drop_stack(5)

        def inner():
            tick(10)
            bench.query("SELECT 1")
            core.switch_stack(0)
            tick(100)
            core.switch_stack(5, 0)
            tick(20)
    """)
    app["outer"]()
    tables = bench.tables()
    calls = {bare(row["function"]): short(row) for row in tables["calls"]}
    assert calls["inner"]["callers"] == {"outer": 1}
    assert (calls["inner"]["own"], calls["inner"]["wall"]) == (40, 140)
    assert (calls["outer"]["own"], calls["outer"]["wall"]) == (103, 143)
    assert {bare(row["function"]): row["executions"]["sum"] for row in tables["per_call"]} == {"inner": 1, "outer": 1}


def test_threads_that_ended_give_their_memory_back() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f():
            tick(1)
    """)
    app["f"]()
    bench.tables()
    before = bench.recorder.core.memory()
    for _ in range(20):
        thread = threading.Thread(target=app["f"])
        thread.start()
        thread.join()
    assert bench.calls()["f"]["calls"] == 20
    bench.tables()
    assert bench.recorder.core.memory() < before + 5_000
    assert len(bench.recorder.open) <= 2


def test_after_a_fork_the_child_forgets_and_goes_on() -> None:
    bench = NativeBench()
    app = bench.load("""
        def before():
            tick(1)
        def outer():
            before()
            bench.recorder.forget()
            after()
        def after():
            tick(10)
    """)
    entry = bench.entries.begin("job", "job:x")
    app["outer"]()
    bench.entries.end(entry)
    tables = bench.tables()
    assert {bare(row["function"]): row["entry"] for row in tables["calls"]} == {"outer": "job:x", "after": "job:x"}


def test_a_closed_recorder_does_nothing() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f(n):
            tick(1)
            if n:
                bench.recorder.core.close()
                f(0)
        def numbers():
            yield 1
    """)
    iterator = app["numbers"]()
    next(iterator)
    app["f"](1)
    assert list(iterator) == []
    assert bench.calls() == {}


def test_nothing_leaks() -> None:
    bench = NativeBench()
    app = bench.load("""
        def outer():
            for number in numbers():
                try:
                    raises()
                except KeyError:
                    bench.query("SELECT 1", (number,))
            it = numbers()
            next(it)
            bench.recorder.core.cut([bench.number("numbers")])
        def numbers():
            yield 1
            yield 2
        def raises():
            raise KeyError
    """)

    def round_of_calls() -> int:
        for _ in range(50):
            entry = bench.entries.begin("job", "job:x")
            app["outer"]()
            bench.entries.end(entry)
        bench.tables()
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(30):  # until the interpreter's own free lists are full
        round_of_calls()
    before, memory = round_of_calls(), bench.recorder.core.memory()
    for _ in range(20):
        after = round_of_calls()
    assert after - before < 500
    assert bench.recorder.core.memory() <= memory


def test_recorders_come_and_go() -> None:
    for _ in range(30):
        bench = NativeBench()
        app = bench.load("""
            def f():
                yield 1
        """)
        iterator = app["f"]()
        next(iterator)
        del bench
    gc.collect()
    assert not [found for found in gc.get_objects() if isinstance(found, NativeRecorder)][2:]


def test_a_process_that_ends_with_open_calls_ends_well(tmp_path: Any) -> None:
    code = f"""
        import sys, threading
        sys.path.insert(0, {str(ROOT)!r})
        from tests.sensor.recording.test_native import NativeBench
        bench = NativeBench()
        app = bench.load('''
            import atexit, threading, time
            def last():
                tick(1)
            def numbers():
                yield 1
            def waits(begun):
                begun.set()
                time.sleep(60)
            atexit.register(last)
        ''')
        iterator = app["numbers"]()
        next(iterator)
        begun = threading.Event()
        threading.Thread(target=app["waits"], args=(begun,), daemon=True).start()
        begun.wait(5)
        print("done")
    """
    done = run(code, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_bad_numbers_are_told() -> None:
    native = NativeBench().recorder.core
    with pytest.raises(ValueError, match="from 1 to"):
        native.set_form(0, core.TIMED)
    with pytest.raises(ValueError, match="unknown kind"):
        native.register(1, "lambda")
    with pytest.raises(ValueError, match="unknown form"):
        native.set_form(1, 9)
    with pytest.raises(TypeError):
        native.cut(5)


def test_calls_that_no_reservoir_wants_are_counted_only() -> None:
    bench = NativeBench()
    app = bench.load("""
        def f(n):
            tick(n)
    """)
    native = bench.recorder.core
    shown: list[tuple[float, float]] = []
    native.capture = lambda *all: shown.append(all[10])
    native.set_trigger(1, 70, 0)
    native.set_bar(1, 1, 0.25)
    for _ in range(4_000):
        app["f"](80)
    assert all(0 <= tag < 0.25 for _, tag in shown)
    assert 850 < len(shown) < 1_150
    assert native.take_passed() == [(1, (0, 0), (4_000 - len(shown), 0))]
    assert native.take_passed() == []
    shown.clear()
    for _ in range(100):
        app["f"](80)
    assert len(shown) == 100
    with pytest.raises(ValueError, match="kind of sample"):
        native.set_bar(1, 2, 0.5)

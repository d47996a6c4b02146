"""Calls that are looked at. ``tests/format/conditions.jsonl`` holds what a fixed scenario writes, for the agent too.

After a wanted change, with ``sensor`` on PYTHONPATH, ``python -m tests.sensor.exemplars.test_exemplars`` writes it
again.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import string
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from burnish_sensor.exemplars.exemplars import Exemplars
from burnish_sensor.exemplars.facts import MISSING
from burnish_sensor.governor.weighting import Estimate, Weight
from burnish_sensor.recording.native import load
from burnish_sensor.recording.work import Work
from burnish_sensor.settings import Settings
from burnish_sensor.windows.flush import Flusher
from burnish_sensor.windows.window import Window
from tests.sensor.format_shape import check_window
from tests.sensor.support import ROOT, Bench, run, windows, write

GOLDEN = ROOT / "tests" / "format" / "conditions.jsonl"
MS = 1_000_000

PRICES = """
    class Basket:
        def total(self, prices, rounded=False, currency="EUR"):
            tick(200_000 + len(prices) * 20_000)
            for price in prices[:2]:
                bench.query("SELECT rate FROM rates WHERE currency = 'EUR'", (price,), rows=1, took=1_000)
            return tiny(prices)

    def tiny(prices):
        tick(100)
        return len(prices)

    async def mail(address):
        tick(2_000_000)
"""


def seen(exemplars: Exemplars, bench: Bench) -> dict[str, Any]:
    """The tables of the window so far."""
    window = Window(500)
    bench.recorder.take(window)
    exemplars.fold(window)
    window.more = exemplars.tables(window)
    return window.to_dict(bench.registry, bench.statements)


def scenario(folder: Path) -> list[dict[str, Any]]:
    """Two windows of a service whose totals are slow for many prices."""
    bench = Bench()
    unix = 1_750_000_000_000_000_000
    settings = Settings("", str(folder), "prices", "production", "4f2c1ab", 10.0, True)
    about = {"version": "0.1.0", "mechanism": "rewriting"}
    flusher = Flusher(bench.recorder, bench.registry, bench.statements, settings, about, lambda: unix + bench.clock.now)
    flusher.exemplars = bench.look()
    flusher.instance, flusher.output.path = "golden", str(folder / "golden.jsonl")
    app = bench.load(PRICES, "prices.views", "prices/views.py")
    with imported("prices.views", app):
        for _ in range(2):
            serve_all(bench, app)
            flusher.flush()
    found = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    for window in found:
        window["python"] = "3.11.7"
        window["sensor"].update(overhead_ns=150_000, process_cpu_ns=9_000_000)
    return found


@contextmanager
def imported(name: str, namespace: dict[str, Any]) -> Iterator[None]:
    """A module of this name, so that its classes are found where they say they are."""
    module = ModuleType(name)
    vars(module).update(namespace)
    sys.modules[name] = module
    try:
        yield
    finally:
        del sys.modules[name]


def serve_all(bench: Bench, app: dict[str, Any]) -> None:
    draw = random.Random(1)
    for number in range(90):
        serve(bench, app, draw.choice([1, 2, 3, 5] if number % 30 else [700]), draw.choice(["free", "paid"]))
        bench.clock.advance(100 * MS)
    asyncio.run(app["mail"]("somebody@example.org"))


def serve(bench: Bench, app: dict[str, Any], prices: int, plan: str) -> None:
    entry = bench.entries.begin("http")
    bench.probe.note("plan", plan)
    app["Basket"]().total([1] * prices, rounded=prices % 2 == 0)
    bench.entries.end(entry, "GET basket/", 200)


def test_the_sensor_writes_the_golden_file(tmp_path: Path) -> None:
    assert scenario(tmp_path) == [json.loads(line) for line in GOLDEN.read_text().splitlines()]


def test_what_is_written_has_the_shape_of_the_format(tmp_path: Path) -> None:
    found = scenario(tmp_path)
    for window in found:
        check_window(window)
    assert all(window["exemplars"] and window["conditions"] for window in found)


def test_slow_calls_are_counted_exactly_and_rows_hold_their_facts(tmp_path: Path) -> None:
    window = scenario(tmp_path)[1]
    (total,) = [row for row in window["conditions"] if row["function"] == "prices.views:Basket.total"]
    (slow,) = [
        row
        for row in window["exemplars"]
        if row["function"] == total["function"] and row["facts"]["arg.prices.size"] == 512
    ][:1]
    assert total["calls"] == 90
    assert total["slow_calls"] >= 3
    assert slow["entry"] == "GET basket/"
    assert slow["slow"] is True
    assert slow["facts"].pop("note.plan") in ("free", "paid")
    assert {key: fact for key, fact in slow["facts"].items() if key != "age_s"} == {
        "arg.self.type": "prices.views.Basket",
        "arg.prices.type": "list",
        "arg.prices.size": 512,
        "arg.rounded.type": "bool",
        "arg.rounded.is": True,
        "arg.currency.type": "str",
        "arg.currency.size": 2,
        "queries": 2,
        "first": False,
        "live": 1,
    }


def test_the_first_call_is_known_and_looked_at_if_it_is_long() -> None:
    bench = Bench()
    exemplars = bench.look()
    app = bench.load("""
        def load(n):
            tick(n)
    """)
    for wall in (5 * MS, 10, 6 * MS):
        app["load"](wall)
    rows = seen(exemplars, bench)["exemplars"]
    assert [(row["wall_ns"], row["facts"]["first"]) for row in rows] == [(6 * MS, False), (5 * MS, True)]


class NativeBench(Bench):
    native = True


@pytest.mark.skipif(load() is None, reason="burnish_sensor.recording._core is not built for this Python")
def test_both_recorders_show_the_same() -> None:
    found = []
    for bench in (Bench(), NativeBench()):
        exemplars = bench.look()
        app = bench.load(PRICES)
        with imported("app", app):
            for _ in range(2):
                serve(bench, app, 700, "free")
        found.append(seen(exemplars, bench))
    for table in ("exemplars", "conditions"):
        assert sorted(map(str, found[0][table])) == sorted(map(str, found[1][table]))


def test_a_recursion_is_looked_at_once() -> None:
    bench = Bench()
    exemplars = bench.look()
    app = bench.load("""
        def down(n):
            tick(2_000_000)
            return n and down(n - 1)
    """)
    app["down"](3)
    app["down"](3)
    found = seen(exemplars, bench)
    assert [row["wall_ns"] for row in found["exemplars"]][:1] == [8 * MS]
    assert found["conditions"][0]["calls"] == found["calls"][0]["wall"]["count"]


def test_time_in_which_a_call_is_looked_at_is_nobodys() -> None:
    bench = Bench()
    exemplars = bench.look()
    capture = exemplars.capture

    def slow_capture(*arguments: Any) -> None:
        bench.clock.advance(50_000)
        capture(*arguments)

    bench.recorder.triggers.capture = slow_capture
    app = bench.load("""
        def outer():
            tick(1)
            inner()
        def inner():
            tick(2_000_000)
    """)
    app["outer"]()
    calls = bench.calls()
    assert (calls["inner"]["wall"], calls["outer"]["own"], calls["outer"]["wall"]) == (2 * MS, 1, 2 * MS + 1)


def test_calls_that_run_at_the_same_time_are_counted() -> None:
    bench = Bench()
    exemplars = bench.look()
    app = bench.load("""
        import asyncio
        async def one(n):
            await asyncio.sleep(0)
            tick(2_000_000)
        async def every():
            await asyncio.gather(*[one(n) for n in range(5)])
    """)
    asyncio.run(app["every"]())
    rows = [row for row in seen(exemplars, bench)["exemplars"] if row["function"] == "app:one"]
    assert sorted(row["facts"]["live"] for row in rows) == [1, 2, 2, 4, 4]


def test_the_entry_is_the_one_that_the_call_belonged_to_though_its_name_came_later() -> None:
    bench = Bench()
    exemplars = bench.look()
    app = bench.load("def work():\n    tick(2_000_000)\n")
    entry = bench.entries.begin("http")
    app["work"]()
    assert seen(exemplars, bench)["exemplars"] == []
    bench.entries.end(entry, "GET late/")
    (row,) = seen(exemplars, bench)["exemplars"]
    assert row["entry"] == "GET late/"


def test_no_row_keeps_an_entry_alive() -> None:
    bench = Bench()
    exemplars = bench.look()
    app = bench.load("def work():\n    tick(2_000_000)\n")
    entry = bench.entries.begin("http")
    app["work"]()
    bench.entries.end(entry, "GET x/")
    reference = weakref.ref(entry.context)
    del entry
    window = Window(500)
    bench.recorder.take(window)
    exemplars.fold(window)
    gc.collect()
    assert reference() is None
    assert len(exemplars.tables(window)["exemplars"]) == 1


def test_rows_are_bounded_by_a_smaller_sample_of_each() -> None:
    bench = Bench()
    exemplars = bench.look(rate=1e6)
    text = "\n".join(f"def f{n}():\n    tick(2_000_000)" for n in range(300))
    app = bench.load(text)
    for number in range(300):
        for _ in range(10):
            bench.clock.advance(MS)
            app[f"f{number}"]()
    found = seen(exemplars, bench)
    assert len(found["exemplars"]) == 300 * 6
    assert all(row["slow_kept"] == 6 and row["slow_calls"] == 10 for row in found["conditions"])


@pytest.mark.parametrize("broken", [object(), 7, "frame"])
def test_capture_never_raises(broken: Any) -> None:
    exemplars = Bench().look()
    exemplars.capture(1, 10 * MS, 0, True, 1, 1, broken, broken, broken, broken)
    exemplars.capture(broken, broken, broken, broken, broken, broken, broken, broken)


def test_a_result_is_described_where_the_recorder_knows_it() -> None:
    bench = Bench()
    exemplars = bench.look()
    bench.load("def f(): pass\n")["f"]()
    work = Work()
    for result in ([1] * 5, None, MISSING):
        exemplars.capture(1, 10 * MS, 0, False, 2, 3, None, None, result, work)
    rows = seen(exemplars, bench)["exemplars"]
    found = [{key: fact for key, fact in row["facts"].items() if key.startswith("result")} for row in rows]
    assert sorted(found, key=len) == [{}, {"result.type": "NoneType"}, {"result.type": "list", "result.size": 4}]


def test_sampled_calls_carry_what_they_stand_for() -> None:
    bench = Bench()
    exemplars = bench.look()
    bench.load("def f(): pass\n")["f"]()
    bench.recorder.sampling.use(frozenset({1}))
    window = Window(500)
    bench.recorder.take(window)
    window.weights = {1: Weight(1, Estimate(40))}
    exemplars.capture(1, 10 * MS, 0, False, 2, 1, None, None, MISSING, Work())
    found = exemplars.tables(window)
    assert found["exemplars"][0]["rate"] == 40.0
    assert found["conditions"][0] | {"slow_ns": 0} == {
        "function": "app:f",
        "calls": 40,
        "slow_ns": 0,
        "slow_calls": 40,
        "slow_kept": 1,
        "uniform_every": 0,
        "uniform_seen": 0,
        "uniform_kept": 0,
        "rate": 40.0,
    }


def test_nothing_that_was_passed_is_written(tmp_path: Path) -> None:
    draw = random.Random(5)
    secrets = ["".join(draw.choices(string.ascii_letters + string.digits, k=12)) for _ in range(60)]
    write(
        tmp_path,
        app="""
        import asyncio, sqlite3, sys, time
        class Account:
            def __init__(self, name): self.name = name
            def __repr__(self): return self.name
            def renamed(self, name, *rest, strict=True, **more):
                time.sleep(0.0012)
                return {name: more}
        def find(key, table=None, number=0):
            time.sleep(0.0011)
            return key
        async def send(to, parts):
            await asyncio.sleep(0.0011)
            return to
        def main(secrets):
            import burnish_sensor
            for one in secrets:
                number = int.from_bytes(one.encode(), "big")
                with burnish_sensor.entry("job:secret"):
                    Account(one).renamed(one, one, one, strict=len(one) > 2, more=one)
                    find([one], {one: one}, number)
                    find(type(one, (), {})(), one.encode(), float(number))
                    asyncio.run(send(one, (one, {one})))
    """,
    )
    code = "import burnish_sensor; burnish_sensor.start()\nimport app, json, sys\napp.main(json.load(open('s.json')))"
    (tmp_path / "s.json").write_text(json.dumps(secrets))
    result = run(code, tmp_path, BURNISH_EXEMPLARS="1000")
    assert (result.returncode, result.stderr) == (0, "")
    (window,) = windows(tmp_path)
    check_window(window)
    text = json.dumps(window)
    assert len(window["exemplars"]) > 20
    assert not [one for one in secrets if one in text or str(int.from_bytes(one.encode(), "big")) in text]


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    write(tmp_path, app="import time\ndef f():\n    time.sleep(0.002)\n")
    result = run(
        "import burnish_sensor, gc; burnish_sensor.start()\nimport app; app.f(); print(len(gc.callbacks))",
        tmp_path,
        BURNISH_EXEMPLARS="off",
    )
    assert (result.stdout, result.stderr) == ("0\n", "")
    assert "exemplars" not in windows(tmp_path)[0]


def test_a_forked_child_reports_its_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="""
        import os, time
        def before(): time.sleep(0.002)
        def child(): time.sleep(0.002)
        def work():
            before()
            pid = os.fork()
            if pid == 0:
                child()
                raise SystemExit(0)
            os.waitpid(pid, 0)
    """,
    )
    result = run("import burnish_sensor; burnish_sensor.start()\nimport app; app.work()", tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    found = [{row["function"] for row in window["exemplars"]} - {"app:work"} for window in windows(tmp_path)]
    assert sorted(found, key=sorted) == [{"app:before"}, {"app:child"}]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        lines = [json.dumps(window, separators=(",", ":")) for window in scenario(Path(scratch))]
    GOLDEN.write_text("\n".join(lines) + "\n")

"""Rows that the native core writes are those that Python would write of the same calls."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import pytest

from burnish_sensor.governor.weighting import Estimate, Weight
from burnish_sensor.notice import Notices
from burnish_sensor.recording.native import load
from burnish_sensor.windows.memory import CALLERS, CALLS, EXEMPLARS, MemoryBound
from burnish_sensor.windows.window import Window
from tests.sensor.support import Bench

pytestmark = pytest.mark.skipif(load() is None, reason="burnish_sensor.recording._core is not built for this Python")

NAMES = ["plain", "é_ü", "名前", "𝒇unny", "a_b", "zz"]
ENTRIES = ["GET /a", 'GET /"quoted"\\\n\x7f', "GET /ü/𝒇", "GET /b", "GET /c"]
ERRORS = ["ValueError", "KeyError", "LookupError"]


class NativeBench(Bench):
    native = True


def program(seed: int) -> Bench:
    """Calls, errors and entries by random; the same for the same seed."""
    bench, draw = NativeBench(), random.Random(seed)
    body = "def {}(depth, script):\n    script(depth)\n"
    app = bench.load("\n".join(body.format(name) for name in NAMES), "app.𝒎odule")

    def script(depth: int) -> None:
        bench.clock.advance(int(2 ** draw.uniform(0, 30)) if draw.random() < 0.9 else 0)
        for _ in range(draw.randrange(3) if depth < 4 else 0):
            try:
                app[draw.choice(NAMES)](depth + 1, script)
            except (LookupError, ValueError):
                if draw.random() < 0.5:
                    raise
        if draw.random() < 0.1:
            raise {"ValueError": ValueError, "KeyError": KeyError, "LookupError": LookupError}[draw.choice(ERRORS)]

    for number in range(60):
        if number == 40 and seed % 2:
            bench.recorder.core.set_sampled(1 + seed % len(NAMES), True)
        entry = bench.entries.begin("http")
        with contextlib.suppress(LookupError, ValueError):
            app[draw.choice(NAMES)](0, script)
        bench.entries.end(entry, draw.choice(ENTRIES))
    return bench


def written(seed: int, direct: bool, entries: int) -> dict[str, Any]:
    bench, window = program(seed), Window(entries, direct)
    bench.recorder.take(window)
    assert (window.rows is not None) is direct
    for function, count in window.recorded().items():
        window.weights[function] = Weight(count, Estimate(count * 7))
    found: dict[str, Any] = json.loads("{" + "".join(window.pieces(bench.registry, bench.statements)) + "}")
    window.close()
    return {**found, "window calls": window.calls, "dropped": window.dropped_entries}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("entries", [500, 3])
def test_rows_are_those_of_python(seed: int, entries: int) -> None:
    ours, python = written(seed, True, entries), written(seed, False, entries)
    assert len(python["calls"]) > 10
    for table in (ours, python):  # those that Python writes come first
        table["calls"].sort(key=lambda row: (row["entry"], row["function"]))
    assert json.dumps(ours) == json.dumps(python)  # also the order of keys


def test_rows_of_an_entry_are_in_the_order_of_names() -> None:
    rows = [(row["entry"], row["function"]) for row in written(2, True, 500)["calls"]]
    assert rows == sorted(rows)


def test_what_is_recorded_while_a_window_is_taken_is_in_the_next_one() -> None:
    bench = NativeBench()
    app = bench.load("def f(): tick(1)\ndef g(): tick(1)\n")
    app["f"]()
    first, second = Window(10, direct=True), Window(10, direct=True)
    bench.recorder.take(first)
    app["f"]()
    app["g"]()
    assert [row["calls"] for row in first.to_dict(bench.registry, bench.statements)["calls"]] == [1]
    bench.recorder.take(second)
    assert [row["calls"] for row in second.to_dict(bench.registry, bench.statements)["calls"]] == [1, 1]


def test_a_window_that_was_not_written_gives_its_rows_up() -> None:
    bench = NativeBench()
    app = bench.load("def f(): tick(1)\n")
    app["f"]()
    window = Window(10, direct=True)
    bench.recorder.take(window)
    window.close()
    app["f"]()
    again = Window(10, direct=True)
    bench.recorder.take(again)
    assert [row["calls"] for row in again.to_dict(bench.registry, bench.statements)["calls"]] == [1]


def test_calls_that_wait_are_counted() -> None:
    bench = NativeBench()
    app = bench.load("def f(): tick(1)\n")
    assert bench.recorder.pending() == 0
    for _ in range(5):
        app["f"]()
    entry = bench.entries.begin("http")
    app["f"]()
    assert bench.recorder.pending() == 6
    bench.entries.end(entry, "GET /")
    assert bench.recorder.pending() == 7  # and an entry
    bench.recorder.take(Window(10), last=False)
    assert bench.recorder.pending() == 0


def test_beyond_the_bound_of_memory_less_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    bench = NativeBench()
    app = bench.load("\n".join(f"def f{n}(): tick(1)" for n in range(3)) + "\ndef g(): f0()\ndef h(): f0()\n")
    exemplars, window, notices = bench.look(), Window(10, direct=True), Notices()
    bound = MemoryBound(0.001, bench.recorder, bench.registry, bench.statements, bench.clock)
    try:
        app["g"]()
        levels = []
        for _ in range(6):
            bench.recorder.take(window, last=False)
            bound.check(window, exemplars, notices)
            bound.check(window, exemplars, notices)  # once a second
            levels.append(bound.level)
            if bound.level == EXEMPLARS:
                assert exemplars.paused
            if bound.level == CALLERS:
                app["h"]()  # a new caller of f0, and h is a new row
            if bound.level == CALLS:
                app["f1"]()
            bench.clock.advance(1_000_000_000)
        assert levels == [1, 2, 3, 4, 4, 4]
        bench.recorder.take(window)
        rows = {row["function"]: row for row in window.to_dict(bench.registry, bench.statements)["calls"]}
        assert set(rows) == {"app:f0", "app:g", "app:h"}
        assert (rows["app:f0"]["calls"], rows["app:f0"]["callers"]) == (2, {"app:g": 1})
        assert bench.recorder.dropped_rows > 0
        bound.next_window(Window(10), exemplars)
        assert bound.level == CALLERS
    finally:
        bench.recorder.narrow(0)
    assert capsys.readouterr().err.count("BURNISH_MEMORY_MB") == 1


def test_below_the_bound_nothing_is_given_up() -> None:
    bench = NativeBench()
    exemplars, window = bench.look(), Window(10)
    bound = MemoryBound(4, bench.recorder, bench.registry, bench.statements, bench.clock)
    bound.check(window, exemplars, Notices())
    assert (bound.level, exemplars.paused) == (0, False)
    assert 0 < bound.held(window, exemplars) < 4_000_000

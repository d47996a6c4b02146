"""Shadow stacks of greenlets, with a clock that only moves when told to."""

from __future__ import annotations

from typing import Any

from tests.sensor.support import Bench

MAIN, HUB, ONE, TWO = 1, 2, 3, 4


class Thread:
    """Calls of numbered functions in the greenlets of one thread."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.recorder, self.hooks = self.bench.recorder, self.bench.hooks
        namespace = self.bench.load("def f(): pass\ndef g(): pass\ndef h(): pass\n")
        assert namespace["f"]() is None
        self.bench.tables()
        names = [function.name for function in self.bench.registry.functions]
        self.numbers = {name: names.index(f"app:{name}") for name in "fgh"}
        self.recorder.switch_stack(MAIN)

    def enter(self, name: str) -> Any:
        return self.hooks["__burnish_enter__"](self.numbers[name])

    def leave(self, frame: Any, after: int = 0) -> None:
        self.bench.clock.advance(after)
        self.hooks["__burnish_leave__"](frame)

    def go(self, key: int, base: int = 0, after: int = 0) -> None:
        self.bench.clock.advance(after)
        self.recorder.switch_stack(key, base)

    def rows(self) -> dict[str, tuple[int, int, dict[str, int]]]:
        """(wall, own, callers) of the functions that were called once since the start."""
        return {name: (row["wall"], row["own"], row["callers"]) for name, row in self.bench.calls().items()}


def test_interleaved_greenlets_have_callers_and_times_of_their_own() -> None:
    thread = Thread()
    thread.go(HUB)
    thread.go(ONE)
    first = thread.enter("f")
    inner = thread.enter("g")
    thread.go(HUB, after=10)
    thread.go(TWO)
    other = thread.enter("h")
    thread.go(HUB, after=100)
    thread.go(ONE)
    thread.leave(inner, after=5)
    thread.leave(first, after=1)
    thread.go(TWO)
    thread.leave(other, after=7)
    assert thread.rows() == {"g": (115, 15, {"f": 1}), "f": (116, 1, {"": 1}), "h": (113, 107, {"": 1})}


def test_what_waits_is_not_charged_for_what_others_do() -> None:
    thread = Thread()
    waiting = thread.enter("f")
    thread.go(HUB, after=1)
    thread.go(ONE)
    other = thread.enter("g")
    thread.leave(other, after=50)
    thread.go(HUB)
    thread.recorder.drop_stack(ONE)
    thread.go(MAIN)
    thread.leave(waiting, after=2)
    assert thread.rows() == {"g": (50, 50, {"": 1}), "f": (53, 3, {"": 1})}


def test_a_greenlet_on_top_of_another_is_called_by_what_waits_there() -> None:
    thread = Thread()
    outer = thread.enter("f")
    thread.go(ONE, MAIN, after=1)
    inner = thread.enter("g")
    thread.go(MAIN, after=10)
    thread.go(ONE, MAIN, after=100)
    thread.leave(inner, after=20)
    thread.go(MAIN, after=3)
    thread.recorder.drop_stack(ONE)
    thread.leave(outer, after=4)
    wall, own = 1 + 10 + 100 + 20 + 3 + 4, 1 + 100 + 3 + 4
    assert thread.rows() == {"g": (130, 30, {"f": 1}), "f": (wall, own, {"": 1})}


def test_a_greenlet_whose_place_in_memory_is_used_again_begins_anew() -> None:
    thread = Thread()
    thread.go(ONE)
    thread.enter("f")
    thread.go(HUB)
    thread.recorder.drop_stack(ONE)
    thread.go(ONE)
    fresh = thread.enter("g")
    thread.leave(fresh, after=1)
    assert thread.rows() == {"g": (1, 1, {"": 1})}

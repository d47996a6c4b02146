"""What observing costs on this machine: small rewritten functions against the same functions as they are."""

from __future__ import annotations

import ast
import builtins
import statistics
from time import perf_counter_ns
from typing import Any

from .meter import Costs
from .recorder import Recorder
from .registry import Registry, Source
from .rewrite import rewrite
from .suspension import Suspension
from .variants import Slots

_TEXT = """
def f(): pass
def loop(n):
    for _ in range(n): f()
def g(n):
    for number in range(n): yield number
def drain(n):
    for _ in g(n): pass
"""
_F = 1
_REPETITIONS = 7


class Calibration:
    """The functions of ``_TEXT``, plain and rewritten; ``calls`` of ``f`` are timed in each repetition."""

    def __init__(self, calls: int = 300) -> None:
        self._calls = calls
        self._recorder, registry = Recorder(perf_counter_ns), Registry()
        hooks = {**self._recorder.call_hooks(), **Suspension(self._recorder).hooks()}
        names: dict[str, Any] = {**vars(builtins), **hooks}
        self._slots = Slots(names)
        names["__burnish_define__"] = self._slots.__getitem__
        self._observed: dict[str, Any] = {"__builtins__": names}
        tree = ast.parse(_TEXT)
        rewrite(tree, "calibration", "", Source(_TEXT), registry.add)
        exec(compile(tree, "<calibration>", "exec"), self._observed)
        self._plain: dict[str, Any] = {}
        exec(compile(_TEXT, "<calibration>", "exec"), self._plain)

    def measure(self) -> tuple[Costs, int]:
        """The costs of this process, and what part of the cost of a recorded call falls outside of its own time."""
        plain, loop = _best(self._plain["loop"], self._calls), self._observed["loop"]
        call = max(_best(loop, self._calls) - plain, 0.0)
        inside = statistics.median(self._walls())
        resumption = _best(self._observed["drain"], self._calls) - _best(self._plain["drain"], self._calls)
        self._recorder.sampling.use(frozenset((_F,)))
        sampled = max(_best(loop, self._calls) - plain, call)
        costs = Costs(call, sampled, self._count(), resumption=max(resumption, 0.0))
        return costs, max(int(call - inside), 0)

    def _walls(self) -> list[int]:
        edges = self._recorder.local.state.context.edges
        return [wall for edge in edges if edge.function == _F for wall in edge.walls]

    def _count(self) -> float:
        self._slots.build(_F, ast.parse(_TEXT))
        slot, loop = self._slots[_F], self._observed["loop"]
        slot.exchange(slot.light)
        light = _best(loop, self._calls)
        slot.exchange(slot.counting)
        return max(_best(loop, self._calls) - light, 0.0)


def measure_costs() -> tuple[Costs, int]:
    """See ``Calibration.measure``; takes a few milliseconds."""
    return Calibration().measure()


def _best(loop: Any, calls: int) -> float:
    """The least time of one call in ns."""
    times = []
    for _ in range(_REPETITIONS):
        start = perf_counter_ns()
        loop(calls)
        times.append(perf_counter_ns() - start)
    return min(times) / calls

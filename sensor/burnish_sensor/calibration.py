"""What observing costs on this machine: rewritten empty functions against a plain one."""

from __future__ import annotations

import ast
import builtins
import statistics
from time import perf_counter_ns
from typing import Any

from .governor import Costs
from .recorder import Recorder
from .registry import Registry, Source
from .rewrite import rewrite
from .variants import Slots

_TEXT = "def f(): pass\ndef loop(n):\n for _ in range(n): f()\n"
_REPETITIONS = 7


def measure_costs(calls: int = 400) -> tuple[Costs, int]:
    """The costs of this process in ns, each the best of seven loops of ``calls`` calls, and what part of the cost of
    a recorded call falls outside of the time that is measured as its own."""
    recorder, registry = Recorder(perf_counter_ns), Registry()
    names: dict[str, Any] = {**vars(builtins), **recorder.call_hooks()}
    slots = Slots(names)
    names["__burnish_define__"] = slots.__getitem__
    observed: dict[str, Any] = {"__builtins__": names}
    source, tree = Source(_TEXT), ast.parse(_TEXT)
    rewrite(tree, "calibration", "", source, registry.add)
    exec(compile(tree, "<calibration>", "exec"), observed)
    plain: dict[str, Any] = {}
    exec(compile(_TEXT, "<calibration>", "exec"), plain)
    base, loop = _best(plain["loop"], calls), observed["loop"]
    call = max(_best(loop, calls) - base, 0.0)
    walls = [wall for edge in recorder.local.state.context.edges if edge.function == 1 for wall in edge.walls]
    recorder.sampling.use(frozenset((1,)))
    sampled = max(_best(loop, calls) - base, call)
    slots.build(1, ast.parse(_TEXT))
    slot = slots[1]
    slot.exchange(slot.counting)
    count = max(_best(loop, calls) - base, 0.0)
    around = max(int(call - statistics.median(walls)), 0) if walls else 0
    return Costs(call, sampled, count), around


def _best(loop: Any, calls: int) -> float:
    """CPU time of one call in ns."""
    times = []
    for _ in range(_REPETITIONS):
        start = perf_counter_ns()
        loop(calls)
        times.append(perf_counter_ns() - start)
    return min(times) / calls

"""What observing costs on this machine: small observed functions against the same functions as they are."""

from __future__ import annotations

import builtins
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Callable

from ..recording.calls import Calls
from ..recording.meter import Costs
from .switch import COUNTING, LIGHT, TIMED

if TYPE_CHECKING:
    from types import CodeType

    from ..recording.native import NativeRecorder

_TEXT = """
def f(): pass
def loop(n):
    for _ in range(n): f()
def g(n):
    for number in range(n): yield number
def drain(n):
    for _ in g(n): pass
"""
#: the numbers of the functions in the order of the text
_NUMBERS = {"f": 1, "loop": 2, "g": 3, "drain": 4}
_F = _NUMBERS["f"]
_REPETITIONS = 7
_CALLS = 300


def rewriting_costs(recorder: Calls) -> tuple[Costs, int]:
    """Costs where code is rewritten, and what part of that of a recorded call falls outside of the call's own time.

    ``recorder`` is one that nobody else uses. Takes a few milliseconds.
    """
    import ast

    from .registry import Registry, Source
    from .rewrite import rewrite
    from .suspension import Suspension
    from .variants import Slots

    names: dict[str, Any] = {**vars(builtins), **recorder.call_hooks(), **Suspension(recorder).hooks()}
    slots = Slots(names)
    names["__burnish_define__"] = slots.__getitem__
    observed: dict[str, Any] = {"__builtins__": names}
    tree = ast.parse(_TEXT)
    rewrite(tree, "calibration", "", Source(_TEXT), Registry().add)
    exec(compile(tree, "<calibration>", "exec"), observed)
    slot = slots[_F]

    def change(form: int) -> None:
        slots.build(_F, ast.parse(_TEXT))
        slot.exchange({LIGHT: slot.light, COUNTING: slot.counting}.get(form))

    return _measure(recorder, observed, change)


def monitoring_costs(recorder: NativeRecorder, tool: int) -> tuple[Costs, int]:
    """The same for events of a monitoring tool that has no callbacks now, nor later."""
    import sys

    from .monitoring import callbacks_of, events_of

    monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - mypy reads for Python 3.11
    observed: dict[str, Any] = {}
    exec(compile(_TEXT, "<calibration>", "exec"), observed)
    codes: dict[str, CodeType] = {name: observed[name].__code__ for name in _NUMBERS}
    kinds = {name: "generator" if name == "g" else "function" for name in _NUMBERS}
    for name, code in codes.items():
        recorder.core.register(_NUMBERS[name], kinds[name], code)
        monitoring.set_local_events(tool, code, events_of(TIMED, kinds[name]))
    callbacks = callbacks_of(recorder.core)
    for event, callback in callbacks.items():
        monitoring.register_callback(tool, event, callback)

    def change(form: int) -> None:
        recorder.core.set_form(_F, form)
        monitoring.set_local_events(tool, codes["f"], events_of(form, "function"))

    try:
        costs, around = _measure(recorder, observed, change)
    finally:
        for event in callbacks:
            monitoring.register_callback(tool, event, None)
        for code in codes.values():
            monitoring.set_local_events(tool, code, 0)
        recorder.core.close()
    costs.exchange, costs.rest_per_exchange = 600.0, 0  # events have no versions to use up
    return costs, around


def _measure(recorder: Calls, observed: dict[str, Any], change: Callable[[int], None]) -> tuple[Costs, int]:
    plain: dict[str, Any] = {}
    exec(compile(_TEXT, "<calibration>", "exec"), plain)
    least, loop = _best(plain["loop"]), observed["loop"]
    call = max(_best(loop) - least, 0.0)
    inside = _least_wall(recorder)
    resumption = max(_best(observed["drain"]) - _best(plain["drain"]), 0.0)
    recorder.sampling.use(frozenset((_F,)))
    sampled = max(_best(loop) - least, call)
    change(LIGHT)
    light = _best(loop)
    change(COUNTING)
    counted = max(_best(loop) - light, 0.0)
    return Costs(call, sampled, counted, resumption=resumption), max(int(call) - inside, 0)


def _least_wall(recorder: Calls) -> int:
    from ..windows.window import Window

    window = Window(1)
    recorder.take(window)
    row = window.totals_of("").calls.get(_F)
    return int(row.wall.to_dict().get("min", 0)) if row is not None else 0


def _best(loop: Callable[[int], object]) -> float:
    """The least time of one call in ns."""
    times = []
    for _ in range(_REPETITIONS):
        start = perf_counter_ns()
        loop(_CALLS)
        times.append(perf_counter_ns() - start)
    return min(times) / _CALLS

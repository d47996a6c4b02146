"""Observes functions by ``sys.monitoring`` and the native core, on CPython 3.12 and later; nothing is rewritten.

Two tools are used. The first hears the begin of any code object once: what is the application's gets a number and, with
the second tool, events of its own; then the location is disabled, so that code of others costs nothing. The events of
the second tool are local to a code object, so that each function is switched on and off by itself; only the ends by an
exception cannot be local, and are heard for all code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType
from typing import Any

from ..recording.meter import Costs
from .definitions import Definitions, Discovered
from .importer import Territory
from .registry import Registry
from .switch import COUNTING, LIGHT, TIMED

_NAME = "burnish-sensor"
_monitoring: Any = getattr(sys, "monitoring", None)
#: no tool of the standard library has these; 2 is the profilers', 5 the optimizers'
_TOOLS = (4, 3, 5, 2)
_OPTIMIZED = 0x1
#: a form of the core: calls that run may end, none begins
_DRAIN = 3
_KINDS = ((0x200, "async_generator"), (0x80, "coroutine"), (0x20, "generator"))


class Monitoring:
    """Finds the application's functions, and is the switch of their forms. ``core`` is a recorder of ``_core``."""

    def __init__(self, core: Any, territory: Territory, registry: Registry) -> None:
        self._core, self._registry = core, registry
        self._files = _Files(territory, registry.files)
        self._definitions = Definitions()
        self._codes: dict[int, tuple[CodeType, ...]] = {}
        self._numbers: dict[tuple[str, str, int], int] = {}
        #: functions in the light form whose calls still may end
        self._draining: set[int] = set()
        self._finder = self._tool = -1

    # Start and stop

    def measure(self, recorder: Any) -> tuple[Costs, int]:
        """Take two tool ids, and measure with one what events cost; ``recorder`` is one that nobody else uses."""
        from .calibration import monitoring_costs

        self._tool, self._finder = free_tools()[:2]
        for tool in (self._tool, self._finder):
            _monitoring.use_tool_id(tool, _NAME)
        return monitoring_costs(recorder, self._finder)

    def start(self) -> None:
        """Begin to hear. To be called after ``measure``."""
        events, core = _monitoring.events, self._core
        for event, callback in callbacks_of(core).items():
            _monitoring.register_callback(self._tool, event, callback)
        core.discover, core.disable = self._discover, _monitoring.DISABLE
        _monitoring.register_callback(self._finder, events.PY_START, core.on_first)
        _monitoring.set_events(self._tool, events.PY_UNWIND | events.PY_THROW)
        _monitoring.set_events(self._finder, events.PY_START)

    def works(self) -> bool:
        """Whether both tools are still ours: another program may have taken them."""
        return all(_monitoring.get_tool(tool) == _NAME for tool in (self._tool, self._finder))

    def stop(self) -> None:
        """Give the tools back; nothing is observed any more."""
        for tool in (self._tool, self._finder):
            if tool < 0 or _monitoring.get_tool(tool) != _NAME:
                continue
            _monitoring.set_events(tool, 0)
            if tool == self._tool:
                for codes in self._codes.values():
                    for code in codes:
                        _monitoring.set_local_events(tool, code, 0)
            for event in callbacks_of(self._core):
                _monitoring.register_callback(tool, event, None)
            _monitoring.free_tool_id(tool)
        self._tool = self._finder = -1

    # Functions

    def _discover(self, code: CodeType) -> int:
        """The number of the function that is called for the first time; 0: it is not to be observed."""
        name = code.co_name
        if not code.co_flags & _OPTIMIZED or (name[0] == "<" and name != "<lambda>"):
            return 0
        relative = self._files.relative(code.co_filename)
        if relative is None:
            return 0
        key = (code.co_filename, code.co_qualname, code.co_firstlineno)
        number = self._numbers.get(key) or self._add(code, relative)
        if number:
            self._numbers[key] = number
            kind = self._registry.functions[number].kind
            self._core.register(number, kind, code)
            self._codes[number] = (*self._codes.get(number, ()), code)
            _monitoring.set_local_events(self._tool, code, events_of(TIMED, kind))
        return number

    def _add(self, code: CodeType, relative: str) -> int:
        kind = next((kind for flag, kind in _KINDS if code.co_flags & flag), "function")
        module = sys._getframe(2).f_globals.get("__name__")
        if not isinstance(module, str) or module == "__main__":
            module = relative[:-3].replace("/", ".")
        return self._registry.append(Discovered(module, code, relative, kind, self._definitions))

    # The switch

    def can_change(self, function: int) -> bool:
        """See ``Switch``."""
        return function in self._codes

    def change(self, functions: Iterable[int], form: int) -> int:
        """See ``Switch``. Calls that run may still end in the light form: ``end_slice`` cuts them off."""
        core, changed = self._core, 0
        for function in functions:
            draining = form == LIGHT and bool(core.live(function))
            (self._draining.add if draining else self._draining.discard)(function)
            core.set_form(function, _DRAIN if draining else form)
            changed += self._set_events(function, form, draining)
        return changed

    def _set_events(self, function: int, form: int, draining: bool) -> int:
        events = events_of(form, self._registry.functions[function].kind)
        if draining:
            events = events_of(TIMED, self._registry.functions[function].kind) & ~_monitoring.events.PY_START
        codes = self._codes[function]
        try:
            for code in codes:
                _monitoring.set_local_events(self._tool, code, events)
        except ValueError:  # the tool is not ours any more
            return 0
        return len(codes)

    def restart_counts(self, functions: Iterable[int]) -> None:
        """See ``Switch``."""
        self._core.take_counts()

    def take_counts(self, functions: Iterable[int]) -> dict[int, int]:
        """See ``Switch``."""
        counts: dict[int, int] = self._core.take_counts()
        return {function: counts.get(function, 0) for function in functions}

    def end_slice(self, functions: Iterable[int]) -> int:
        """See ``Switch``."""
        draining = [function for function in functions if function in self._draining]
        left = [function for function in draining if self._core.live(function)]
        if left:
            self._core.cut(left)
        return self.change(draining, LIGHT)


def events_of(form: int, kind: str) -> int:
    events = _monitoring.events
    start: int = events.PY_START
    if form != TIMED:
        return start if form == COUNTING else 0
    both = start | int(events.PY_RETURN)
    return both if kind == "function" else both | int(events.PY_YIELD | events.PY_RESUME)


def free_tools() -> list[int]:
    """The ids of monitoring tools that nobody has, in the order in which we like them."""
    return [tool for tool in _TOOLS if _monitoring.get_tool(tool) is None]


def callbacks_of(core: Any) -> dict[int, Any]:
    """What a recorder of the core hears, by event."""
    events = _monitoring.events
    return {
        events.PY_START: core.on_start,
        events.PY_RETURN: core.on_return,
        events.PY_YIELD: core.on_yield,
        events.PY_RESUME: core.on_resume,
        events.PY_THROW: core.on_throw,
        events.PY_UNWIND: core.on_unwind,
    }


class _Files:
    """Which files are the application's; each is asked for once."""

    def __init__(self, territory: Territory, files: dict[str, str]) -> None:
        self._territory, self._files = territory, files
        self._known: dict[str, str | None] = {}

    def relative(self, path: str) -> str | None:
        """The path relative to the root, with ``/``; None for a file that is not the application's."""
        try:
            return self._known[path]
        except KeyError:
            pass
        found = self._territory.relative(path) if path.endswith(".py") else None
        self._known[path] = found
        if found is not None:
            self._files[path] = found
        return found

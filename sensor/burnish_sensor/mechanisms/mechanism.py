"""The two ways in which functions report: events of ``sys.monitoring``, and code that was rewritten at import.

Which one runs where: events where the native core and CPython 3.12 or later are there and two monitoring tools are
free; else rewriting, over the native core where there is one, else in pure Python.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Callable, Protocol

from ..recording.calls import Calls, Hooks
from ..recording.meter import Costs
from ..recording.native import NativeRecorder, load
from .importer import Compiler, Finder, Territory
from .registry import Registry
from .switch import Switch

LibraryHooks = Mapping[str, Callable[[ModuleType], None]]


class Mechanism(Protocol):
    """How functions report. ``name`` is written into the windows."""

    name: str
    #: rewrites the text of a module; None where nothing is rewritten
    compiler: Compiler | None

    @property
    def recorder(self) -> Calls:
        """Where functions report to."""

    @property
    def switch(self) -> Switch:
        """Changes the form in which functions report."""

    def start(self, hooks: LibraryHooks) -> Costs:
        """Observe what is called from now on; what that costs here. ``hooks`` wait for the import of libraries."""

    def works(self) -> bool:
        """Whether functions still report; False where another program has taken the means to."""

    def stop(self) -> None:
        """Observe nothing any more."""


class Rewriting:
    """Modules are rewritten while they are imported (``rewrite.py``)."""

    def __init__(self, territory: Territory, registry: Registry, module: Any | None) -> None:
        from .exchange import CodeExchange
        from .suspension import Suspension
        from .variants import Slots

        self.name = "rewriting" if module is None else "rewriting, native"
        self._module = module
        self.recorder = self._new_recorder()
        slots = Slots(vars(builtins))
        self.switch = CodeExchange(slots, registry, self.recorder.sampling)
        self.compiler: Compiler | None = Compiler(territory, registry)
        self._hooks: Hooks = {**Suspension(self.recorder).hooks(), "__burnish_define__": slots.__getitem__}
        self._finder: Finder | None = None

    def _new_recorder(self) -> Calls:
        if self._module is not None:
            return NativeRecorder(self._module)
        from ..recording.recorder import Recorder

        return Recorder(perf_counter_ns)

    def start(self, hooks: LibraryHooks) -> Costs:
        """See ``Mechanism``."""
        from .calibration import rewriting_costs

        costs, around = rewriting_costs(self._new_recorder())
        self._hooks.update(self.recorder.call_hooks(around))
        vars(builtins).update(self._hooks)
        self._finder = Finder(self.compiler, hooks)
        sys.meta_path.insert(0, self._finder)
        return costs

    def works(self) -> bool:
        """See ``Mechanism``."""
        return True

    def stop(self) -> None:
        """See ``Mechanism``. Code that was rewritten calls hooks that do nothing."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        vars(builtins).update(idle_hooks(self._hooks))


class Watching:
    """Functions are watched by events (``monitoring.py``); nothing is rewritten."""

    name = "monitoring"
    compiler: Compiler | None = None

    def __init__(self, territory: Territory, registry: Registry, module: Any) -> None:
        from .monitoring import Monitoring

        self._module = module
        self.recorder = NativeRecorder(module)
        self.switch = Monitoring(self.recorder.core, territory, registry)
        self._finder: Finder | None = None

    def start(self, hooks: LibraryHooks) -> Costs:
        """See ``Mechanism``."""
        costs, around = self.switch.measure(NativeRecorder(self._module))
        self.recorder.core.cost = around
        self._finder = Finder(None, hooks)
        sys.meta_path.insert(0, self._finder)
        self.switch.start()
        return costs

    def works(self) -> bool:
        """See ``Mechanism``."""
        return self.switch.works()

    def stop(self) -> None:
        """See ``Mechanism``."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self.switch.stop()


def choose(root: str, include: Sequence[str], registry: Registry, native: bool) -> Mechanism:
    """The best mechanism that there is here."""
    territory = Territory(root, include)
    module = load() if native else None
    if module is not None and sys.version_info >= (3, 12):
        from .monitoring import free_tools

        if len(free_tools()) >= 2:
            return Watching(territory, registry, module)
    return Rewriting(territory, registry, module)


def try_out(root: str, include: Sequence[str], native: bool) -> tuple[str, Costs]:
    """The name of the mechanism that would run here, and what it would cost."""
    mechanism = choose(root, include, Registry(), native)
    try:
        return mechanism.name, mechanism.start({})
    finally:
        mechanism.stop()


def idle_hooks(active: Hooks) -> Hooks:
    """Hooks that record nothing, for code that was rewritten before the sensor was stopped."""

    def nothing(*arguments: Any) -> Any:
        return arguments[1] if len(arguments) > 1 else None

    def nothing_to_exchange(number: int) -> Any:
        return lambda function: function

    return {**dict.fromkeys(active, nothing), "__burnish_define__": nothing_to_exchange}

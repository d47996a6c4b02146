"""Puts the sensor together, starts and stops it in a process."""

from __future__ import annotations

import atexit
import builtins
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from time import perf_counter_ns
from types import FrameType
from typing import Any

from . import __version__
from .calibration import measure_costs
from .dependencies import DependencyLog
from .entries import Entries
from .flush import Flusher
from .governor import Governor
from .hooks import LibraryHooks
from .importer import Compiler, Finder, Territory
from .probe import Probe
from .queries import QueryLog
from .recorder import Hooks, Recorder
from .registry import Registry
from .settings import Settings, read_settings
from .statements import Statements
from .suspension import Suspension
from .variants import Slots

MECHANISM = "rewriting"


class Sensor:
    """The parts of the sensor in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.functions)
        self.statements = Statements(settings.statements)
        self.recorder = Recorder(perf_counter_ns)
        slots = Slots(vars(builtins))
        self.governor = Governor(
            self.recorder.sampling,
            slots,
            self.registry,
            settings.budget,
            time.monotonic_ns,
            time.process_time_ns,
            random.Random(),
        )
        suspension = Suspension(self.recorder)
        self.hooks: Hooks = {**suspension.hooks(), "__burnish_define__": slots.__getitem__}
        log = QueryLog(self.recorder.local, self.registry.files, self.recorder.sampling)
        dependencies = DependencyLog(self.recorder.local)
        entries = Entries(self.recorder, suspension)
        self.probe = Probe(perf_counter_ns, self.statements, log, dependencies, entries)
        self.compiler = Compiler(Territory(settings.root), self.registry)
        self.library_hooks = LibraryHooks(self.probe)
        self.finder = Finder(self.compiler, self.library_hooks)
        about = {"version": __version__, "mechanism": MECHANISM}
        self.flusher = Flusher(self.recorder, self.registry, self.statements, settings, about, governor=self.governor)
        self.flusher.dropped_dependencies = lambda: dependencies.dropped
        self.flusher.disabled_hooks = lambda: len(self.library_hooks.disabled)

    def install(self) -> None:
        """Begin to observe what is imported from now on."""
        self.governor.costs, around = measure_costs()
        self.hooks.update(self.recorder.call_hooks(around))
        vars(builtins).update(self.hooks)
        sys.meta_path.insert(0, self.finder)
        self.library_hooks.install_loaded()
        self.probe.flush = self.flusher.flush
        self.recorder.wake = self.flusher.wake
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self.flusher.before_fork,
                after_in_parent=self.flusher.after_fork_in_parent,
                after_in_child=self.flusher.after_fork_in_child,
            )
            os.register_at_fork(after_in_child=self.registry.after_fork_in_child)
        atexit.register(self.flusher.stop)
        _flush_on_terminate(self.flusher)

    def uninstall(self) -> None:
        """Write the last window and make the hooks in rewritten code do nothing."""
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
        self.probe.active = False
        self.flusher.stop()
        vars(builtins).update(idle_hooks(self.hooks))
        atexit.unregister(self.flusher.stop)


def idle_hooks(active: Hooks) -> Hooks:
    """Hooks that record nothing, for code that was rewritten before the sensor was stopped."""

    def nothing(*arguments: Any) -> Any:
        return arguments[1] if len(arguments) > 1 else None

    def nothing_to_exchange(number: int) -> Any:
        return lambda function: function

    return {**dict.fromkeys(active, nothing), "__burnish_define__": nothing_to_exchange}


def _flush_on_terminate(flusher: Flusher) -> None:
    """Where SIGTERM would end the process without ``atexit``: write the last window, then let it end the process."""

    def terminate(number: int, frame: FrameType | None) -> None:
        flusher.stop()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not the main thread
        pass


def _is_main_interpreter() -> bool:
    """An interpreter within this one cannot end while a daemon thread of its own runs: it is left alone."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters = import_module(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() == interpreters.get_main())
    return True


active: Sensor | None = None


def start(environ: Mapping[str, str] | None = None) -> bool:
    """Start the sensor in this process; False if it is switched off or was started already."""
    global active
    if active is not None or not _is_main_interpreter():
        return False
    environ = os.environ if environ is None else environ
    settings = read_settings(environ, environ.get("BURNISH_ROOT") or os.getcwd())
    if not settings.enabled:
        return False
    active = Sensor(settings)
    active.install()
    return True


def stop() -> None:
    """Write the last window and stop observing."""
    global active
    if active is not None:
        active.uninstall()
        active = None

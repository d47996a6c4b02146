"""Puts the sensor together, starts and stops it in a process."""

from __future__ import annotations

import ast
import atexit
import builtins
import os
import signal
import sys
from collections.abc import Mapping
from time import perf_counter_ns
from types import FrameType
from typing import Any

from . import __version__
from .dependencies import DependencyLog
from .entries import Entries
from .flush import Flusher
from .hooks import LibraryHooks
from .importer import Compiler, Finder, Territory
from .probe import Probe
from .queries import QueryLog
from .recorder import Hooks, Recorder
from .registry import Registry, Source
from .rewrite import rewrite
from .settings import Settings, read_settings
from .statements import Statements
from .suspension import Suspension

MECHANISM = "rewriting"
_CALIBRATION_CALLS = 2_000


class Sensor:
    """The parts of the sensor in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.functions)
        self.statements = Statements(settings.statements)
        self.recorder = Recorder(perf_counter_ns)
        suspension = Suspension(self.recorder)
        self.hooks: Hooks = {**self.recorder.call_hooks(), **suspension.hooks()}
        log = QueryLog(self.recorder.local, self.registry.files)
        dependencies = DependencyLog(self.recorder.local)
        entries = Entries(self.recorder, suspension)
        self.probe = Probe(perf_counter_ns, self.statements, log, dependencies, entries)
        self.compiler = Compiler(Territory(settings.root), self.registry)
        self.library_hooks = LibraryHooks(self.probe)
        self.finder = Finder(self.compiler, self.library_hooks)
        about = {"version": __version__, "mechanism": MECHANISM}
        self.flusher = Flusher(self.recorder, self.registry, self.statements, settings, about)
        self.flusher.dropped_dependencies = lambda: dependencies.dropped
        self.flusher.disabled_hooks = lambda: len(self.library_hooks.disabled)

    def install(self) -> None:
        """Begin to observe what is imported from now on."""
        vars(builtins).update(self.hooks)
        self.flusher.call_ns = measure_call_ns()
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

    return dict.fromkeys(active, nothing)


def measure_call_ns(calls: int = _CALIBRATION_CALLS) -> float:
    """What observing one call costs here, in ns: a rewritten empty function against a plain one, best of five."""
    text = "def f(): pass\ndef loop(n):\n for _ in range(n): f()\n"
    plain: dict[str, Any] = {}
    exec(compile(text, "<calibration>", "exec"), plain)
    observed: dict[str, Any] = dict(Recorder(perf_counter_ns).call_hooks())
    registry, tree = Registry(), ast.parse(text)
    rewrite(tree, "calibration", "", Source(text), registry.add)
    exec(compile(tree, "<calibration>", "exec"), observed)
    return max(0.0, (_best(observed["loop"], calls) - _best(plain["loop"], calls)) / calls)


def _best(loop: Any, calls: int) -> int:
    best = None
    for _ in range(5):
        start = perf_counter_ns()
        loop(calls // 5)
        took = perf_counter_ns() - start
        best = took if best is None else min(best, took)
    return (best or 0) * 5


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


active: Sensor | None = None


def start(environ: Mapping[str, str] | None = None) -> bool:
    """Start the sensor in this process; False if it is switched off or was started already."""
    global active
    settings = read_settings(os.environ if environ is None else environ, os.getcwd())
    if active is not None or not settings.enabled:
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

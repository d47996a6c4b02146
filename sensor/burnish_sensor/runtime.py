"""Puts the sensor together, starts and stops it in a process."""

from __future__ import annotations

import atexit
import os
import signal
import time
from collections.abc import Mapping
from time import perf_counter_ns
from types import FrameType

from . import __version__, forks
from .chance import Random
from .entries.entries import Entries
from .exemplars.exemplars import Exemplars
from .governor.governor import Governor
from .hooks import LibraryHooks
from .identity import in_main_interpreter
from .mechanisms.mechanism import choose
from .mechanisms.registry import Registry
from .mechanisms.suspension import Suspension
from .probe import Probe
from .queries.dependencies import DependencyLog
from .queries.statements import Statements
from .settings import Settings, read_settings
from .windows.flush import Flusher


class Sensor:
    """The parts of the sensor in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.functions)
        self.statements = Statements(settings.statements)
        self.mechanism = choose(settings.root, settings.include, self.registry, settings.native)
        self.recorder = recorder = self.mechanism.recorder
        self.governor = Governor(
            recorder.sampling,
            self.mechanism.switch,
            self.registry,
            settings.budget,
            time.monotonic_ns,
            time.process_time_ns,
            Random(),
        )
        log = recorder.query_log(self.statements, self.registry.files)
        dependencies = DependencyLog(recorder)
        self.probe = Probe(recorder.clock, log, dependencies, Entries(recorder, Suspension(recorder)))
        self.library_hooks = LibraryHooks(self.probe)
        about = {"version": __version__, "mechanism": self.mechanism.name}
        self.flusher = Flusher(recorder, self.registry, self.statements, settings, about, governor=self.governor)
        self.exemplars = self._exemplars()
        self.flusher.exemplars = self.exemplars
        self.flusher.dropped_dependencies = lambda: dependencies.dropped
        self.flusher.disabled_hooks = lambda: len(self.library_hooks.disabled)

    def _exemplars(self) -> Exemplars | None:
        recorder = self.recorder
        if not self.settings.exemplars:
            return None
        exemplars = Exemplars(
            self.registry,
            perf_counter_ns,
            recorder.context,
            recorder.set_trigger,
            lambda function: function in recorder.sampling.shed,
            self.settings.window_seconds,
            self.settings.exemplars,
            missing=recorder.missing,
            screen=recorder.screen,
        )
        recorder.show_to(exemplars.capture)
        return exemplars

    def install(self) -> None:
        """Begin to observe what is imported from now on."""
        self.governor.costs = self.mechanism.start(self.library_hooks)
        self.library_hooks.install_loaded()
        if self.exemplars is not None:
            self.exemplars.pauses.start()
        self.probe.flush = self.flusher.flush
        self.recorder.wake = self.flusher.wake
        forks.watch(self.flusher)
        atexit.register(self.flusher.stop)
        _flush_on_terminate(self.flusher)

    def uninstall(self) -> None:
        """Write the last window and observe nothing any more."""
        self.probe.active = False
        self.library_hooks.remove()
        if self.exemplars is not None:
            self.exemplars.pauses.stop()
        self.flusher.stop()
        forks.forget(self.flusher)
        self.mechanism.stop()
        atexit.unregister(self.flusher.stop)


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
    if active is not None or not in_main_interpreter():
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

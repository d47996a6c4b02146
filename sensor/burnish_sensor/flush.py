"""Writes windows: a thread that folds often and writes when a window ends; at exit; after a fork to another file.

Nothing here may raise into the host or block it. A window that cannot be written is counted and forgotten.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from typing import Any, Callable

from .calls import Calls
from .exemplars import Exemplars
from .governor import Governor
from .identity import new_instance
from .registry import Registry
from .settings import Settings
from .shapes import Shapes
from .statements import Statements
from .variants import Slots
from .window import Window

FORMAT = 1
_FOLD_NS = 250_000_000
_SOON_NS = 20_000_000
_DROPPED = ("functions", "statements", "entries", "windows", "dependencies", "hooks")
_SECOND = 1_000_000_000


class Output:
    """The append-only file of one process."""

    def __init__(self, folder: str, instance: str) -> None:
        self._folder = folder
        self.path = os.path.join(folder, instance + ".jsonl")
        self._warned = False

    def write(self, window: dict[str, Any]) -> bool:
        """Append a window with one ``write``; False, and one warning for a process, if that cannot be done."""
        line = (json.dumps(window, separators=(",", ":")) + "\n").encode("utf-8")
        try:
            os.makedirs(self._folder, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                self._append(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._warn(error)
            return False
        return True

    @staticmethod
    def _append(descriptor: int, line: bytes) -> None:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, before)
            raise OSError("the disk is full")

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            print(
                f"burnish_sensor: cannot write windows to {self._folder}: {error}. Set BURNISH_OUTPUT to a directory "
                "that this process may write to; the service goes on without.",
                file=sys.stderr,
            )


class Flusher:
    """Folds what the recorder collected and writes it. ``unix_clock`` returns nanoseconds since 1970."""

    def __init__(
        self,
        recorder: Calls,
        registry: Registry,
        statements: Statements,
        settings: Settings,
        about: dict[str, Any],
        unix_clock: Callable[[], int] = time.time_ns,
        governor: Governor | None = None,
    ) -> None:
        self._recorder, self._registry, self._statements = recorder, registry, statements
        self._settings, self._about, self._unix_clock = settings, about, unix_clock
        self._length = int(settings.window_seconds * _SECOND)
        self.dropped_dependencies: Callable[[], int] = lambda: 0
        self.disabled_hooks: Callable[[], int] = lambda: 0
        self._sampling = recorder.sampling
        self.exemplars: Exemplars | None = None
        self._governor = governor or _unused_governor(recorder, registry)
        self.stopped = False
        self._new_process()

    def _new_process(self) -> None:
        self.instance = new_instance()
        self.output = Output(self._settings.output, self.instance)
        self._sequence = 0
        self._dropped: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._window = Window(self._settings.entries)
        self._start = self._unix_clock()
        self._cpu = time.process_time_ns()
        self._own_cpu = self._past_threads = 0
        self._shapes = Shapes()

    def wake(self) -> None:
        """Start the thread if it does not run. Called from the recorder's slow paths."""
        if self._thread is None and not self.stopped:
            self._thread = threading.Thread(target=self._run, name="burnish-sensor", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is shutting down, or threads are exhausted
                self.stopped = True

    def _run(self) -> None:
        halt, governor = self._halt, self._governor
        self._past_threads = governor.own_cpu
        boundary, next_fold = self._boundary(), 0
        while True:
            next_step = (min(next_fold, governor.due) - time.monotonic_ns()) / _SECOND
            if halt.wait(max(min(next_step, (boundary - self._unix_clock()) / _SECOND), 0.0005)):
                return
            governor.own_cpu = self._past_threads + time.thread_time_ns()
            self._guarded(governor.step)
            if self._unix_clock() >= boundary:
                self.flush(boundary)
                boundary = self._boundary()
            elif time.monotonic_ns() >= next_fold:
                self.fold()
                next_fold = time.monotonic_ns() + self._fold_ns()

    def _fold_ns(self) -> int:
        """Soon again while functions call each other that did not before: one of them may be called very often."""
        return _SOON_NS if self._recorder.grew() else _FOLD_NS

    def _boundary(self) -> int:
        return (self._unix_clock() // self._length + 1) * self._length

    def _halt_thread(self) -> bool:
        thread = self._thread
        if thread is None:
            return False
        self._halt.set()
        if thread is not threading.current_thread():
            thread.join(1.0)
            _wait_until_gone(thread.native_id)
        self._thread = None
        self._halt = threading.Event()
        return True

    def fold(self) -> None:
        """Fold what was collected so far, so that memory stays small; never raises."""
        self._guarded(self._fold)

    def flush(self, until: int | None = None) -> None:
        """Fold and write the window that ends at ``until`` (Unix ns, default now); never raises."""
        self._guarded(lambda: self._flush(until))

    def _guarded(self, work: Callable[[], None]) -> None:
        if not self._lock.acquire(timeout=1.0):
            return
        before = time.thread_time_ns()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the edge: the host must never see an error of ours
            self._dropped["windows"] += 1
            self._window = Window(self._settings.entries)
            print(f"burnish_sensor: a window was lost: {error!r}", file=sys.stderr)
        finally:
            self._own_cpu += time.thread_time_ns() - before
            self._lock.release()

    def _fold(self) -> None:
        self._recorder.take(self._window, self._governor.meter)
        if self.exemplars is not None:
            self.exemplars.fold(self._window)
        self._governor.decide()

    def _flush(self, until: int | None) -> None:
        self._fold()
        window, start = self._window, self._start
        if window.is_empty():
            return
        window.weights = self._governor.take(window.recorded())
        self._shapes.complete(window, self._governor.take_unrecorded, self._governor.tracked())
        end = max(until or self._unix_clock(), start)
        shape = self._shape(window, start, end)
        self._start, self._window = end, Window(self._settings.entries)
        if self.output.write(shape):
            self._sequence += 1
            self._reported = self._dropped.copy()
        else:
            self._dropped["windows"] += 1

    def _shape(self, window: Window, start: int, end: int) -> dict[str, Any]:
        tables = window.to_dict(self._registry, self._statements)
        if self.exemplars is not None:
            tables.update(self.exemplars.tables(window, tables["functions"]))
        return {
            "format": FORMAT,
            "service": self._settings.service,
            "environment": self._settings.environment,
            "release": self._settings.release,
            "instance": self.instance,
            "sequence": self._sequence,
            "start_unix_ns": start,
            "end_unix_ns": end,
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "sensor": self._costs(window),
            **tables,
        }

    def _costs(self, window: Window) -> dict[str, Any]:
        cpu = time.process_time_ns()
        recorded = window.recorded()
        exact = window.calls - sum(recorded.values())
        overhead = int(exact * self._governor.costs.call + self._governor.take_cost()) + self._own_cpu
        overhead += self.exemplars.take_cost() if self.exemplars is not None else 0
        costs = {
            **self._about,
            "overhead_ns": overhead,
            "process_cpu_ns": cpu - self._cpu,
            "budget": self._governor.budget,
            "sampled": len(recorded.keys() | self._sampling.shed),
            "dropped": self._newly_dropped(window),
        }
        self._cpu, self._own_cpu = cpu, 0
        return costs

    def _newly_dropped(self, window: Window) -> dict[str, int]:
        """What was dropped since the last window that could be written."""
        dropped = self._dropped
        dropped["functions"] = self._registry.dropped
        dropped["entries"] += window.dropped_entries
        dropped["rows"] += sum(totals.dropped for totals in window.totals.values())
        dropped["statements"] = self._statements.dropped + dropped["rows"]
        dropped["calls"] += sum(totals.dropped_dependencies for totals in window.totals.values())
        dropped["dependencies"] = self.dropped_dependencies() + dropped["calls"]
        dropped["hooks"] = self.disabled_hooks()
        return {key: dropped[key] - self._reported[key] for key in _DROPPED}

    def stop(self) -> None:
        """Write the last window and end the thread."""
        self.stopped = True
        self._halt_thread()
        self._sample_no_more()
        self.flush()

    def before_fork(self) -> None:
        """A fork of a process with threads is unsafe: end ours first."""
        self._resume = self._halt_thread()
        self._sample_no_more()

    def _sample_no_more(self) -> None:
        if self._governor.sampled:
            self.fold()
            self._guarded(self._governor.reset)

    def after_fork_in_parent(self) -> None:
        """Let the next call start the thread again: Python counts threads right after this, and would warn."""
        if self._resume:
            self._recorder.rouse()

    def after_fork_in_child(self) -> None:
        """Forget what the parent will report, and report to a file of our own."""
        self._new_process()
        self._governor.after_fork_in_child()
        if self.exemplars is not None:
            self.exemplars.after_fork_in_child()
        self._recorder.forget()


def _unused_governor(recorder: Calls, registry: Registry) -> Governor:
    """A governor that never sheds: nothing costs anything."""
    draw = random.Random(0)
    return Governor(recorder.sampling, Slots({}), registry, 1.0, time.monotonic_ns, time.process_time_ns, draw)


def _wait_until_gone(native_id: int | None) -> None:
    """Until Python 3.12 ``join`` returns a moment before the system's thread has ended, and fork would still see it."""
    for _ in range(50):
        if not os.path.exists(f"/proc/self/task/{native_id}"):
            return
        time.sleep(0.0002)

"""Writes windows: a thread that folds often and writes when a window ends; at exit; after a fork to another file.

Nothing here may raise into the host or block it. A window that cannot be written is counted and forgotten.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Callable

from .. import threads
from ..chance import Random
from ..exemplars.exemplars import Exemplars
from ..governor.governor import Governor
from ..identity import new_instance
from ..mechanisms.exchange import CodeExchange
from ..mechanisms.registry import Registry
from ..mechanisms.variants import Slots
from ..notice import Notices, say
from ..output import open_output
from ..queries.statements import Statements
from ..recording.calls import Calls
from ..settings import Settings
from .memory import MemoryBound
from .pieces import Paced, as_bytes, encode, in_order
from .schedule import Schedule
from .shapes import Shapes
from .window import Window

FORMAT = 1
#: how often the thread looks how much was recorded
_FOLD_NS = 250_000_000
#: what is less than so many calls waits for up to this time: a fold costs as much as to record some 2,000 calls
_FEW_CALLS, _LATEST_FOLD_NS = 2_000, 1_000_000_000
_SOON_NS = 20_000_000
_DROPPED = ("functions", "statements", "entries", "windows", "dependencies", "hooks")
#: how long the end of a process waits for a window that is being written; a large one takes about a second
_LAST_SECONDS = 10.0
_SECOND = 1_000_000_000
#: how long the thread rests between two steps of writing: a sleep of 0 gives the GIL up, and takes it back at once
_REST_SECONDS = 0.0005
#: how long a process that stops waits for somebody to take its last windows
_STOP_SECONDS = 2.0


class Flusher:
    """Folds what the recorder collected and writes it. ``unix_clock`` returns nanoseconds since 1970.

    ``monotonic`` returns nanoseconds too, and never jumps.
    """

    def __init__(
        self,
        recorder: Calls,
        registry: Registry,
        statements: Statements,
        settings: Settings,
        about: dict[str, Any],
        unix_clock: Callable[[], int] = time.time_ns,
        governor: Governor | None = None,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._recorder, self._registry, self._statements = recorder, registry, statements
        self._settings, self._about, self._clocks = settings, about, (unix_clock, monotonic)
        self._length = int(settings.window_seconds * _SECOND)
        self.dropped_dependencies: Callable[[], int] = lambda: 0
        self.disabled_hooks: Callable[[], int] = lambda: 0
        self._sampling = recorder.sampling
        self.exemplars: Exemplars | None = None
        self._governor = governor or _unused_governor(recorder, registry)
        self._governor.duty.own = self.thread_cpu
        self.stopped = False
        self._new_process()

    def _new_process(self) -> None:
        self.instance = new_instance()
        self.output = open_output(self._settings, self.instance)
        self._sequence = 0
        self._dropped: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._reporting: Counter[str] = Counter()
        self._lock = threads.Lock()
        self._halt, self._alarm = threads.Event(), threads.Alarm()
        self._thread: threads.Thread | None = None
        #: nothing is recorded, and the next call that is will ring
        self._asleep = False
        self._window = Window(self._settings.entries, direct=True)
        self._schedule = Schedule(self._length, *self._clocks)
        self._lost = 0
        self._notices = Notices()
        self._cpu = time.process_time_ns()
        self._own_cpu = self._past_threads = self._thread_cpu = self._ident = 0
        self._next_look = self._folded_at = 0
        self._shapes = Shapes()
        self._memory = MemoryBound(
            self._settings.memory_mb, self._recorder, self._registry, self._statements, self._clocks[1]
        )

    def wake(self) -> None:
        """Start the thread if it does not run, or wake it. Called from the recorder's slow paths."""
        if self._asleep:
            self._asleep = False
            self._next_look = time.monotonic_ns() + _FOLD_NS
            self._alarm.ring()
        if self._thread is None and not self.stopped:
            self._quietly(self.output.start)  # now: from Python 3.12 on it is too late when the process ends
            self._thread = threads.Thread(self._run)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is shutting down, or threads are exhausted
                self.stopped = True

    def _run(self) -> None:
        halt, alarm = self._halt, self._alarm
        self._past_threads, self._ident = self._thread_cpu, threads.get_ident()
        self._next_look = 0
        while True:
            next_step = min(self._next_look, self._governor.duty.due) - time.monotonic_ns()
            alarm.sleep(max(min(next_step, self._schedule.left()) / _SECOND, 0.0005))
            if halt.is_set():
                return
            self._guarded(self._step)
            if self._schedule.left() <= 0:
                self.flush()
            self.thread_cpu()

    def _step(self) -> None:
        """What is due between two windows, and also while one is written."""
        self._governor.duty.step()
        now = time.monotonic_ns()
        if now < self._next_look:
            return
        self._next_look = now + _FOLD_NS
        waiting = _FEW_CALLS if self._governor.sampled else self._recorder.pending()
        if not waiting:
            self._fall_asleep()
        elif waiting >= _FEW_CALLS or now - self._folded_at >= _LATEST_FOLD_NS:
            self._fold()
            self._next_look = time.monotonic_ns() + self._fold_ns()

    def _fall_asleep(self) -> None:
        """Sleep until a call begins; what runs outside of the application's functions is found a little later."""
        self._next_look, self._asleep = time.monotonic_ns() + _LATEST_FOLD_NS, True
        self._recorder.rouse()
        if self._recorder.pending():  # in the meantime
            self.wake()

    def _rest(self) -> None:
        """Between pieces of a window: let the application's threads run, and do not fall behind with the rest."""
        thread = self._thread
        if thread is not None and thread.is_current() and not self.stopped and not self._halt.is_set():
            threads.sleep(_REST_SECONDS)
            self._attempt(self._step)

    def thread_cpu(self) -> int:
        """CPU time of this process's flush threads in ns; seen from another thread: when it last went to sleep."""
        if threads.get_ident() == self._ident:
            self._thread_cpu = self._past_threads + time.thread_time_ns()
        return self._thread_cpu

    def _fold_ns(self) -> int:
        """Soon again while functions call each other that did not before: one of them may be called very often."""
        grew, curious = self._recorder.grew(), self._governor.is_curious()
        return _SOON_NS if grew or curious else _FOLD_NS

    def _halt_thread(self) -> bool:
        thread = self._thread
        if thread is None:
            return False
        self._halt.set()
        self._alarm.ring()
        if not thread.is_current():
            thread.join(_LAST_SECONDS if self.stopped else 1.0)
        self._thread = None
        self._halt, self._alarm = threads.Event(), threads.Alarm()
        return True

    def fold(self) -> None:
        """Fold what was collected so far, so that memory stays small; never raises."""
        self._guarded(self._fold)

    def flush(self) -> None:
        """Fold and write the window that ends now; never raises."""
        self._guarded(self._flush)

    def _guarded(self, work: Callable[[], None]) -> None:
        if not self._lock.acquire(timeout=_LAST_SECONDS if self.stopped else 1.0):
            return
        before = time.thread_time_ns()
        try:
            self._attempt(work)
        finally:
            self._own_cpu += time.thread_time_ns() - before
            self._lock.release()

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the edge: the host must never see an error of ours
            self._lost += 1
            self._window = Window(self._settings.entries, direct=True)
            self._notices.say("lost", f"a window was lost: {error!r}")

    def _fold(self, last: bool = False) -> None:
        self._folded_at = time.monotonic_ns()
        self._recorder.take(self._window, self._governor.meter, last)
        if self.exemplars is not None:
            self.exemplars.fold(self._window)
        self._memory.check(self._window, self.exemplars, self._notices)
        self._governor.decide()

    def _name_functions(self) -> None:
        """Find out the names of new functions file by file: asked for in any order, each would read its file again."""
        pace = Paced(self._rest)
        for function in in_order(self._registry.take_unnamed(), lambda function: function.file, pace):
            _ = function.name
            pace()

    def _flush(self) -> None:
        self._name_functions()
        self._window.estimated = self._governor.tracked()
        self._fold(last=True)
        window = self._window
        if window.is_empty():
            self._schedule.skip()
            return
        window.weights = self._governor.take(window.recorded())
        self._shapes.complete(window, self._governor.take_unrecorded, self._governor.tracked())
        if self.exemplars is not None:
            window.more = self.exemplars.tables(window)
        start, end = self._schedule.close()
        self._window = Window(self._settings.entries, direct=True)
        self._memory.next_window(self._window, self.exemplars)
        pieces = as_bytes(self._pieces(window, start, end))
        if self.output.write(start, self._sequence, pieces):
            self._sequence += 1
            self._reported = self._reporting
        else:
            self._lost += 1
        window.close()

    def _pieces(self, window: Window, start: int, end: int) -> Iterator[str]:
        """The line of a window, in small pieces."""
        about = {
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
        }
        yield encode(about)[:-1] + ","
        yield from window.pieces(self._registry, self._statements, Paced(self._rest))
        yield "}\n"

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
        dropped["functions"] = self._registry.dropped + self._recorder.dropped_rows
        dropped["entries"] += window.dropped_entries
        dropped["rows"] += window.dropped_rows + sum(totals.dropped for totals in window.totals.values())
        dropped["statements"] = self._statements.dropped + dropped["rows"]
        dropped["calls"] += sum(totals.dropped_dependencies for totals in window.totals.values())
        dropped["dependencies"] = self.dropped_dependencies() + dropped["calls"]
        dropped["hooks"] = self.disabled_hooks()
        dropped["windows"] = self._lost + self.output.dropped
        self._reporting = dropped.copy()
        return {key: dropped[key] - self._reported[key] for key in _DROPPED}

    def stop(self) -> None:
        """Write the last window and end the thread."""
        self.stopped = True
        self._halt_thread()
        self._sample_no_more()
        self.flush()
        self._quietly(lambda: self.output.close(_STOP_SECONDS))

    def before_fork(self) -> None:
        """A fork of a process with threads is unsafe: end ours first."""
        self._resume = self._halt_thread()
        self._quietly(self.output.pause)
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
        self._quietly(self.output.forget)
        self._new_process()
        self._governor.after_fork_in_child()
        if self.exemplars is not None:
            self.exemplars.after_fork_in_child()
        self._recorder.forget()
        self._registry.after_fork_in_child()

    @staticmethod
    def _quietly(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the edge
            say(f"the output: {error!r}")


def _unused_governor(recorder: Calls, registry: Registry) -> Governor:
    """A governor that never sheds: nothing costs anything."""
    switch = CodeExchange(Slots({}), registry, recorder.sampling)
    draw = Random(0)
    return Governor(recorder.sampling, switch, registry, 1.0, time.monotonic_ns, time.process_time_ns, draw)

"""Celery: tasks as entries ``task:name`` through its own signals; the status of the entry is the state of the task."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..entries.entries import Entry
from ..probe import Probe
from ._library import Library

PATCHES = {"celery.signals": "connect"}


def connect(library: Library) -> None:
    """Receive what is sent around a task, in the thread that runs it. Celery itself swallows what a receiver raises."""
    signals, receivers = library.module, _Receivers(library.probe)
    received = {
        "task_prerun": receivers.begin,
        "task_postrun": receivers.end,
        "task_failure": receivers.failed,
        "task_retry": receivers.retried,
        "worker_process_shutdown": receivers.flush,
    }
    for name, receiver in received.items():
        signal = getattr(signals, name)
        signal.connect(receiver, weak=False)
        library.on_undo(partial(signal.disconnect, receiver, weak=False))


class _Receivers:
    """The running tasks of this process by their id."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._running: dict[str, Entry] = {}

    def begin(self, sender: Any = None, task_id: str = "", **rest: Any) -> None:
        """Begin an entry; a task that is called within another entry belongs to that one."""
        if self._probe.active and not self._probe.entries.inside():
            self._running[task_id] = self._probe.entries.begin("task", f"task:{sender.name}")
            self._probe.note("retry", getattr(sender.request, "retries", 0) or 0)

    def failed(self, task_id: str = "", exception: BaseException | None = None, **rest: Any) -> None:
        """Note the exception that a task raised."""
        entry = self._running.get(task_id)
        if entry is not None and exception is not None:
            entry.context.error = type(exception).__name__

    def retried(self, request: Any = None, reason: Any = None, **rest: Any) -> None:
        """Note why a task will run again."""
        entry = self._running.get(getattr(request, "id", ""))
        if entry is not None and isinstance(reason, BaseException):
            cause = getattr(reason, "exc", None)
            entry.context.error = type(cause if isinstance(cause, BaseException) else reason).__name__

    def end(self, task_id: str = "", state: str | None = None, **rest: Any) -> None:
        """End the entry."""
        entry = self._running.pop(task_id, None)
        if entry is not None:
            entry.context.status = state
            self._probe.entries.end(entry)

    def flush(self, **rest: Any) -> None:
        """A process of the pool ends without ``atexit``."""
        self._probe.flush()

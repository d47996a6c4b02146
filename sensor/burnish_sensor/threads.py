"""Threads, locks and thread-local values of the system, also where gevent or eventlet replaced those of ``threading``.

The flush thread must run while the application computes, and each real thread has one shadow stack. A monkey patch
puts greenlets in the place of both. So what is used here is taken from ``_thread`` as it was before any patch.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Callable


def original(module: str, name: str) -> Any:
    """What a module of the standard library calls ``name``, as it was before any patch."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if gevent is not None:
        return gevent.get_original(module, name)
    if eventlet is not None:
        return getattr(eventlet.original(module), name)
    return getattr(import_module(module), name)


Lock: Callable[[], Any] = original("_thread", "allocate_lock")
sleep: Callable[[float], None] = original("time", "sleep")
get_ident: Callable[[], int] = original("_thread", "get_ident")
local: Any = original("_thread", "_local")
_start: Callable[[Callable[[], None], tuple[()]], int] = original("_thread", "start_new_thread")
_get_native_id: Callable[[], int] = original("_thread", "get_native_id")


class Event:
    """``threading.Event`` for one thread that waits."""

    def __init__(self) -> None:
        self._unset = Lock()
        self._unset.acquire()
        self._is_set = False

    def set(self) -> None:
        """Let ``wait`` return, now and later."""
        self._is_set = True
        try:
            self._unset.release()
        except RuntimeError:  # set before
            pass

    def is_set(self) -> bool:
        """Whether ``set`` was called."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Whether ``set`` is called within so many seconds."""
        if not self._is_set and self._unset.acquire(timeout=max(seconds, 0.0)):
            self._unset.release()
        return self._is_set


class Alarm:
    """Ends the sleep of one thread; one that rings before it sleeps ends the next sleep."""

    def __init__(self) -> None:
        self._silent = Lock()
        self._silent.acquire()

    def ring(self) -> None:
        """End the sleep."""
        try:
            self._silent.release()
        except RuntimeError:  # it rang already
            pass

    def sleep(self, seconds: float) -> None:
        """Sleep so long at most."""
        self._silent.acquire(timeout=max(seconds, 0.0))


class Thread:
    """A thread that no exit waits for and that no tool that follows ``threading`` (debuggers, coverage) looks into."""

    def __init__(self, target: Callable[[], None]) -> None:
        self._target = target
        self._ended = Event()
        self._ident: int | None = None
        self.native_id: int | None = None

    def start(self) -> None:
        """Raises RuntimeError where the system has no room for a thread, or the interpreter ends."""

        def run() -> None:
            self._ident, self.native_id = get_ident(), _get_native_id()
            try:
                self._target()
            finally:
                self._ended.set()

        _start(run, ())

    def is_current(self) -> bool:
        """Whether this is the thread that asks."""
        return self._ident == get_ident()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, at most so long."""
        if self._ended.wait(seconds) and not self.is_current():
            _wait_until_gone(self.native_id)


def _wait_until_gone(native_id: int | None) -> None:
    """The system's thread ends a moment after its function has, and a fork would still see it."""
    for _ in range(50):
        if not os.path.exists(f"/proc/self/task/{native_id}"):
            return
        sleep(0.0002)

"""Observes what a Python service really runs, function by function, and writes it down in windows.

Importing this package has no effect and loads nothing but the standard library. To observe a service::

    python -m burnish_sensor -- gunicorn shop.wsgi

or call :func:`start` before the application is imported. A script or a cron job names what it does::

    with burnish_sensor.entry("job:nightly-report"):
        ...

What only the application knows may be noted, as a class and never as a value::

    burnish_sensor.note("plan", "enterprise")
"""

from __future__ import annotations

import os
import sys
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "entry", "note", "start", "stop"]

_OFF = ("off", "0", "false", "no")


def start() -> bool:
    """Observe the modules that are imported from now on. Never raises; False where nothing was started."""
    try:
        if os.environ.get("BURNISH_SENSOR", "").strip().lower() in _OFF:
            return False  # without a trace: nothing else is imported
        from . import runtime

        return runtime.start()
    except Exception as error:  # noqa: BLE001 - the edge: a service must start whatever happens to us
        print(f"burnish_sensor: not started: {error!r}", file=sys.stderr)
        return False


def stop() -> None:
    """Write the last window and stop observing. Never raises."""
    runtime = sys.modules.get(__name__ + ".runtime")
    try:
        if runtime is not None:
            runtime.stop()
    except Exception as error:  # noqa: BLE001 - the edge
        print(f"burnish_sensor: not stopped cleanly: {error!r}", file=sys.stderr)


def note(key: str, value_class: str | int | bool) -> None:
    """Note a fact of the running request, task or job, to be compared with how long its calls take. Never raises.

    ``key`` is ``[a-z][a-z0-9_.]*``, at most 40 characters, at most 16 in an entry. ``value_class`` is the name of a
    class (at most 40 letters, digits, blanks and ``_.:<>=+/-``), True, False, or a whole number, of which only the
    power of two below it is kept. Beyond 50 different ones of a key it is ``<other>``. Does nothing where the sensor
    does not run.
    """
    sensor = getattr(sys.modules.get(__name__ + ".runtime"), "active", None)
    if sensor is not None:
        sensor.probe.note(key, value_class)


class entry(ContextDecorator):
    """A named piece of work, as a context manager or decorator: ``entry("job:nightly")``, ``entry("task:mail")``.

    The part before the colon is the kind of the entry. Does nothing where the sensor does not run.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: list[Any] = []

    def __enter__(self) -> entry:
        runtime = sys.modules.get(__name__ + ".runtime")
        sensor = getattr(runtime, "active", None)
        kind = self._name.partition(":")[0] or "job"
        self._running.append((sensor, sensor.probe.entries.begin(kind, self._name)) if sensor else None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = self._running.pop()
        if running is not None:
            sensor, begun = running
            sensor.probe.entries.end(begun, error=error)

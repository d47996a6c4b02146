"""What the judged function does besides returning: lines in the log, threads, processes, files, connections.

A line of the log that is gone, a thread that does the work elsewhere and a file that remembers it are no part of a
response, so they are written down apart. Of a line the logger, the level and the text count, with `#` for its numbers
(a line may tell how long something took); the order does not, for a fix may fetch before a loop what was fetched in it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from typing import Any

from .wrap import Probe

NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+(?:[.,:]\d+)*")
EVENTS = {
    "_thread.start_new_thread": "threads started",
    "_thread.start_joinable_thread": "threads started",
    "os.fork": "processes started",
    "os.posix_spawn": "processes started",
    "subprocess.Popen": "processes started",
    "socket.connect": "connections opened",
    "sqlite3.connect": "connections opened",
    "os.putenv": "variables of the environment set",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
MAX_LINES = 500
QUIET = ("django.db", "sqlalchemy", "asyncio")
"""Loggers that tell each statement: how many there are is counted elsewhere."""


class Traces:
    """Since `clear`; what happens outside calls of the judged function counts only as lines of the log."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.clear()
        self._make = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._record)
        listen()
        sys.addaudithook(self._audit)
        if sys.version_info < (3, 12):  # before, threads were no audit event
            start = threading._start_new_thread  # type: ignore[attr-defined]
            threading._start_new_thread = self._counted(start)  # type: ignore[attr-defined]

    def clear(self) -> None:
        """Before a request."""
        self.lines: list[list[str]] = []
        self.done: dict[str, int] = {}

    def form(self) -> dict[str, Any]:
        """To be compared."""
        return {"logged": sorted(self.lines), "did": dict(self.done)}

    def _record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        if len(self.lines) < MAX_LINES and not record.name.startswith(QUIET):
            try:
                text = record.getMessage()
            except Exception:  # noqa: BLE001 - a line that cannot be formatted is the service's affair
                text = str(record.msg)
            self.lines.append([record.name, record.levelname, NUMBERS.sub("#", text)])
        return record

    def _counted(self, start: Any) -> Any:
        def started(*args: Any) -> Any:
            self._audit("_thread.start_new_thread", ())
            return start(*args)

        return started

    def _audit(self, event: str, args: Any) -> None:
        if not self._probe.depth:
            return
        kind = EVENTS.get(event) or ("files written" if event == "open" and _writes(*args[:3]) else None)
        if kind is not None:
            self.done[kind] = self.done.get(kind, 0) + 1


def listen() -> None:
    """A process of a replay is rarely configured like production: what production may show must not be lost here."""
    root = logging.getLogger()
    if root.level > logging.INFO:
        root.setLevel(logging.INFO)


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    """Byte code of modules that are imported late is no writing of the service."""
    if "__pycache__" in str(path):
        return False
    return bool(int(flags or 0) & WRITING) or any(letter in str(mode or "") for letter in "wax+")

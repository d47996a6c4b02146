"""What sensors wrote into a directory of this machine, taken in; how far it was read is noted after it.

A reader that is killed in between reads some lines again, and they count once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from itertools import islice

from burnish.errors import DataError
from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.format import NewerFormat, Window
from burnish_tools.runtime.spool import Line, Mark, Spool
from burnish_tools.runtime.store import Taken

BATCH = 100
"""Lines at a time: bounds the memory."""
_MARK = {"file": "String", "byte": "UInt64", "lines": "UInt64", "at_ns": "Int64"}
_log = logging.getLogger("burnish.runtime")


class Intake:
    """Reads a spool into a store, each line once. A line that is no window is written to the log and skipped; one of a
    newer format stops the reading of its file, with a DataError after everything else has been taken in."""

    def __init__(self, connection: Connection, spool: Spool, add: Callable[[Sequence[Window]], Taken]) -> None:
        self._connection, self._spool, self._add = connection, spool, add

    def refresh(self) -> int:
        """Takes in what is new; returns how many windows were."""
        found = self._connection.read("SELECT file, byte, lines FROM marks FINAL")
        lines = self._spool.unread({row[0]: Mark(*row) for row in found})
        taken, newer = 0, dict[str, str]()
        while batch := list(islice(lines, BATCH)):
            taken += self._take(batch, newer)
        if newer:
            raise DataError("; ".join(newer.values()))
        return taken

    def _take(self, batch: Sequence[Line], newer: dict[str, str]) -> int:
        windows, marks = list[Window](), dict[str, Mark]()
        for line in batch:
            if line.mark.file in newer:
                continue
            if isinstance(line.content, NewerFormat):
                newer[line.mark.file] = f"{self._spool.directory}/{line.place}: {line.content}"
                continue
            if isinstance(line.content, DataError):
                _log.warning("%s/%s: not a window, skipped: %s", self._spool.directory, line.place, line.content)
            else:
                windows.append(line.content)
            marks[line.mark.file] = line.mark
        taken = self._add(windows)
        rows = [(mark.file, mark.offset, mark.lines, time.time_ns()) for mark in marks.values()]
        self._connection.insert("marks", _MARK, rows)
        return taken.new

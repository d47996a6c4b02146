"""What sensors wrote into a directory, taken into the file together with how far it was read."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from itertools import islice

from burnish.errors import DataError
from burnish_tools.runtime.format import FORMAT, NewerFormat, Window
from burnish_tools.runtime.spool import Line, Mark, Spool, read
from burnish_tools.runtime.sqlite.database import Database
from burnish_tools.runtime.sqlite.ingest import ingest

BATCH = 25
"""Lines per transaction: bounds the memory, and what a killed process has to do again."""
_log = logging.getLogger("burnish.runtime")


class Intake:
    """Reads a spool into a database, each line once."""

    def __init__(self, database: Database, spool: Spool) -> None:
        self._database, self._spool = database, spool

    def refresh(self) -> int:
        """Takes in what the spool holds beyond the last time; returns how many windows were new.

        A line that is no window is written to the log once and skipped. Lines of a newer format are kept for a newer
        Burnish; DataError says so once, after everything else has been taken in.
        """
        taken, newer = self._retry_refused(), list[str]()
        with self._database.reported():
            found = self._database.connection.execute("SELECT file, byte, lines FROM marks")
            lines = self._spool.unread({row[0]: Mark(*row) for row in found.fetchall()})
            while batch := list(islice(lines, BATCH)):
                taken += self._take(batch, newer)
        if newer:
            raise DataError("; ".join(newer[:3]) + (f"; and {len(newer) - 3} more" if len(newer) > 3 else ""))
        return taken

    def _take(self, batch: Sequence[Line], newer: list[str]) -> int:
        with self._database.writing() as db:
            windows = (line.content for line in batch if isinstance(line.content, Window))
            taken = ingest(db, self._database.names, windows, time.time())
            for line in batch:
                if isinstance(line.content, NewerFormat):
                    newer.append(f"{self._where(line)}: {line.content}")
                    row = (line.place, line.content.format, line.raw)
                    db.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", row)
                elif isinstance(line.content, DataError):
                    _log.warning("%s: not a window, skipped: %s", self._where(line), line.content)
                    db.execute("INSERT OR REPLACE INTO bad_lines VALUES (?, ?)", (line.place, str(line.content)))
            marks = {line.mark.file: line.mark for line in batch}.values()
            rows = ((mark.file, mark.offset, mark.lines) for mark in marks)
            db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", rows)
        return taken.new

    def _retry_refused(self) -> int:
        with self._database.writing() as db:
            found = db.execute("SELECT place, line FROM refused WHERE format <= ?", (FORMAT,)).fetchall()
            windows = [content for _, raw in found if isinstance(content := read(raw), Window)]
            db.executemany("DELETE FROM refused WHERE place = ?", ((place,) for place, _ in found))
            return ingest(db, self._database.names, windows, time.time()).new

    def _where(self, line: Line) -> str:
        return f"{self._spool.directory}/{line.place}"

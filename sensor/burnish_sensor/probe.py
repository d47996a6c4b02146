"""What a hook into a library may use: the clock, the statements, the query log and the entries."""

from __future__ import annotations

from typing import Any

from .entries import Entries
from .queries import Execution, QueryLog
from .recorder import Clock
from .statements import Statements


class Probe:
    """Records what libraries do. No method raises. ``active`` is False once the sensor was stopped."""

    def __init__(self, clock: Clock, statements: Statements, log: QueryLog, entries: Entries) -> None:
        self.clock, self.entries = clock, entries
        self._statements, self._log = statements, log
        self.active = True

    def executed(
        self, sql: Any, parameters: Any, system: str, wall: int, error: BaseException | None = None
    ) -> Execution | None:
        """Record an execution of raw ``sql`` that took ``wall`` ns."""
        if not self.active:
            return None
        try:
            text = sql if isinstance(sql, str) else str(sql)
            name = type(error).__name__ if error is not None else None
            return self._log.executed(self._statements.identify(text, system), (text, parameters), wall, name)
        except Exception:  # noqa: BLE001 - the edge
            return None

    def fetched(self, execution: Execution | None, rows: int, wall: int) -> None:
        """Record fetched rows; does nothing for an execution that was not recorded."""
        if execution is None or not self.active:
            return
        try:
            self._log.fetched(execution, rows, wall)
        except Exception:  # noqa: BLE001 - the edge
            pass

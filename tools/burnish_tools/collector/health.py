"""What the collector says about itself: counts for `GET /healthz`, and one line in the log for each kind of problem."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Any

AGAIN_SECONDS = 600.0
"""How long a kind of problem stays silent after it was said."""
_log = logging.getLogger("burnish.collector")


class Health:
    """Counts since the start. All threads may use it. Nothing in it comes from a payload."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._said: dict[str, tuple[float, int]] = {}
        self._database = "ok"
        self._last_write_unix: float | None = None

    def accepted(self, kind: str, n: int) -> None:
        """Windows that were taken, duplicates, bodies of OTLP, deployments."""
        with self._lock:
            self._accepted[kind] += n

    def refused(self, reason: str, n: int = 1) -> None:
        """What was refused; `reason` is one of few."""
        with self._lock:
            self._refused[reason] += n

    def written(self) -> None:
        """The database was written."""
        with self._lock:
            self._database, self._last_write_unix = "ok", time.time()

    def failed(self, text: str) -> None:
        """The database could not be written."""
        with self._lock:
            self._database = text
        self.problem("database", text)

    def problem(self, kind: str, text: str) -> None:
        """Logs the first of its kind, and after a while how many there were meanwhile."""
        with self._lock:
            then, n = self._said.get(kind, (-AGAIN_SECONDS, 0))
            now = time.monotonic()
            due = now - then >= AGAIN_SECONDS
            self._said[kind] = (now, 0) if due else (then, n + 1)
        if due:
            _log.warning("%s%s", text, f" (and {n} more since the last of these lines)" if n else "")

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        with self._lock:
            return {
                "status": "ok" if self._database == "ok" else "degraded",
                "accepted": dict(sorted(self._accepted.items())),
                "refused": dict(sorted(self._refused.items())),
                "database": self._database,
                "last_write_unix": self._last_write_unix,
            }

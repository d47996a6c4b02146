"""Counts SQL executions and remembers which tables they wrote."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

WRITES = re.compile(r'^\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO)\s+["`]?([\w.]+)', re.I)
BOOKKEEPING = re.compile(r"^\s*(?:SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|SET)\b", re.I)
MAX_ROWS = 200000


class Statements:
    """What ran since `clear`. Savepoints and the like are not counted."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.total = 0
        self.written: set[str] = set()
        self._paused = False

    def clear(self) -> None:
        """Before a request."""
        self.counts, self.total, self.written = {}, 0, set()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """For queries of the harness itself."""
        was, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = was

    def seen(self, text: str) -> None:
        """One statement is about to run."""
        if self._paused or BOOKKEEPING.match(text):
            return
        self.counts[text] = self.counts.get(text, 0) + 1
        self.total += 1
        written = WRITES.match(text)
        if written:
            self.written.add(written.group(1))


def digest(rows: Iterable[Any]) -> str:
    """Of all rows of a table, without regard to their order."""
    texts = sorted(repr(tuple(row)) for row in rows)
    return f"{hashlib.sha256(chr(10).join(texts).encode('utf-8', 'replace')).hexdigest()[:32]}/{len(texts)}"

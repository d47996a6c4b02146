"""Counts SQL executions and remembers which tables they wrote."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator
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

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Counts what runs on any connection inside."""
        from django.db import connections

        with contextlib.ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(self._execute))
            yield

    def _execute(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = str(sql)
        if not self._paused and not BOOKKEEPING.match(text):
            self.counts[text] = self.counts.get(text, 0) + 1
            self.total += 1
            written = WRITES.match(text)
            if written:
                self.written.add(written.group(1))
        return execute(sql, params, many, context)

    def digests(self) -> dict[str, str]:
        """Of each written table all rows, as one digest that does not depend on their order."""
        from django.db import connection

        found = {}
        with self.paused(), connection.cursor() as cursor:
            for table in sorted(self.written):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows = sorted(repr(row) for row in cursor.fetchmany(MAX_ROWS))
                digest = hashlib.sha256("\n".join(rows).encode("utf-8", "replace")).hexdigest()[:32]
                found[table] = f"{digest}/{len(rows)}"
        return found

"""What names stand for: functions' code and statements' texts, written when they are new to this process or changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from burnish_tools.runtime.clickhouse.connection import Connection
from burnish_tools.runtime.clickhouse.rows import Rows, Values
from burnish_tools.runtime.clickhouse.tables import NAME, OWNER
from burnish_tools.runtime.format import Definition, Window

MOST = 500_000
"""Names that are remembered as written: some 200 bytes each."""
_FUNCTIONS = {
    **OWNER,
    "function": "String",
    "file": NAME,
    "line": "Int32",
    "end_line": "Int32",
    "body": "String",
    "kind": NAME,
    "seen_ns": "Int64",
}
_STATEMENTS = {"id": "UInt64", "hash": "String", "text": "String", "system": NAME}
Key = tuple[str, str, str, str]
"""service, environment, release, function"""


class Definitions:
    """Writes each once; of two versions of a function in one release the one that ran last counts.

    A version that others follow is written again with the time at which it ran last, so that windows may come in any
    order. Both tables keep one row a key, whoever wrote it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._functions: dict[Key, tuple[Definition, int]] = {}
        self._statements = set[int]()

    def write(self, windows: Sequence[Window], rows: Sequence[Rows]) -> None:
        """Writes what the windows define."""
        if len(self._functions) + len(self._statements) > MOST:
            self.forget()
        functions = [row for window, one in zip(windows, rows, strict=True) for row in self._new(window, one)]
        self._connection.insert("functions", _FUNCTIONS, functions)
        statements = {
            number: (number, one.hashes[number], statement.text, statement.system)
            for one in rows
            for number, statement in one.statements.items()
            if number not in self._statements
        }
        self._connection.insert("statements", _STATEMENTS, list(statements.values()))
        self._statements.update(statements)

    def forget(self) -> None:
        """What was remembered may not have been written."""
        self._functions.clear()
        self._statements.clear()

    def _new(self, window: Window, rows: Rows) -> Iterator[Values]:
        names = [*(row.function for row in window.calls), *(row.function for row in window.per_call)]
        for name in dict.fromkeys(names):
            shown = rows.function(name)
            code = window.functions.get(name, Definition()) if shown == name else Definition()
            key = window.service, window.environment, window.release, shown
            before, seen = self._functions.get(key, (None, -1))
            if before == code:
                self._functions[key] = code, max(seen, window.end_unix_ns)
                continue
            if before is not None:
                yield _row(key, before, seen)
            yield _row(key, code, window.end_unix_ns)
            if window.end_unix_ns >= seen:
                self._functions[key] = code, window.end_unix_ns


def _row(key: Key, code: Definition, seen_ns: int) -> Values:
    return *key, code.file, code.line, code.end_line, code.body, code.kind, seen_ns

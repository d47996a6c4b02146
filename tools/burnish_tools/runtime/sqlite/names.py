"""Numbers for the names that come again and again."""

from __future__ import annotations

import sqlite3

from burnish_tools.runtime.format import Definition, SiteRow, Statement


class Names:
    """Numbers for the names that come again and again; forgotten with the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[object, ...], int] = {}

    def function(self, name: str, code: Definition) -> int:
        """A function as it was in one version of its code."""
        return self._number(
            "functions",
            ("name", "file", "line", "end_line", "body", "kind"),
            (name, code.file, code.line, code.end_line, code.body, code.kind),
        )

    def statement(self, key: str, statement: Statement) -> int:
        """A normalised statement; `key` is the sensor's hash of it."""
        return self._number("statements", ("hash", "text", "system"), (key, statement.text, statement.system))

    def site(self, site: SiteRow) -> int:
        """A place in the code."""
        return self._number("sites", ("function", "file", "line"), (site.function, site.file, site.line))

    def entry(self, entry: str, kind: str) -> int:
        """An entry."""
        return self._number("entries", ("entry", "kind"), (entry, kind))

    def peer(self, kind: str, peer: str, operation: str) -> int:
        """An operation of another service."""
        return self._number("peers", ("kind", "peer", "operation"), (kind, peer, operation))

    def _number(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int:
        known = self._known.get((table, *values))
        if known is not None:
            return known
        where = " AND ".join(f"{column} = ?" for column in columns)
        found = self._db.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
        if found is None:
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            number = inserted(self._db.execute(insert, values))
        else:
            number = int(found[0])
        self._known[table, *values] = number
        return number


def inserted(cursor: sqlite3.Cursor) -> int:
    """The number of the row that an INSERT made."""
    assert cursor.lastrowid is not None  # an INSERT always has one
    return cursor.lastrowid

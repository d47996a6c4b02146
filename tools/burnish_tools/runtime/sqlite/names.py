"""Numbers for the names that come again and again."""

from __future__ import annotations

import sqlite3
from collections import Counter

from burnish_tools.runtime.format import Definition, Statement
from burnish_tools.runtime.limits import NEW_NAMES, OTHER

_MOST = 300_000
_DAY_NS = 24 * 3600 * 10**9


class Names:
    """Numbers for the names that come again and again; remembered until they may have been changed by others.

    A service may bring in so many new ones in a day (`limits.NEW_NAMES`); what comes later is `<other>`.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[tuple[object, ...], int] = {}
        self._codes: dict[str, tuple[Definition, int]] = {}
        self._version = -1
        self._new = Counter[tuple[str, int, str]]()
        self._day = ("", 0)
        self.dropped = Counter[str]()
        """Names of the window that became `<other>`, by kind."""

    def open(self) -> None:
        """Begins a batch, inside its transaction."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version != self._version or len(self._known) > _MOST:
            self.forget()
        self._version = version
        self._new.clear()

    def forget(self) -> None:
        """What was remembered may be wrong: a transaction was rolled back, or names were dropped."""
        self._known.clear()
        self._codes.clear()

    def begin(self, service: str, start_unix_ns: int) -> None:
        """What comes now is of a window of this service."""
        self._day, self.dropped = (service, start_unix_ns // _DAY_NS), Counter()

    def finish(self) -> None:
        """Writes how many names were new."""
        self._db.executemany(
            "INSERT INTO new_names (service, day, kind, n) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET n = excluded.n",
            ((*key, n) for key, n in self._new.items()),
        )

    def function(self, name: str, code: Definition) -> int:
        """A function as it was in one version of its code."""
        before = self._codes.get(name)
        if before is not None and before[0] == code:
            return before[1]
        number = self._number(
            "functions",
            ("name", "file", "line", "end_line", "body", "kind"),
            (name, code.file, code.line, code.end_line, code.body, code.kind),
        )
        self._codes[name] = code, number
        return number

    def statement(self, key: str, statement: Statement) -> int:
        """A normalised statement; `key` is the sensor's hash of it."""
        return self._number("statements", ("hash", "text", "system"), (key, statement.text, statement.system))

    def site(self, function: str, file: str, line: int) -> int:
        """A place in the code."""
        return self._number("sites", ("function", "file", "line"), (function, file, line))

    def entry(self, entry: str, kind: str) -> int:
        """An entry."""
        return self._number("entries", ("entry", "kind"), (entry, kind))

    def peer(self, kind: str, peer: str, operation: str) -> int:
        """An operation of another service."""
        return self._number("peers", ("kind", "peer", "operation"), (kind, peer, operation))

    def owner(self, service: str, environment: str, release: str) -> int:
        """A release of a service in an environment."""
        columns = ("service", "environment", "release")
        return self._number("owners", columns, (service, environment, release))

    def _number(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int:
        known = self._known.get((table, *values))
        if known is None:
            known = self._known[table, *values] = self._find(table, columns, values)
        return known

    def _find(self, table: str, columns: tuple[str, ...], values: tuple[object, ...]) -> int:
        where = " AND ".join(f"{column} = ?" for column in columns)
        found = self._db.execute(f"SELECT id FROM {table} WHERE {where}", values).fetchone()
        if found is not None:
            return int(found[0])
        other = tuple(OTHER if i == 0 else type(value)() for i, value in enumerate(values))
        if table in NEW_NAMES and values != other and self._is_beyond(table):
            self.dropped[table] += 1
            return self._number(table, columns, other)
        marks = ", ".join("?" * len(columns))
        return inserted(self._db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values))

    def _is_beyond(self, kind: str) -> bool:
        """Counts a new name."""
        key = *self._day, kind
        if key not in self._new:
            found = self._db.execute(
                "SELECT n FROM new_names WHERE service = ? AND day = ? AND kind = ?", key
            ).fetchone()
            self._new[key] = found[0] if found else 0
        self._new[key] += 1
        return self._new[key] > NEW_NAMES[kind]


def inserted(cursor: sqlite3.Cursor) -> int:
    """The number of the row that an INSERT made."""
    assert cursor.lastrowid is not None  # an INSERT always has one
    return cursor.lastrowid

"""Numbers for the names that come again and again."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from burnish_tools.runtime.format import Definition, Statement
from burnish_tools.runtime.limits import NEW_NAMES, OTHER

_Key = TypeVar("_Key", bound=Hashable)
_What = TypeVar("_What", Definition, Statement)
_MOST = 300_000
"""Names that are remembered: some 300 bytes each."""
_DAY_NS = 24 * 3600 * 10**9


class Numbers(dict[_Key, int]):
    """Numbers by name, each asked for once."""

    def __init__(self, ask: Callable[[_Key], int]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, name: _Key) -> int:
        number = self[name] = self._ask(name)
        return number


class _Told(Generic[_What]):
    """Numbers of names that windows tell something of: a function's code, a statement's text."""

    def __init__(self, ask: Callable[[tuple[str, _What]], int]) -> None:
        self._all: Numbers[tuple[str, _What]] = Numbers(ask)
        self._latest: dict[str, tuple[_What, int]] = {}

    def number(self, name: str, what: _What) -> int:
        """The number of one."""
        number = self._all[name, what]
        self._latest[name] = what, number
        return number

    def known(self, told: Mapping[str, _What]) -> dict[str, int]:
        """Those of a window of which the last one told the same, with their numbers: nearly all, and at little cost."""
        latest = self._latest.get
        return {
            name: before[1] for name, what in told.items() if (before := latest(name)) is not None and before[0] == what
        }

    def __len__(self) -> int:
        return len(self._all)

    def clear(self) -> None:
        """Forgets all."""
        self._all.clear()
        self._latest.clear()


class _Kind:
    """A table of names; `other` is what comes beyond the bound."""

    def __init__(self, table: str, **columns: type) -> None:
        self.table = table
        self.select = f"SELECT id FROM {table} WHERE {' AND '.join(f'{column} = ?' for column in columns)}"
        marks = ", ".join("?" * len(columns))
        self.insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self.other = (OTHER, *(kind() for kind in list(columns.values())[1:]))


_FUNCTIONS = _Kind("functions", name=str, file=str, line=int, end_line=int, body=str, kind=str)
_STATEMENTS = _Kind("statements", hash=str, text=str, system=str)
_SITES = _Kind("sites", function=str, file=str, line=int)
_ENTRIES = _Kind("entries", entry=str, kind=str)
_PEERS = _Kind("peers", kind=str, peer=str, operation=str)


class Names:
    """Numbers for the names that come again and again; remembered until they may have been changed by others.

    A service may bring in so many new ones in a day (`limits.NEW_NAMES`); what comes later is `<other>`.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._version = -1
        self._new = Counter[tuple[str, int, str]]()
        self._day = ("", 0)
        self.dropped = Counter[str]()
        """Names of the window that became `<other>`, by kind."""
        self.functions = _Told[Definition](self._function)
        """Functions as they were in one version of their code."""
        self.statements = _Told[Statement](self._statement)
        """Normalised statements, by the sensor's hash of them."""
        self.sites = Numbers[tuple[str, str, int]](lambda key: self._find(_SITES, key))
        """Places in the code: function, file, line."""
        self.entries = Numbers[tuple[str, str]](lambda key: self._find(_ENTRIES, key))
        """Entries with their kind."""
        self.peers = Numbers[tuple[str, str, str]](lambda key: self._find(_PEERS, key))
        """Operations of other services: kind, peer, operation."""

    def open(self) -> None:
        """Begins a batch, inside its transaction."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version != self._version or self._remembered() > _MOST:
            self.forget()
        self._version = version
        self._new.clear()

    def _remembered(self) -> int:
        return len(self.functions) + len(self.statements) + len(self.sites) + len(self.entries) + len(self.peers)

    def forget(self) -> None:
        """What was remembered may be wrong: a transaction was rolled back, or names were dropped."""
        for known in (self.functions, self.statements, self.sites, self.entries, self.peers):
            known.clear()

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

    def _function(self, told: tuple[str, Definition]) -> int:
        name, code = told
        return self._find(_FUNCTIONS, (name, code.file, code.line, code.end_line, code.body, code.kind))

    def _statement(self, told: tuple[str, Statement]) -> int:
        key, statement = told
        return self._find(_STATEMENTS, (key, statement.text, statement.system))

    def _find(self, kind: _Kind, values: tuple[object, ...]) -> int:
        found = self._db.execute(kind.select, values).fetchone()
        if found is not None:
            return int(found[0])
        if values != kind.other and self._is_beyond(kind.table):
            self.dropped[kind.table] += 1
            return self._find(kind, kind.other)
        return inserted(self._db.execute(kind.insert, values))

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

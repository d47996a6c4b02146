"""The rows of a stretch of time, with the names behind their numbers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from burnish.finding import Site
from burnish_tools.runtime.sqlite.cover import Cover
from burnish_tools.runtime.sqlite.rows import TABLES, Counter, Key, Row, Table, summed
from burnish_tools.runtime.sqlite.sums import Sums, add_detail

_NAMES = {
    "functions": "name, file, line, end_line, body, kind",
    "statements": "hash, text, system",
    "sites": "function, file, line",
    "entries": "entry, kind",
    "peers": "kind, peer, operation",
}
"""What a name consists of, by table."""
_NAMED_BY = {
    "function_id": "functions",
    "statement_id": "statements",
    "driver_statement_id": "statements",
    "site_id": "sites",
    "driver_site_id": "sites",
    "entry_id": "entries",
    "peer_id": "peers",
}
"""In which table the name of a key is."""


@dataclass
class Named:
    """What a profile is read from. Names are looked up when they are met, so that those of others cost nothing."""

    db: sqlite3.Connection
    owner: tuple[str, str, str]
    cover: Cover
    chosen: Mapping[str, Collection[Key]]
    """By table the leading keys of the rows that are read; of a table that is not named all rows are."""
    _single: Sums | None = None
    _found: dict[str, dict[int, tuple[Any, ...]]] = field(default_factory=dict)
    _sites: dict[int, Site] = field(default_factory=dict)

    def rows(self, table: Table) -> Sequence[tuple[Key, Row]]:
        """The rows of a table; all names in them are known after that, by one statement for each kind."""
        chosen = self.chosen.get(table.name)
        columns = ", ".join(table.columns)
        where, values = self.cover.condition(table, chosen)
        stored = self.db.execute(f"SELECT {columns} FROM {table.name} WHERE {where}", values)
        found = list(summed(table, stored).items())
        width = len(next(iter(chosen))) if chosen else 0
        singles = self._of_windows()[table.name].items()
        found += [(key, row) for key, row in singles if chosen is None or key[:width] in chosen]
        for i, column in enumerate(table.keys):
            self._learn(_NAMED_BY[column], {key[i] for key, _ in found})
        return found

    def of_windows(self, table: Table, number: str) -> float:
        """The sum of a number over all rows of the single windows, chosen or not."""
        place = table.numbers.index(number)
        return sum(row.numbers[place] for row in self._of_windows()[table.name].values())

    def _of_windows(self) -> Sums:
        if self._single is None:
            self._single = {table.name: {} for table in TABLES}
            for detail in self.cover.details(self.db):
                add_detail(self._single, detail)
        return self._single

    def function(self, number: int) -> tuple[Any, ...]:
        """name, file, line, end line, body and kind"""
        return self._name("functions", number)

    def last_seen(self, number: int) -> int:
        """When this version of a function's code ran last in the release."""
        query = (
            "SELECT unix_ns FROM last_seen WHERE service = ? AND environment = ? AND release = ? AND function_id = ?"
        )
        found = self.db.execute(query, (*self.owner, number)).fetchone()
        return int(found[0]) if found else 0

    def statement(self, number: int) -> tuple[str, str, str]:
        """hash, text and system"""
        key, text, system = self._name("statements", number)
        return key, text, system

    def entry(self, number: int) -> tuple[str, str]:
        """name and kind"""
        name, kind = self._name("entries", number)
        return name, kind

    def peer(self, number: int) -> tuple[str, str, str]:
        """kind, peer and operation"""
        kind, peer, operation = self._name("peers", number)
        return kind, peer, operation

    def site(self, number: int) -> Site:
        """A place in the code."""
        site = self._sites.get(number)
        if site is None:
            function, file, line = self._name("sites", number)
            site = self._sites[number] = Site.model_construct(function=function, file=file, line=line)
        return site

    def _name(self, table: str, number: int) -> tuple[Any, ...]:
        if number not in self._found.get(table, ()):
            self._learn(table, {number})
        return self._found[table][number]

    def _learn(self, table: str, numbers: Collection[int]) -> None:
        """Reads names that are not known yet."""
        known = self._found.setdefault(table, {})
        new = [number for number in numbers if number not in known]
        if new:
            rows = self.db.execute(
                f"SELECT id, {_NAMES[table]} FROM {table} WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(new),),
            )
            known.update((number, tuple(name)) for number, *name in rows)


class Totals:
    """Rows added up under a new key, each with a counter by some name (an entry)."""

    def __init__(self) -> None:
        self.rows: dict[Any, tuple[Row, Counter]] = {}

    def add(self, key: Any, row: Row, name: str = "") -> None:
        """Adds a row; `name` is counted with the row's first number."""
        if key in self.rows:
            total, names = self.rows[key]
            total.add(row)
        else:
            total, names = row, {}
            self.rows[key] = total, names
        names[name] = names.get(name, 0) + int(row.numbers[0])


def in_order(counter: Counter) -> dict[str, int]:
    """A counter in order of its names."""
    return dict(sorted(counter.items()))

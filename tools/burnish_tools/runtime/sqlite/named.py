"""The rows of a stretch of time, with the names behind their numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from burnish.finding import Site
from burnish_tools.runtime.sqlite.cover import Cover
from burnish_tools.runtime.sqlite.rows import TABLES, Counter, Key, Row, Table, summed
from burnish_tools.runtime.sqlite.sums import Sums, add_detail


@dataclass
class Named:
    """What a profile is read from. Names are looked up when they are met, so that rare ones cost nothing."""

    db: sqlite3.Connection
    owner: tuple[str, str, str]
    cover: Cover
    chosen: Mapping[str, Collection[Key]]
    """By table the leading keys of the rows that are read; of a table that is not named all rows are."""
    _single: Sums | None = None
    _found: dict[tuple[str, int], tuple[Any, ...]] = field(default_factory=dict)

    def rows(self, table: Table) -> Iterator[tuple[Key, Row]]:
        """The rows of a table."""
        chosen = self.chosen.get(table.name)
        columns = ", ".join(table.columns)
        where, values = self.cover.condition(table, chosen)
        found = self.db.execute(f"SELECT {columns} FROM {table.name} WHERE {where}", values)
        yield from summed(table, found).items()
        width = len(next(iter(chosen))) if chosen else 0
        for key, row in self._of_windows()[table.name].items():
            if chosen is None or key[:width] in chosen:
                yield key, row

    def _of_windows(self) -> Sums:
        if self._single is None:
            self._single = {table.name: {} for table in TABLES}
            for detail in self.cover.details(self.db):
                add_detail(self._single, detail)
        return self._single

    def function(self, number: int) -> tuple[Any, ...]:
        """name, file, line, end line, body and kind"""
        return self._name("functions", "name, file, line, end_line, body, kind", number)

    def last_seen(self, number: int) -> int:
        """When this version of a function's code ran last in the release."""
        query = (
            "SELECT unix_ns FROM last_seen WHERE service = ? AND environment = ? AND release = ? AND function_id = ?"
        )
        found = self.db.execute(query, (*self.owner, number)).fetchone()
        return int(found[0]) if found else 0

    def statement(self, number: int) -> tuple[str, str, str]:
        """hash, text and system"""
        key, text, system = self._name("statements", "hash, text, system", number)
        return key, text, system

    def entry(self, number: int) -> tuple[str, str]:
        """name and kind"""
        name, kind = self._name("entries", "entry, kind", number)
        return name, kind

    def peer(self, number: int) -> tuple[str, str, str]:
        """kind, peer and operation"""
        kind, peer, operation = self._name("peers", "kind, peer, operation", number)
        return kind, peer, operation

    def site(self, number: int) -> Site:
        """A place in the code."""
        function, file, line = self._name("sites", "function, file, line", number)
        return Site(function=function, file=file, line=line)

    def _name(self, table: str, columns: str, number: int) -> tuple[Any, ...]:
        known = self._found.get((table, number))
        if known is None:
            row = self.db.execute(f"SELECT {columns} FROM {table} WHERE id = ?", (number,)).fetchone()
            known = self._found[table, number] = tuple(row)
        return known


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

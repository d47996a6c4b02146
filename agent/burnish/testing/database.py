"""A database that is told what to say."""

from __future__ import annotations

from collections.abc import Mapping

from burnish.profile import TableWrites
from burnish.protocols import Index, QueryPlan


class ScriptedDatabase:
    """Satisfies `burnish.protocols.Database`. `scans` are the tables that a statement (by a part of it) reads in full.

    An index is used where a statement reads its table in full, except those in `useless` (by their columns); with
    `tries` False none can be tried. `expects` are the rows that the planner expects of a statement, by a part of it.
    """

    def __init__(
        self,
        scans: Mapping[str, tuple[str, ...]],
        *,
        rows: Mapping[str, int] | None = None,
        indexes: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
        unreadable: str = "",
        tries: bool = True,
        useless: tuple[tuple[str, ...], ...] = (),
        costs: Mapping[tuple[str, ...], float] | None = None,
        writes: Mapping[str, float] | None = None,
        expects: Mapping[str, float] | None = None,
        system: str = "sqlite",
    ) -> None:
        self.system = system
        self._scans, self._rows, self._indexes = scans, rows or {}, indexes or {}
        self._unreadable, self._tries, self._useless = unreadable, tries, useless
        self._costs, self._writes, self._expects = costs or {}, writes or {}, expects or {}
        self.tried: list[Index] = []

    def plan(self, statement: str) -> QueryPlan | None:
        """As told; what reads nothing in full uses `by_key`."""
        if self._unreadable and self._unreadable in statement:
            return None
        scans = next((tables for part, tables in self._scans.items() if part in statement), ())
        lines = tuple(f"SCAN {table}" for table in scans) or ("SEARCH by INDEX",)
        expected = next((rows for part, rows in self._expects.items() if part in statement), None)
        return QueryPlan(lines=lines, full_scans=scans, indexes=() if scans else ("by_key",), rows=expected)

    def plan_with(self, statement: str, index: Index) -> QueryPlan | None:
        """As told; every index that was tried is kept in `tried`."""
        plan = self.plan(statement)
        if plan is None or not self._tries:
            return None
        self.tried.append(index)
        cost = self._costs.get(index.columns)
        if index.columns in self._useless or index.table not in plan.full_scans:
            return plan.model_copy(update={"tried_on": "a script", "cost": cost})
        scans = tuple(table for table in plan.full_scans if table != index.table)
        line = f"SEARCH {index.table} USING INDEX trial"
        return QueryPlan(lines=(line,), full_scans=scans, indexes=("trial",), cost=cost, tried_on="a script")

    def writes(self, table: str) -> TableWrites | None:
        """As told; None where nothing was."""
        rate = self._writes.get(table)
        if rate is None:
            return None
        return TableWrites(table=table, rows=self.rows(table), bytes=0, writes_per_minute=rate, since_unix_ns=0)

    def rows(self, table: str) -> int:
        """As told, else 0."""
        return self._rows.get(table, 0)

    def indexes(self, table: str) -> Mapping[str, tuple[str, ...]]:
        """As told, else none."""
        return self._indexes.get(table, {})

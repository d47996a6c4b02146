"""One window: totals by entry, and their JSON (``docs/format.md``)."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from ..governor.weighting import Weight, unseen_below, weighted, weighted_per_call, without_own
from ..mechanisms.registry import OTHER, Registry
from ..queries.dependencies import Endpoint
from ..queries.log import Key, Site
from ..queries.statements import Statements
from ..recording.histogram import Histogram
from ..recording.rows import CoreRows
from ..recording.totals import CallTotals, DependencyTotals, PerCallTotals, QueryTotals, Totals
from ..recording.work import Work
from .pieces import Pace, array, emptied, in_order, mapping, no_pace


class EntryTotals:
    """An entry row being summed."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.wall = Histogram()
        self.queries = Histogram()
        self.errors: Counter[str] = Counter()
        self.status: Counter[str] = Counter()

    def add(self, context: Work) -> None:
        self.wall.add(context.wall)
        self.queries.add(context.query_count)
        if context.error:
            self.errors[context.error] += 1
        if context.status:
            self.status[context.status] += 1


def _without_per_call() -> Totals:
    totals = Totals()
    totals.per_call_room = 0
    return totals


class Window:
    """One window being filled, by one thread at a time.

    ``direct``: a recorder that can write call rows itself may keep them until then, in ``rows``.
    """

    def __init__(self, entries: int, direct: bool = False) -> None:
        self._capacity, self.direct = entries, direct
        self.rows: CoreRows | None = None
        self.entries: dict[str, EntryTotals] = {}
        self.totals: defaultdict[str, Totals] = defaultdict(Totals)
        self.dropped_entries = self.dropped_rows = 0
        self.calls = 0
        #: how many calls each recorded call of a sampled function stands for
        self.weights: dict[int, Weight] = {}
        #: tables made by others, by name, and the functions that they name
        self.more: dict[str, list[dict[str, Any]]] = {}
        self.named: set[int] = set()
        #: the functions of which calls are, or still have to be, estimated
        self.estimated: frozenset[int] = frozenset()

    def totals_of(self, name: str) -> Totals:
        """The totals of an entry; those of ``<other>`` when there are too many."""
        return self.totals[self._bounded(name)]

    def _bounded(self, name: str) -> str:
        if not name or name in self.totals or name in self.entries:
            return name
        if len((self.totals.keys() | self.entries.keys()) - {""}) < self._capacity:
            return name
        self.dropped_entries += 1
        return OTHER

    def recorded(self) -> Counter[int]:
        """How many calls were recorded of each function that was sampled."""
        counts: Counter[int] = Counter()
        for totals in self.totals.values():
            for function, calls in totals.sampled.items():
                counts[function] += calls.own.count
        return counts

    def end(self, context: Work, partial: Totals | None = None) -> Totals:
        """Take in a context that ended, and what was folded of it before; the totals that the rest of it belongs to."""
        name = self._bounded(context.name)
        totals = self.totals[name]
        if partial is not None:
            totals.merge(partial)
        if name:
            if name not in self.entries:
                self.entries[name] = EntryTotals(context.kind)
            self.entries[name].add(context)
        return totals

    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return (
            not self.entries
            and not (self.rows is not None and self.rows.calls)
            and not any(
                t.has_calls() or t.queries or t.per_call or t.sampled_per_call or t.dependencies
                for t in self.totals.values()
            )
        )

    def no_more_per_call(self) -> None:
        """Take in no new rows of statements per call."""
        self.totals.default_factory = _without_per_call
        for totals in self.totals.values():
            totals.per_call_room = 0

    def close(self) -> None:
        """Give up what was not written."""
        if self.rows is not None:
            self.rows.close()

    def pieces(self, registry: Registry, statements: Statements, pace: Pace = no_pace) -> Iterator[str]:
        """The tables as the members of a JSON object, in small pieces and in the order of names.

        The window is empty then: each row is let go when it is written, as to let go of all at once would take long.
        """
        tables = _Tables(self, registry, pace)
        tables.functions |= self.named
        yield from array("entries", (_entry_row(name, self.entries[name]) for name in sorted(self.entries)), pace)
        for name, rows in tables.named():
            yield ","
            yield from array(name, rows, pace)
        for name, table in self.more.items():
            yield ","
            yield from array(name, iter(table), pace)
        if self.rows is not None:
            for numbers in self.rows.mentioned():
                tables.functions.update(numbers)
                pace()
        functions = in_order(map(registry.functions.__getitem__, emptied(tables.functions)), lambda f: f.name, pace)
        yield ","
        yield from mapping("functions", ((function.name, function.to_dict()) for function in functions), pace)
        yield ","
        yield from mapping("statements", ((key, statements.to_dict(key)) for key in sorted(tables.statements)), pace)

    def to_dict(self, registry: Registry, statements: Statements) -> dict[str, Any]:
        """The tables of the window, read back from what is written."""
        found: dict[str, Any] = json.loads("{" + "".join(self.pieces(registry, statements)) + "}")
        return found


class _Tables:
    """Rows as they are asked for, and the functions and statements that those named which were."""

    def __init__(self, window: Window, registry: Registry, pace: Pace) -> None:
        self._registry, self._weights, self._pace, self._rows = registry, window.weights, pace, window.rows
        self._totals = [(name, window.totals[name]) for name in sorted(window.totals)]
        self.functions: set[int] = set()
        self.statements: set[str] = set()

    def named(self) -> Iterator[tuple[str, Iterator[dict[str, Any] | str]]]:
        """Each table with its rows, to be used up before the next one."""
        for name, rows in (
            ("calls", self._calls),
            ("queries", self._queries),
            ("per_call", self._per_call),
            ("dependencies", self._dependencies),
        ):
            yield name, itertools.chain.from_iterable(itertools.starmap(rows, self._totals))

    def _calls(self, entry: str, totals: Totals) -> Iterator[dict[str, Any] | str]:
        functions = itertools.chain(  # not a union of sets, which is one long step
            totals.calls,
            (number for number in totals.sampled if number not in totals.calls),
            (number for number in totals.supplements if number not in totals.calls and number not in totals.sampled),
        )
        unseen = unseen_below(totals, self._weights)
        for function in in_order(functions, self._peek, self._pace):
            exact = function not in totals.sampled
            calls, rate = weighted(totals, function, self._weights.get(function))
            if exact and function in unseen:
                calls = without_own(calls, unseen[function])
            yield {**self._call_row(entry, function, calls), **rate}
        if self._rows is not None:
            yield from self._rows.texts(entry, self._registry.functions)

    def _queries(self, entry: str, totals: Totals) -> Iterator[dict[str, Any]]:
        for key in in_order(totals.queries, self._order, self._pace):
            yield self._query_row(entry, key, totals.queries.pop(key))

    def _per_call(self, entry: str, totals: Totals) -> Iterator[dict[str, Any]]:
        rows = itertools.chain(totals.per_call, (r for r in totals.sampled_per_call if r not in totals.per_call))
        for row in in_order(rows, lambda row: (self._peek(row[0]), self._order(row[1])), self._pace):
            per_call, rate = weighted_per_call(totals, row, self._weights.get(row[0]))
            yield {**self._per_call_row(entry, *row, per_call), **rate}

    def _dependencies(self, entry: str, totals: Totals) -> Iterator[dict[str, Any]]:
        def order(key: tuple[Endpoint, Site]) -> tuple[Endpoint, str, Site]:
            return key[0], self._peek(key[1][0]), key[1]

        for endpoint, site in in_order(totals.dependencies, order, self._pace):
            yield _dependency_row(entry, endpoint, self._site(site), totals.dependencies.pop((endpoint, site)))

    def _peek(self, function: int) -> str:
        return self._registry.functions[function].name

    def _order(self, key: Key) -> tuple[str, str, int]:
        return key[0], self._peek(key[1][0]), key[1][2]

    def _name(self, function: int) -> str:
        if function:
            self.functions.add(function)
        return self._peek(function)

    def _site(self, site: Site) -> dict[str, Any]:
        return {"function": self._name(site[0]), "file": site[1], "line": site[2]}

    def _call_row(self, entry: str, function: int, totals: CallTotals) -> dict[str, Any]:
        wall, calls = totals.wall, totals.own.count
        if wall.count > calls:  # folded between the two reports of the end of a call
            wall = wall.scaled(calls)
        return {
            "function": self._name(function),
            "entry": entry,
            "calls": calls,
            "errors": dict(sorted(totals.errors.items())),
            "wall": wall.to_dict(),
            "own": totals.own.to_dict(),
            "callers": {self._name(caller): n for caller, n in sorted(totals.callers.items()) if n},
        }

    def _query_row(self, entry: str, key: Key, totals: QueryTotals) -> dict[str, Any]:
        self.statements.add(key[0])
        return {
            "statement": key[0],
            **self._site(key[1]),
            "entry": entry,
            "executions": totals.wall.count,
            "errors": dict(sorted(totals.errors.items())),
            "wall": totals.wall.to_dict(),
            "rows": totals.rows,
        }

    def _per_call_row(self, entry: str, function: int, key: Key, totals: PerCallTotals) -> dict[str, Any]:
        self.statements.add(key[0])
        return {
            "function": self._name(function),
            "statement": key[0],
            "site": self._site(key[1]),
            "entry": entry,
            "calls": totals.executions.count,
            "executions": totals.executions.to_dict(),
            "identical": totals.identical,
            "time_ns": totals.time,
            "driver": self._driver(totals),
        }

    def _driver(self, totals: PerCallTotals) -> dict[str, Any] | None:
        """The most frequent driving statement; ties are broken by its id and place."""
        if not totals.drivers:
            return None
        key = min(totals.drivers, key=lambda key: (-totals.drivers[key].values[0], self._order(key)))
        self.statements.add(key[0])
        names = ("n", "sum_x", "sum_y", "sum_xx", "sum_xy", "sum_yy")
        sums = dict(zip(names, totals.drivers[key].values))
        return {"statement": key[0], "site": self._site(key[1]), **sums}


def _dependency_row(entry: str, endpoint: Endpoint, site: dict[str, Any], totals: DependencyTotals) -> dict[str, Any]:
    kind, peer, operation = endpoint
    return {
        "kind": kind,
        "peer": peer,
        "operation": operation,
        **site,
        "entry": entry,
        "calls": totals.wall.count,
        "errors": dict(sorted(totals.errors.items())),
        "timeouts": totals.timeouts,
        "retries": totals.retries,
        "wall": totals.wall.to_dict(),
    }


def _entry_row(name: str, totals: EntryTotals) -> dict[str, Any]:
    return {
        "entry": name,
        "kind": totals.kind,
        "calls": totals.wall.count,
        "errors": dict(sorted(totals.errors.items())),
        "status": dict(sorted(totals.status.items())),
        "wall": totals.wall.to_dict(),
        "queries": totals.queries.to_dict(),
    }

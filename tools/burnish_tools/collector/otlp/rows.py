"""The rows of one window while it is being filled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from burnish_tools.collector.otlp.distribution import Distribution
from burnish_tools.collector.otlp.names import OTHER, PSEUDO
from burnish_tools.collector.otlp.span import Dependency, Entry

Json = dict[str, object]
OTHER_STATEMENT = hashlib.sha256(OTHER.encode()).hexdigest()[:16]
KINDS = frozenset({"http", "rpc", "redis", "memcached"})
MOST_TYPES = 50
"""Types of errors of one row; a name beyond them is made of data."""
_Key = TypeVar("_Key")


class Site(NamedTuple):
    """A call site."""

    function: str
    file: str
    line: int

    def row(self) -> Json:
        """As in the window format."""
        return self._asdict()


class Ran:
    """What one call of a function ran of one statement."""

    __slots__ = ("driver", "executions", "identical", "seen", "time")

    def __init__(self) -> None:
        self.executions = self.identical = self.time = 0
        self.seen: set[str] = set()
        self.driver: tuple[str, Site] | None = None


class _Row:
    __slots__ = ("calls", "counts", "distribution", "errors", "extra", "known", "other", "sums")

    def __init__(self) -> None:
        self.calls = self.extra = self.other = 0
        self.known = False
        self.errors: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.distribution, self.sums = Distribution(), Distribution()


class _Driver:
    __slots__ = ("n", "x", "xx", "xy", "y", "yy")

    def __init__(self) -> None:
        self.n = self.x = self.y = self.xx = self.xy = self.yy = 0


class Rows:
    """Entries, calls, queries, statements per call and dependencies; new names beyond `max_names` are `<other>`."""

    def __init__(self, max_names: int, texts: Mapping[str, tuple[str, str]]) -> None:
        self._max, self._texts = max_names, texts
        self._functions: dict[str, tuple[str, int]] = {}
        self._statements: dict[str, tuple[str, str]] = {}
        self._names: dict[str, set[str]] = {"entries": set(), "dependencies": set()}
        self._entries: dict[str, _Row] = {}
        self._kinds: dict[str, str] = {}
        self._calls: dict[tuple[str, str], _Row] = {}
        self._queries: dict[tuple[str, Site, str], _Row] = {}
        self._per_call: dict[tuple[str, str, Site, str], _Row] = {}
        self._drivers: dict[tuple[str, str, Site, str], dict[tuple[str, Site], _Driver]] = {}
        self._dependencies: dict[tuple[str, str, str, Site, str], _Row] = {}
        self.dropped: dict[str, int] = {}
        """Calls and executions that were counted under `<other>`, and other counters of the window, by kind."""

    def drop(self, kind: str, n: int = 1) -> None:
        """Counts what could not be told in full."""
        self.dropped[kind] = self.dropped.get(kind, 0) + n

    def function(self, name: str, file: str, line: int) -> str:
        """The function's name here."""
        if name not in self._functions:
            if len(self._functions) >= self._max:
                self.drop("functions")
                name, file, line = PSEUDO + OTHER, "", 0
            self._functions[name] = file, line
        return name

    def statement(self, key: str) -> str:
        """The statement's id here."""
        if key not in self._statements:
            if len(self._statements) >= self._max or key not in self._texts:
                self.drop("statements")
                key = OTHER_STATEMENT
            self._statements[key] = self._texts.get(key, (OTHER, ""))
        return key

    def _named(self, kind: str, name: str) -> str:
        names = self._names[kind]
        if name not in names:
            if len(names) >= self._max:
                self.drop(kind)
                return OTHER
            names.add(name)
        return name

    def entry(self, entry: Entry, error: str, wall: int, queries: int) -> None:
        """One call of an entry; `wall` in ns."""
        name = self._named("entries", entry.name)
        row = _at(self._entries, name)
        self._kinds.setdefault(name, entry.kind)
        row.calls += 1
        _count(row.errors, error)
        _count(row.counts, entry.status)
        row.distribution.record(wall)
        row.sums.record(queries)

    def call(self, function: str, entry: str, error: str, wall: int | None, own: int, caller: str) -> None:
        """One call of a function; `wall` None within a call of the same function."""
        row = _at(self._calls, (function, self._entry(entry)))
        row.calls += 1
        _count(row.errors, error)
        row.counts[caller] = row.counts.get(caller, 0) + 1
        if wall is not None:
            row.distribution.record(wall)
        row.sums.record(own)

    def query(self, statement: str, site: Site, entry: str, error: str, wall: int, rows: int | None) -> None:
        """One execution of a statement."""
        row = _at(self._queries, (statement, site, self._entry(entry)))
        row.calls += 1
        _count(row.errors, error)
        row.distribution.record(wall)
        if rows is not None:
            row.known, row.extra = True, row.extra + rows

    def per_call(self, function: str, statement: str, site: Site, entry: str, ran: Ran, x: int) -> None:
        """What one call of a function ran of a statement; `x` rows came from its driver."""
        key = function, statement, site, self._entry(entry)
        row = _at(self._per_call, key)
        row.calls += 1
        row.extra += ran.identical
        row.other += ran.time
        row.distribution.record(ran.executions)
        if ran.driver is not None and ran.executions >= 2:
            drivers = self._drivers.setdefault(key, {})
            sums, y = drivers.setdefault(ran.driver, _Driver()), ran.executions
            sums.n += 1
            sums.x, sums.y = sums.x + x, sums.y + y
            sums.xx, sums.xy, sums.yy = sums.xx + x * x, sums.xy + x * y, sums.yy + y * y

    def dependency(self, what: Dependency, site: Site, entry: str, error: str, wall: int) -> None:
        """One call of another service. A retry is a span of its own: it adds to the retries and the time, no call."""
        called = what.kind, what.peer, what.operation
        if self._named("dependencies", " ".join(called)) == OTHER:
            called = what.kind if what.kind in KINDS else OTHER, OTHER, OTHER
        row = _at(self._dependencies, (*called, site, self._entry(entry)))
        row.calls += not what.retry
        row.extra += what.retry
        row.other += what.timeout
        _count(row.errors, error)
        row.distribution.record(wall)

    def _entry(self, entry: str) -> str:
        return self._named("entries", entry) if entry else ""

    def parts(self) -> Json:
        """The keys of a window that are about calls, in a fixed order of rows."""
        return {
            "functions": {name: _definition(name, *where) for name, where in sorted(self._functions.items())},
            "statements": {key: {"text": told[0], "system": told[1]} for key, told in sorted(self._statements.items())},
            "entries": [
                {"entry": entry, "kind": self._kinds[entry], "calls": row.calls, "errors": row.errors,
                 "status": row.counts,
                 "wall": row.distribution.row(), "queries": row.sums.row()}
                for entry, row in sorted(self._entries.items())
            ],
            "calls": [
                {"function": function, "entry": entry, "calls": row.calls, "errors": row.errors,
                 "wall": row.distribution.row(), "own": row.sums.row(), "callers": row.counts}
                for (function, entry), row in sorted(self._calls.items())
            ],
            "queries": [
                {"statement": statement, **site.row(), "entry": entry, "executions": row.calls, "errors": row.errors,
                 "wall": row.distribution.row(), "rows": row.extra if row.known else None}
                for (statement, site, entry), row in sorted(self._queries.items())
            ],
            "per_call": [
                {"function": key[0], "statement": key[1], "site": key[2].row(), "entry": key[3], "calls": row.calls,
                 "executions": row.distribution.row(), "identical": row.extra, "time_ns": row.other,
                 "driver": self._driver(key)}
                for key, row in sorted(self._per_call.items())
            ],
            "dependencies": [
                {"kind": kind, "peer": peer, "operation": operation, **site.row(), "entry": entry, "calls": row.calls,
                 "errors": row.errors, "timeouts": row.other, "retries": row.extra, "wall": row.distribution.row()}
                for (kind, peer, operation, site, entry), row in sorted(self._dependencies.items())
            ],
        }  # fmt: skip

    def _driver(self, key: tuple[str, str, Site, str]) -> Json | None:
        """The most frequent one."""
        found = self._drivers.get(key)
        if not found:
            return None
        (statement, site), d = min(found.items(), key=lambda item: (-item[1].n, item[0]))
        sums = {"sum_x": d.x, "sum_y": d.y, "sum_xx": d.xx, "sum_xy": d.xy, "sum_yy": d.yy}
        return {"statement": statement, "site": site.row(), "n": d.n, **sums}


def _at(table: dict[_Key, _Row], key: _Key) -> _Row:
    row = table.get(key)
    if row is None:
        row = table[key] = _Row()
    return row


def _count(counts: dict[str, int], name: str) -> None:
    if name:
        if len(counts) >= MOST_TYPES and name not in counts:
            name = OTHER
        counts[name] = counts.get(name, 0) + 1


def _definition(name: str, file: str, line: int) -> Json:
    kind = "span" if name.startswith(PSEUDO) else "function"
    return {"file": file, "line": line, "end_line": line, "body": "", "kind": kind}

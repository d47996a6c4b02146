"""Folds what contexts hold into sums: one ``Totals`` for each entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from ..queries.dependencies import Dependency, Endpoint
from ..queries.log import CallQueries, Execution, Key, KeyQueries, Site
from .context import Context, Edge
from .histogram import Counts, Histogram, apportion
from .meter import Meter
from .sampling import Sampling
from .work import Work

_ROWS_PER_TABLE = 20_000


def take(values: list[Any]) -> list[Any]:
    """Take what a list holds while other threads append to it: each step is atomic, nothing is lost."""
    count = len(values)
    taken = values[:count]
    del values[:count]
    return taken


class CallTotals:
    """A call row being summed."""

    def __init__(self) -> None:
        self.errors: Counter[str] = Counter()
        self.callers: Counter[int] = Counter()
        #: wall time by caller, in ns
        self.caller_walls: Counter[int] = Counter()
        self.wall = Histogram()
        self.own = Histogram()

    def add(self, edge: Edge, meter: Meter | None = None) -> None:
        walls = take(edge.walls)  # first, as a call appends it last: never more of them than of its own times
        owns = take(edge.owns)
        self.callers[edge.caller] += len(owns)
        wall = sum(walls)
        self.caller_walls[edge.caller] += wall
        self.own.extend(owns)
        self.wall.extend(walls)
        self.errors.update(take(edge.errors))
        if meter is not None:
            meter.calls[edge.function] += len(owns)
            meter.wall[edge.function] += wall

    def add_counts(
        self, callers: dict[int, tuple[int, int]], wall: Counts, own: Counts, errors: dict[str, int]
    ) -> None:
        """Add what was summed already; ``callers`` with the number of calls and their wall time."""
        for caller, (calls, ns) in callers.items():
            self.callers[caller] += calls
            self.caller_walls[caller] += ns
        self.wall.add_counts(wall)
        self.own.add_counts(own)
        self.errors.update(errors)

    def merge(self, other: CallTotals) -> None:
        self.errors.update(other.errors)
        self.callers.update(other.callers)
        self.caller_walls.update(other.caller_walls)
        self.own.merge(other.own)
        self.wall.merge(other.wall)

    def merge_sampled(self, other: CallTotals, weight: float) -> None:
        """Add calls each of which stands for ``weight`` calls, without their errors."""
        calls = round(other.own.count * weight)
        self.callers.update(apportion(other.callers, calls))
        self.caller_walls.update({caller: round(wall * weight) for caller, wall in other.caller_walls.items()})
        self.own.merge(other.own.scaled(calls))
        self.wall.merge(other.wall.scaled(round(other.wall.count * weight)))


class QueryTotals:
    """A query row being summed."""

    def __init__(self) -> None:
        self.wall = Histogram()
        self.rows: int | None = None
        self.errors: Counter[str] = Counter()

    def add(self, execution: Execution) -> None:
        again = execution.counted is not None
        rows = execution.take_rows()
        if rows is not None:
            self.rows = (self.rows or 0) + rows
        if again:
            return
        self.wall.add(execution.wall)
        if execution.error:
            self.errors[execution.error] += 1

    def add_counts(self, wall: Counts, rows: int | None, errors: dict[str, int]) -> None:
        """Add what was summed already."""
        self.wall.add_counts(wall)
        self.errors.update(errors)
        if rows is not None:
            self.rows = (self.rows or 0) + rows

    def merge(self, other: QueryTotals) -> None:
        self.wall.merge(other.wall)
        self.errors.update(other.errors)
        if other.rows is not None:
            self.rows = (self.rows or 0) + other.rows


class DriverSums:
    """Sums for the regression of executions (y) on rows of the driving statement (x)."""

    def __init__(self) -> None:
        self.values = [0, 0, 0, 0, 0, 0]

    def add(self, x: int, y: int) -> None:
        self.values = [a + b for a, b in zip(self.values, (1, x, y, x * x, x * y, y * y))]

    def add_sums(self, sums: list[float]) -> None:
        """Sums made elsewhere; whole numbers."""
        self.values = [a + int(b) for a, b in zip(self.values, sums)]

    def merge(self, other: DriverSums) -> None:
        self.values = [a + b for a, b in zip(self.values, other.values)]


class PerCallTotals:
    """A statements-per-call row being summed."""

    def __init__(self) -> None:
        self.executions = Histogram()
        self.identical = 0
        self.time = 0
        self.drivers: defaultdict[Key, DriverSums] = defaultdict(DriverSums)

    def add(self, queries: KeyQueries, driver: Key | None, driver_rows: int) -> None:
        self.executions.add(queries.n)
        self.identical += queries.identical
        self.time += queries.time
        if driver is not None:
            self.drivers[driver].add(driver_rows, queries.n)

    def add_counts(
        self,
        executions: Counts,
        identical: int,
        time: int,
        drivers: Iterable[tuple[Key, float, float, float, float, float, float]],
    ) -> None:
        """Add what was summed already; a driver with n, Σx, Σy, Σx², Σxy, Σy²."""
        self.executions.add_counts(executions)
        self.identical += identical
        self.time += time
        for driver, *sums in drivers:
            self.drivers[driver].add_sums(sums)

    def merge_sampled(self, other: PerCallTotals, weight: float) -> None:
        """Add calls each of which stands for ``weight`` calls."""
        calls = round(other.executions.count * weight)
        factor = calls / other.executions.count
        self.executions.merge(other.executions.scaled(calls))
        self.identical += round(other.identical * factor)
        self.time += round(other.time * factor)
        for key, sums in other.drivers.items():
            self.drivers[key].add_sums([round(value * factor) for value in sums.values])

    def merge(self, other: PerCallTotals) -> None:
        self.executions.merge(other.executions)
        self.identical += other.identical
        self.time += other.time
        for key, sums in other.drivers.items():
            self.drivers[key].merge(sums)


class DependencyTotals:
    """A dependency row being summed."""

    def __init__(self) -> None:
        self.wall = Histogram()
        self.errors: Counter[str] = Counter()
        self.timeouts = 0
        self.retries = 0

    def add(self, call: Dependency) -> None:
        self.wall.add(call.wall)
        self.timeouts += call.timed_out
        self.retries += call.retries
        if call.error:
            self.errors[call.error] += 1

    def merge(self, other: DependencyTotals) -> None:
        self.wall.merge(other.wall)
        self.errors.update(other.errors)
        self.timeouts += other.timeouts
        self.retries += other.retries


class Totals:
    """What one entry did."""

    def __init__(self) -> None:
        self.calls: defaultdict[int, CallTotals] = defaultdict(CallTotals)
        #: of functions of which only some calls were recorded
        self.sampled: defaultdict[int, CallTotals] = defaultdict(CallTotals)
        #: of functions of which calls were counted only: recorded calls of another window, and their weight
        self.supplements: dict[int, tuple[CallTotals, float]] = {}
        self.queries: defaultdict[Key, QueryTotals] = defaultdict(QueryTotals)
        self.per_call: defaultdict[tuple[int, Key], PerCallTotals] = defaultdict(PerCallTotals)
        #: the same of functions of which only some calls were recorded
        self.sampled_per_call: defaultdict[tuple[int, Key], PerCallTotals] = defaultdict(PerCallTotals)
        self.dependencies: defaultdict[tuple[Endpoint, Site], DependencyTotals] = defaultdict(DependencyTotals)
        #: how many rows of statements per call there may be
        self.per_call_room = _ROWS_PER_TABLE
        self.dropped = 0
        self.dropped_dependencies = 0

    def has_calls(self) -> bool:
        """Whether a function was called."""
        return bool(self.calls or self.sampled)

    def drain(self, context: Work) -> None:
        """Take the dependencies that a context holds now."""
        calls = context.dependencies
        for call in take(calls) if isinstance(calls, list) else ():
            self._add_dependency(call)

    def drain_queries(self, context: Context, sampling: Sampling) -> None:
        """The same for what ran in it."""
        for execution in take(context.executions):
            sampling.ran_statement(execution.key[1][0], site=True)
            if execution.key in self.queries or self._has_room(self.queries):
                self.queries[execution.key].add(execution)
        for function, queries in take(context.returned):
            self._add_call(function, queries, function in sampling.shed)
            sampling.ran_statement(function, site=False)

    def _add_dependency(self, call: Dependency) -> None:
        if call.key in self.dependencies or len(self.dependencies) < _ROWS_PER_TABLE:
            self.dependencies[call.key].add(call)
        else:
            self.dropped_dependencies += 1

    def _add_call(self, function: int, queries: CallQueries, sampled: bool) -> None:
        table = self.sampled_per_call if sampled else self.per_call
        for key, record in queries.keys.items():
            row = (function, key)
            if not record.n or not (row in table or self._has_room(table)):
                continue
            driver = queries.driver_of(key) if record.n >= 2 else None
            rows = queries.keys[driver].rows if driver in queries.keys else 0
            table[row].add(record, driver, rows)

    def add_query(self, key: Key, wall: Counts, rows: int | None, errors: dict[str, int]) -> None:
        """Add what was summed already of the executions of a statement at a call site."""
        if key in self.queries or self._has_room(self.queries):
            self.queries[key].add_counts(wall, rows, errors)

    def add_use(
        self,
        function: int,
        sampled: bool,
        key: Key,
        executions: Counts,
        identical: int,
        time: int,
        drivers: Iterable[tuple[Key, float, float, float, float, float, float]],
    ) -> None:
        """Add what was summed already of the calls of a function that ran one statement."""
        table = self.sampled_per_call if sampled else self.per_call
        if (function, key) in table or self._has_room(table):
            table[function, key].add_counts(executions, identical, time, drivers)

    def _has_room(self, table: dict[Any, Any]) -> bool:
        bounded = table is self.per_call or table is self.sampled_per_call
        if len(table) < (self.per_call_room if bounded else _ROWS_PER_TABLE):
            return True
        self.dropped += 1
        return False

    def merge(self, other: Totals) -> None:
        """Add what was folded before the name of an entry was known."""
        for function, calls in other.calls.items():
            self.calls[function].merge(calls)
        for function, calls in other.sampled.items():
            self.sampled[function].merge(calls)
        for key, queries in other.queries.items():
            self.queries[key].merge(queries)
        for row, per_call in other.per_call.items():
            self.per_call[row].merge(per_call)
        for row, per_call in other.sampled_per_call.items():
            self.sampled_per_call[row].merge(per_call)
        for endpoint, dependency in other.dependencies.items():
            self.dependencies[endpoint].merge(dependency)
        self.dropped += other.dropped
        self.dropped_dependencies += other.dropped_dependencies

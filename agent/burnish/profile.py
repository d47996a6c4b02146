"""What production did in a span of time, as the decisions read it: one release of one service, function by function.

A `Profile` is the merge of all windows in its span. It answers "how often, how long, which queries"; where an interval
is needed, the `Series` of a function gives the windows one by one (the unit that is independent enough to resample).
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

from burnish.finding import Model, Site
from burnish.histogram import Histogram


class Release(Model):
    """A release as the data shows it."""

    name: str
    """Git commit where it could be found, else a version, else `unknown`."""
    first_unix_ns: int
    last_unix_ns: int
    windows: int
    calls: int
    """Calls of entries."""


class EntryStats(Model):
    """One entry: `GET products/<int:pk>/`."""

    entry: str
    kind: str
    calls: int
    errors: dict[str, int]
    wall: Histogram
    """Nanoseconds."""
    queries: Histogram
    """SQL executions per call."""


class FunctionStats(Model):
    """One function, over all entries that led to it."""

    function: str
    file: str
    line: int
    end_line: int
    body: str
    kind: str
    calls: int
    errors: dict[str, int]
    wall: Histogram
    own: Histogram
    entries: dict[str, int]
    """Calls by entry."""
    callers: dict[str, int]
    """Calls by nearest application function above; `""` for none."""
    errors_of_sampling: tuple[float, float] = (0.0, 0.0)
    """Standard errors of the number of calls and of the sum of wall time (ns), where not all calls were recorded."""

    def __add__(self, other: FunctionStats) -> FunctionStats:
        """Both; the place and the code are the other's."""
        (calls, wall), (more_calls, more_wall) = self.errors_of_sampling, other.errors_of_sampling
        return other.model_copy(
            update={
                "calls": self.calls + other.calls,
                "errors": added(self.errors, other.errors),
                "wall": self.wall + other.wall,
                "own": self.own + other.own,
                "entries": added(self.entries, other.entries),
                "callers": added(self.callers, other.callers),
                "errors_of_sampling": (math.hypot(calls, more_calls), math.hypot(wall, more_wall)),
            }
        )


def added(one: dict[str, int], two: dict[str, int]) -> dict[str, int]:
    """Counts of both, by name."""
    return {name: one.get(name, 0) + two.get(name, 0) for name in sorted({*one, *two})}


class QueryStats(Model):
    """One statement at one call site, over all entries."""

    statement_id: str
    statement: str
    system: str
    site: Site
    executions: int
    errors: dict[str, int]
    wall: Histogram
    rows: int | None
    entries: dict[str, int]
    """Executions by entry."""


class Driver(Model):
    """Regression sums of executions (y) on rows of the driving statement (x), over calls with ≥ 2 executions."""

    statement_id: str
    statement: str
    site: Site
    n: int
    sum_x: float
    sum_y: float
    sum_xx: float
    sum_xy: float
    sum_yy: float


class FanOut(Model):
    """How often one call of `function` (its callees included) ran one statement."""

    function: str
    statement_id: str
    statement: str
    system: str
    site: Site
    entries: dict[str, int]
    """Calls by entry in which it ran."""
    calls: int
    executions: Histogram
    identical: int
    time_ns: int
    driver: Driver | None


class DependencyStats(Model):
    """Calls of one other service from one place, over all entries."""

    kind: str
    """`http`, `redis`, `memcached`"""
    peer: str
    """`host:port`"""
    operation: str
    """An HTTP method or a command's name."""
    site: Site
    calls: int
    errors: dict[str, int]
    timeouts: int
    retries: int
    wall: Histogram
    """Nanoseconds, retries included."""
    entries: dict[str, int]
    """Calls by entry."""


class LineTime(Model):
    """Self time of one line, from a sampling profile of production."""

    function: str
    """`module:Qualified.name` where the profile tells the module, else the bare name."""
    file: str
    line: int
    share: float
    """Of all samples in the profile, 0–1."""
    samples: int


class LeftOut(Model):
    """What a profile of very many functions does not hold: those that cost least, by whatever measure."""

    functions: int
    """Versions of functions; asked by name, the profile knows them."""
    own_share: float
    """Their own time as a share of that of all functions (0–1)."""
    statements: int
    """Statements, by call site."""
    statement_share: float
    """Their time as a share of that of all statements (0–1)."""


class Profile(Model):
    """All of one release of one service in a span."""

    service: str
    environment: str
    release: str
    start_unix_ns: int
    end_unix_ns: int
    observed_seconds: float
    """Wall-clock time covered by windows of at least one instance: what rates are divided by."""
    windows: int
    instances: int
    entries: tuple[EntryStats, ...]
    functions: tuple[FunctionStats, ...]
    queries: tuple[QueryStats, ...]
    fan_outs: tuple[FanOut, ...]
    dependencies: tuple[DependencyStats, ...] = ()
    dropped: dict[str, int] = {}
    """What the sensor had to leave out, by kind."""
    lines: tuple[LineTime, ...] = ()
    """Self time by line, where a sampling profiler has looked at the release."""
    left_out: LeftOut | None = None
    """None where everything is here."""

    @property
    def minutes(self) -> float:
        """Observed time in minutes; never 0."""
        return max(self.observed_seconds / 60, 1e-9)

    def function(self, name: str) -> FunctionStats | None:
        """By name; None where it was not seen."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, FunctionStats]:
        return {f.function: f for f in self.functions}


class Point(Model):
    """One window of one instance for one (function, entry)."""

    start_unix_ns: int
    seconds: float
    instance: str
    entry: str
    calls: int
    wall_ns: float
    """Sum over the calls."""
    queries: float
    """SQL executions inside the function, its callees included."""


class Series(Model):
    """A function window by window, in one release."""

    function: str
    release: str
    points: tuple[Point, ...]


class Stretch(NamedTuple):
    """One hour or day of one (function, entry) in one release: only sums, so that months of them are read quickly.

    In the order of its fields: by time, release, function and entry.
    """

    start_unix_ns: int
    release: str
    function: str
    """`""` for the entry itself."""
    entry: str
    calls: int
    wall_ns: float
    """Sum over the calls."""
    own_ns: float
    """Sum over the calls; 0 for an entry."""
    queries: float
    """SQL executions inside, callees included."""
    errors: int


class Deployment(Model):
    """A release that went out, as somebody or something marked it."""

    release: str
    unix_ns: int
    by: str = ""
    """Who or what said so, such as `ci`."""


class TableWrites(Model):
    """What the database itself says of a table."""

    table: str
    rows: int
    bytes: int
    writes_per_minute: float
    """Inserts, updates and deletes, from its statistics since `since_unix_ns`."""
    since_unix_ns: int

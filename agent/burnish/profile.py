"""What production did in a span of time, as the decisions read it: one release of one service, function by function.

A `Profile` is the merge of all windows in its span. It answers "how often, how long, which queries"; where an interval
is needed, the `Series` of a function gives the windows one by one (the unit that is independent enough to resample).
"""

from __future__ import annotations

from burnish.histogram import Histogram
from burnish.job import Model, Site


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
    dropped: dict[str, int] = {}
    """What the sensor had to leave out, by kind."""

    @property
    def minutes(self) -> float:
        """Observed time in minutes; never 0."""
        return max(self.observed_seconds / 60, 1e-9)

    def function(self, name: str) -> FunctionStats | None:
        """By name; None where it was not seen."""
        return next((f for f in self.functions if f.function == name), None)


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

"""The values of the view of one function. Times are ns, rates per minute, shares 0–1."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from burnish.finding import Finding, Interval, Model, Site
from burnish.job import Job


class Status(str, Enum):
    """What the data have of the function."""

    SEEN = "seen"
    SILENT = "silent"
    """It ran in an older release; in this one it was not called."""
    UNKNOWN = "unknown"
    """It never ran under observation."""


class Times(Model):
    """A distribution of times in ns; quantiles are to the bucket (4.5 %)."""

    mean: Interval
    p50: float
    p90: float
    p99: float
    most: float


class SlowWhen(Model):
    """A condition that explains slow calls."""

    text: str
    calls: Interval
    """Its share of the calls."""
    slow_time: Interval
    """Its share of the time in slow calls."""
    p99_ns: float


class Share(Model):
    """An entry or a caller, or a function that is called."""

    name: str
    calls_per_minute: float
    per_call: float = 0.0
    """Of a function that is called: how often one call calls it."""
    time_share: float | None = None
    """Of an entry: the share of its time that goes by in the function; None where the hours do not tell."""


class Statement(Model):
    """A statement that one call runs, itself or in what it calls."""

    statement: str
    site: Site
    executions_per_call: float
    p90: float
    """Executions in one call that ran it at all."""
    identical: float
    """Share of the executions that repeat parameters of the same call."""
    ns_per_call: float


class Dependency(Model):
    """Another service that it calls itself."""

    what: str
    """`http pay.internal:443 POST`"""
    calls_per_call: float
    mean_ns: float
    failures: Interval
    """Share of the calls that failed, with Wilson's 95 % interval (Brown, Cai & DasGupta 2001)."""
    timeouts: int
    retries: int


class Changed(Model):
    """A release in which the body of the function is another than in the one before."""

    release: str
    first_unix_ns: int
    before: Interval | None
    """Mean time of one call in the release before it; not corrected for another mix of entries."""
    after: Interval | None
    calls_before: int
    calls_after: int


class Confidence(Model):
    """How much data is behind it."""

    calls: int
    windows: int
    instances: int
    observed_hours: float
    last_unix_ns: int
    """When it was last called, to the window; 0 where that is not known."""
    data_until_unix_ns: int
    calls_error: float
    """Half of the 95 % interval of the number of calls that comes from sampling, as a share of it; 0: all counted."""
    recorded_one_in: float
    """How many calls one recorded call stood for, in the windows that were looked at; 1: all were recorded."""


class FunctionView(Model):
    """All of it. Empty tuples and None mean that the data have nothing; `no_data` says so in words."""

    function: str
    service: str
    environment: str
    release: str
    status: Status
    no_data: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    site: Site | None = None
    kind: str = ""
    body: str = ""
    calls_per_minute: Interval | None = None
    wall: Times | None = None
    own_share: float | None = None
    errors: Mapping[str, int] = {}
    slow_when: tuple[SlowWhen, ...] = ()
    looked_at: int = 0
    """Calls from which the conditions were estimated."""
    entries: tuple[Share, ...] = ()
    callers: tuple[Share, ...] = ()
    callees: tuple[Share, ...] = ()
    statements: tuple[Statement, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    changed: tuple[Changed, ...] = ()
    findings: tuple[Finding, ...] = ()
    jobs: tuple[Job, ...] = ()
    confidence: Confidence

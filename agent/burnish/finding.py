"""What production says, as values: what a detector found, and its place in the order of work. Frozen models.

Times in production data are nanoseconds (`*_ns`), rates are per minute, shares are 0–1.
"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from burnish.why import Why

_MINUTES_PER_WEEK = 7 * 24 * 60


class Model(BaseModel):
    """Frozen, no unknown keys: what every value here is."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # most commands use few of them


class Interval(Model):
    """A measured value with its 95 % confidence interval; `n` independent samples behind it."""

    value: float
    low: float
    high: float
    n: int


class Site(Model):
    """A place in the service's code."""

    function: str
    """`module:Qualified.name`"""
    file: str
    line: int


class EntryShare(Model):
    """How much of a function's traffic comes through one entry (`GET products/`)."""

    entry: str
    calls_per_minute: float


class Evidence(Model):
    """What a detector saw. Only the fields that its kind of finding needs are filled."""

    statement: str = ""
    """Normalised SQL: placeholders, no literal."""
    statement_id: str = ""
    site: Site | None = None
    """Where the statement is issued (nearest application function and line)."""
    path: tuple[str, ...] = ()
    """Application functions from the judged one down to the site, where known."""
    executions_per_call: float = 0.0
    executions_p90: float = 0.0
    identical_per_call: float = 0.0
    slope: Interval | None = None
    """Executions per row of the driving statement; about 1 proves that the repetition grows with the data."""
    driver: str = ""
    driver_site: Site | None = None
    table: str = ""
    columns: tuple[str, ...] = ()
    """For an index: equality columns, then range, then order; a leading `-` means descending."""
    index_where: str = ""
    """For a partial index, the rows that it holds: `deleted_at IS NULL`."""
    table_rows: int = 0
    writes_per_minute: float = 0.0
    plan: tuple[str, ...] = ()
    """The database's own plan for the statement, line by line."""
    own_share: float = 0.0
    """Share of the function's wall time that is its own."""
    conditions: tuple[str, ...] = ()
    """Under which the function is slow: `arg.items.size ≥ 512`; of several, all hold together."""
    slow_share: Interval | None = None
    """Share of the slow time under these conditions (0–1), measured on windows in which they were not looked for."""
    lift: float = 0.0
    """That share divided by their share of the calls."""
    support: int = 0
    """Calls that were looked at and for which the conditions hold."""
    peer: str = ""
    """The other service, `host:port`."""
    failure_share: Interval | None = None
    """Share of calls that fail (0–1)."""
    before: Interval | None = None
    """Mean wall time of one call before a change, ns."""
    after: Interval | None = None
    """The same after it."""
    since_release: str = ""
    """The release that brought the change, where one did."""
    since_unix_ns: int = 0
    """When it began."""
    suspects: tuple[str, ...] = ()
    """Functions whose code changed in that release, the likeliest first."""
    notes: tuple[str, ...] = ()
    """Further facts, as sentences."""


class Finding(Model):
    """Something measured in production that a small change could make cheaper."""

    kind: str
    """The detector's name: `n_plus_one`, `repeated_query`, `missing_index`, `cpu_hot` …"""
    function: str
    file: str
    line: int
    body: str
    """Hash of the function's normalised body, from the runtime data: the finding is about this code."""
    release: str
    entries: tuple[EntryShare, ...]
    calls_per_minute: Interval
    wall_ns: Interval
    """Mean wall time of one call of `function`."""
    removable_ns: float
    """Time per call that a fix removes, as a lower bound."""
    removable_queries: float = 0.0
    evidence: Evidence

    informs: bool = False
    """It is told and never proposed: what to do about it is for people to decide (a flaky dependency, dead code)."""

    @property
    def seconds_per_week(self) -> float:
        """What the cause costs in a week, at least: wall time in seconds."""
        return max(self.calls_per_minute.low, 0.0) * self.removable_ns * _MINUTES_PER_WEEK / 1e9

    @property
    def queries_per_minute(self) -> float:
        """Queries that it causes in a minute, at least."""
        return max(self.calls_per_minute.low, 0.0) * self.removable_queries

    @property
    def fingerprint(self) -> str:
        """Names the cause, not the place: the kind, the function, its body and the statement, and where there is one
        the peer, the conditions, the release that brought it. 12 hex digits."""
        seen = self.evidence
        cause = "\0".join((self.kind, self.function, self.body, seen.statement_id))
        more = (seen.peer, *seen.conditions, seen.since_release)
        if any(more):
            cause = "\0".join((cause, *more))
        return hashlib.sha256(cause.encode()).hexdigest()[:12]


class Passed(Model):
    """Something that was looked at and left alone, with the reason."""

    function: str
    by: str
    """Who passed it over: a detector, `rank`, a recipe."""
    why: Why
    detail: str = ""
    fingerprint: str = ""
    kind: str = ""
    """Of the finding that was passed over; empty where it was no finding yet."""


class Told(Model):
    """A finding that is shown to people and never proposed."""

    finding: Finding
    why: Why
    detail: str = ""


class Candidate(Model):
    """A finding with its place in the order of work."""

    finding: Finding
    saving_ns_per_minute: float
    """calls/min × removable time, both at the lower end of their intervals."""
    chance: float
    risk: float
    """≥ 1; the score is saving × chance ÷ risk."""

    @property
    def score(self) -> float:
        """Expected saving, ns per minute, discounted by risk."""
        return self.saving_ns_per_minute * self.chance / self.risk

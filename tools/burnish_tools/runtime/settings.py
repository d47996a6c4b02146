"""Where the dataset lies."""

from __future__ import annotations

from pydantic import Field

from burnish.settings import Section


class KeepSettings(Section):
    """How long the dataset is kept, by how finely it is told. What is shorter than that before it stays as long."""

    detail_hours: float = Field(6, gt=0)
    """Windows with all their distributions: a profile may begin within this time at any moment, before it at a full
    hour. A shift at work; it is most of what a window takes."""
    windows_hours: float = Field(48, gt=0)
    """Calls and time of functions window by window (10 s); then minute by minute. Two days show what a deployment did
    at once, in a sixth of the place."""
    minutes_days: float = Field(35, gt=0)
    """Calls and time of functions minute by minute, and how far back a profile reaches: verdicts compare with the
    release before, which may have run for weeks."""
    samples_days: float = Field(14, gt=0)
    """Calls that were looked at, with their facts: a rare spike, and one that comes weekly, is seen twice."""
    hours_days: float = Field(90, gt=0)
    """Sums and distributions by hour: a quarter, for what depends on the hour of the week."""
    days_days: float = Field(400, gt=0)
    """Sums and distributions by day: a year and a month, to compare a season with the last one; and deployments."""


class RuntimeSettings(Section):
    """The function-level dataset of the service."""

    database: str = ".burnish/runtime.sqlite3"
    """The file in which the dataset is kept; or `clickhouse://user@host:port/database` (`clickhouses://` for TLS) for a
    dataset past one machine (docs/scale.md)."""
    password_variable: str = "BURNISH_CLICKHOUSE_PASSWORD"
    """The environment variable that holds the password for ClickHouse."""
    windows: str = ".burnish/windows"
    """The directory into which the sensor writes its windows (BURNISH_OUTPUT)."""
    profiles: str = ""
    """A directory into which a sampling profiler of the service writes (py-spy's speedscope, pprof, sessions of
    pyinstrument); findings about hot functions then name the line. Files older than the release do not count."""
    keep: KeepSettings = KeepSettings()
    """How long it is kept."""

"""What a team may set about the decisions. Every section is a small frozen model; the adapters' stand beside them.

The whole configuration is put together in `burnish.app`, the composition root.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the configuration: frozen, unknown keys are errors. The sentence under a field describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ServiceSettings(Section):
    """The service that is watched and improved."""

    name: str
    """Its name in the runtime data (BURNISH_SERVICE)."""
    repository: str
    """Path or URL of its git repository; pull requests are made against it."""
    environment: str = "production"
    """Which environment's data count."""
    branch: str = "main"
    """The branch that is deployed."""
    root: str = "."
    """The application root inside the repository: what functions' files are relative to."""
    framework: Literal["auto", "django", "asgi", "wsgi", "none"] = "auto"
    """How the service is started for a replay: Django, an ASGI application (FastAPI, Starlette), a WSGI application
    (Flask), or not at all. `auto` sees which: manage.py, else `app`, else where an application is made."""
    app: str = ""
    """The application of a service that is not Django's: `ledger.main:app`, or `ledger.main:create_app()` where that is
    a factory; default: the one that is found in main.py, app.py, asgi.py or wsgi.py."""
    settings_module: str = ""
    """DJANGO_SETTINGS_MODULE; default: what manage.py says."""
    python: str = ""
    """Interpreter that has the service's dependencies; default: the one that runs Burnish."""
    database: str = ""
    """URL of its database (sqlite:///… or postgres://…), for reading plans; a read-only user is enough."""
    database_variable: str = "DATABASE_URL"
    """Environment variable through which the service is told its database. In a proof its URL begins as that of
    [proof] database: with the driver, where the service wants one (postgresql+asyncpg://…)."""
    access_log: str = ""
    """Access log in the common format; its GET requests are replayed, old against new."""


class ScheduleSettings(Section):
    """When a cycle starts."""

    cron: str = "0 3 * * mon-fri"
    """Minute, hour, day, month, weekday. Weekdays by name: digits mean different days to different programs."""
    timezone: str = "UTC"
    """IANA name of the time zone of `cron`."""


class LimitSettings(Section):
    """How much Burnish may do at once."""

    max_open: int = Field(3, ge=0)
    """Pull requests that may be open at the same time; 0 opens none."""
    max_new: int = Field(1, ge=0)
    """Pull requests that one cycle may open."""
    max_tries: int = Field(6, ge=1)
    """Candidates that one cycle may try before it stops, counting those that were declined."""


class RankSettings(Section):
    """Which candidates are worth a person's attention."""

    min_saving_ms_per_minute: float = Field(20.0, ge=0)
    """Expected saving below which a finding is left alone: milliseconds of the service's time in a minute."""
    quiet_paths: tuple[str, ...] = ()
    """Glob patterns of files that are left alone, relative to the application root."""
    observe: tuple[str, ...] = ()
    """Kinds of findings that are shown and never proposed."""


class VerdictSettings(Section):
    """When and how a deployed fix is judged."""

    settle_seconds: float = Field(1800.0, ge=0)
    """How long the new release must have been observed, after the warm-up."""
    patience_days: float = Field(14.0, ge=0)
    """How long to wait for enough calls after the deployment before the job ends without a verdict."""
    warmup_seconds: float = Field(60.0, ge=0)
    """Start of a release that does not count: caches are cold."""
    min_calls: int = Field(100, ge=1)
    """Calls of the function that each side needs."""
    min_windows: int = Field(8, ge=4)
    """Windows that each side needs; they are what is resampled for the interval."""
    noise: float = Field(0.03, ge=0, lt=1)
    """Changes smaller than this share count as no change."""

"""What a team may set about proofs."""

from __future__ import annotations

from pydantic import Field

from burnish.settings import Section


class ProofSettings(Section):
    """How an edit is proven before a pull request is opened."""

    database: str = ""
    """URL of a copy of production-like data (a staging snapshot), sqlite:///… or postgres://…; never written. The
    service is given copies of it with the same scheme (postgresql+asyncpg://…, sqlite+aiosqlite:///…)."""
    test_command: tuple[str, ...] = ("{python}", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    """Runs the service's tests from its root. `{python}` is the service's interpreter; `--junitxml={junit}` is added
    unless the command names `{junit}` itself."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables that the service needs to start (test values only: repository code sees them). Nothing else of
    Burnish's own environment is passed on, but for PATH, LANG and TZ."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers sent with every replayed request, such as a session cookie that is valid on the snapshot: the access log
    does not tell who asked."""
    requests: int = Field(default=40, ge=2, le=1000)
    """Distinct recorded requests to replay; half of them is kept aside for the decision about cost."""
    calls: int = Field(default=200, ge=4, le=5000)
    """Distinct calls, captured from the service's own tests, to replay where no recorded request reaches the function;
    half of them is kept aside for the decision about cost."""
    generated_calls: int = Field(default=120, ge=0, le=5000)
    """Calls made out of the captured ones: other sizes, boundary values, another order."""
    call_seconds: float = Field(default=10.0, gt=0)
    """Limit for one replayed call. One that takes longer without the change is left out, with the change it fails."""
    access_log_bytes: int = Field(default=64 * 2**20, ge=2**12)
    """How much of the access log is read, counted from its end."""
    pairs: int = Field(default=20, ge=8, le=200)
    """Most rounds of old, new and old-again in fresh processes; fewer when the answer is clear before."""
    min_saving: float = Field(default=0.05, gt=0, lt=1)
    """Share of the function's time that a fix has to save, at the lower end of the interval."""
    max_memory_growth: float = Field(default=0.10, ge=0)
    """How much the peak memory of the replaying process may grow, as a share."""
    max_cold_growth: float = Field(default=0.20, ge=0)
    """How much longer the first requests after a start may take, as a share."""
    max_changed_lines: int = Field(default=60, ge=1)
    """Lines added plus lines removed, generated migrations not counted."""
    timeout_seconds: float = Field(default=600.0, gt=0)
    """Limit for one process that runs repository code (one test run, one replay)."""
    memory_limit_mb: int = Field(default=4096, ge=256)
    """Address space of such a process."""

"""Settings, from the environment only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

DRIVER = "postgresql+asyncpg"


@dataclass(frozen=True)
class Settings:
    """`pool_size` is the number of connections of one worker; `rates_ttl_s` how long exchange rates are kept, in s."""

    database_url: str
    pool_size: int = 10
    rates_ttl_s: float = 60.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises ValueError where DATABASE_URL is missing or is not PostgreSQL's."""
        return cls(
            database_url=async_url(environ.get("DATABASE_URL", "")),
            pool_size=int(environ.get("POOL_SIZE", "10")),
            rates_ttl_s=float(environ.get("RATES_TTL_S", "60")),
        )


def async_url(url: str) -> str:
    """The URL with the driver that SQLAlchemy is to use."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql", DRIVER) or not rest:
        raise ValueError(f"DATABASE_URL: expected postgres://user:pass@host:port/name, not {url!r}")
    return f"{DRIVER}://{rest}"

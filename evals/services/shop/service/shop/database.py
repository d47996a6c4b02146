"""DATABASE_URL to a Django database dictionary."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"


def parse(url):
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(parts.path)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(parts)
    raise ValueError(f"DATABASE_URL: unknown scheme {parts.scheme!r}, expected sqlite or postgres")


def _sqlite(path):
    if not path:
        raise ValueError("DATABASE_URL: sqlite needs an absolute path, as in sqlite:////srv/shop.sqlite3")
    # sqlite:///abs/path and sqlite:////abs/path are both in use in our deployments
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path("/" + unquote(path).lstrip("/"))),
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": 15, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS},
    }


def _postgres(parts):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }

"""What model calls cost, and the limit per day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from burnish.errors import DataError
from burnish.finding import Model
from burnish.protocols import Clock
from burnish_tools.model import ModelSettings

CACHE_WRITE, CACHE_READ = 1.25, 0.1
"""Price of cached input relative to plain input, as Anthropic publishes it for the five-minute cache."""
_CHARACTERS_PER_TOKEN = 2.5
"""Code is about three to four; a low number makes the estimate before a question an upper one."""

_SCHEMA = """CREATE TABLE IF NOT EXISTS spend (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, at_unix REAL NOT NULL, job TEXT NOT NULL, model TEXT NOT NULL,
    prompt TEXT NOT NULL, input_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, usd REAL NOT NULL, stop_reason TEXT NOT NULL,
    answer TEXT NOT NULL)"""


class Usage(Model):
    """Tokens of one call."""

    input_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0


def estimated_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    return int(len(text.encode()) / _CHARACTERS_PER_TOKEN) + 1


class Spent(NamedTuple):
    """One call, as it is written down."""

    day: str
    """In UTC, ISO 8601."""
    at_unix: float
    job: str
    model: str
    prompt: str
    """Name and version."""
    usage: tuple[int, int, int, int]
    """Tokens: plain input, written to the cache, read from it, output."""
    usd: float
    stop_reason: str
    answer: str


class Spending(Protocol):
    """Where calls are written down."""

    def total(self, day: str) -> float:
        """US dollars of a day."""

    def add(self, spent: Spent) -> None:
        """Writes down a call."""


class FileSpending:
    """The table `spend` of a SQLite file. Raises DataError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def total(self, day: str) -> float:
        """US dollars of a day."""
        with self._database() as database:
            row = database.execute("SELECT COALESCE(SUM(usd), 0) FROM spend WHERE day = ?", (day,)).fetchone()
            return float(row[0])

    def add(self, spent: Spent) -> None:
        """Writes down a call."""
        row = (*spent[:5], *spent.usage, *spent[6:])
        with self._database() as database:
            database.execute(f"INSERT INTO spend VALUES (NULL{', ?' * 12})", row)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
                database.execute(_SCHEMA)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise DataError(f"what model calls cost cannot be kept in {self._path}: {error}") from error


class Budget:
    """Records every call and says whether the next one may be made."""

    def __init__(self, spending: Spending, settings: ModelSettings, clock: Clock) -> None:
        self._spending = spending
        self._settings = settings
        self._clock = clock

    def usd(self, usage: Usage) -> float:
        """What a call costs."""
        cached = usage.cache_write_tokens * CACHE_WRITE + usage.cache_read_tokens * CACHE_READ
        price_in = self._settings.usd_per_million_input_tokens * (usage.input_tokens + cached)
        return (price_in + self._settings.usd_per_million_output_tokens * usage.output_tokens) / 1e6

    def spent(self) -> float:
        """US dollars spent today (UTC). Raises DataError, Unavailable."""
        return self._spending.total(self._day())

    def allows(self, worst: Usage) -> bool:
        """Whether a call that costs at most this stays within the limit."""
        return self.spent() + self.usd(worst) <= self._settings.usd_per_day

    def record(self, job: str, prompt: str, usage: Usage, stop_reason: str, answer: str = "") -> None:
        """Writes down a call, with the answer as it came. Raises DataError, Unavailable."""
        tokens = (usage.input_tokens, usage.cache_write_tokens, usage.cache_read_tokens, usage.output_tokens)
        at, name = self._clock.now(), self._settings.name
        self._spending.add(Spent(self._day(), at, job, name, prompt, tokens, self.usd(usage), stop_reason, answer))

    def _day(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).date().isoformat()

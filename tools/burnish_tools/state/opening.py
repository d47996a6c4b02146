"""Where Burnish's own state is: files of this machine, or a server that machines share."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from burnish.errors import ConfigError
from burnish.protocols import Clock
from burnish.store import Store
from burnish_tools.model.budget import FileSpending, Spending

NEEDED = ("psycopg", "psycopg_pool", "langgraph.checkpoint.postgres")


class Place(Protocol):
    """Opens each kind of state when it is first needed."""

    def store(self) -> Store:
        """Jobs, runs, and the lease of a cycle."""

    def checkpoints(self) -> Any:
        """A LangGraph checkpointer, with `conn` to close."""

    def spending(self) -> Spending:
        """What the model has cost."""


def place(url: str, directory: Path, clock: Clock) -> Place:
    """By `state_database`; files in `directory` where it is empty. Raises ConfigError without the extra."""
    if not url:
        return _Files(directory, clock)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"state_database needs {', '.join(missing)}: pip install 'burnish[postgres]'")
    return _Shared(url, directory, clock)


@dataclass(frozen=True)
class _Files:
    directory: Path
    clock: Clock

    def store(self) -> Store:
        return Store(self.directory, self.clock)

    def checkpoints(self) -> Any:
        from burnish.graph import local_checkpoints

        return local_checkpoints(self.directory / "checkpoints.sqlite3")

    def spending(self) -> Spending:
        return FileSpending(self.directory / "spend.sqlite3")


@dataclass(frozen=True)
class _Shared:
    url: str
    directory: Path
    clock: Clock

    def store(self) -> Store:
        from burnish_tools.state.store import PostgresStore

        return PostgresStore(self.url, self.directory, self.clock)

    def checkpoints(self) -> Any:
        from burnish.graph import serializer
        from burnish_tools.state.checkpoints import postgres_checkpoints

        return postgres_checkpoints(self.url, serializer())

    def spending(self) -> Spending:
        from burnish_tools.state.spending import PostgresSpending

        return PostgresSpending(self.url)

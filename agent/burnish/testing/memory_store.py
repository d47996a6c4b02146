"""A store of windows in memory that can be told to fail: the fake of `burnish_tools.runtime.store.Store`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from burnish.profile import Deployment


@dataclass(frozen=True)
class Taken:
    """What became of a batch."""

    new: int = 0
    duplicates: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


class Owner(NamedTuple):
    """A service and environment."""

    service: str
    environment: str


class MemoryStore:
    """Keeps windows by (service, instance, sequence). All of a batch is taken, or (where `fails` raises) nothing.

    `fails` is called with each batch before it is taken; `refuses` gives the reason why a window is never taken, or "".
    """

    def __init__(self) -> None:
        self.windows: dict[tuple[str, str, int], Any] = {}
        self.deployments: list[tuple[Deployment, str, str]] = []
        self.batches: list[int] = []
        """Windows in each transaction."""
        self.tidied = 0
        self.fails: Callable[[Sequence[Any]], None] = lambda windows: None
        self.refuses: Callable[[Any], str] = lambda window: ""

    def add(self, windows: Sequence[Any]) -> Taken:
        """Takes windows in."""
        self.fails(windows)
        self.batches.append(len(windows))
        new, refused = 0, dict[str, int]()
        for window in windows:
            if reason := self.refuses(window):
                refused[reason] = refused.get(reason, 0) + 1
                continue
            key = window.service, window.instance, window.sequence
            new += key not in self.windows
            self.windows.setdefault(key, window)
        return Taken(new, len(windows) - new - sum(refused.values()), refused)

    def mark(self, deployment: Deployment, service: str, environment: str) -> None:
        """Notes a deployment."""
        self.fails(())
        self.deployments.append((deployment, service, environment))

    def tidy(self, now: float) -> bool:
        """Counts how often it was asked."""
        self.tidied += 1
        return False

    def services(self) -> Sequence[Owner]:
        """What is in it."""
        return sorted({Owner(window.service, window.environment) for window in self.windows.values()})

    def close(self) -> None:
        """Nothing to let go of."""

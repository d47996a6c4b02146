"""What a store of the dataset has to do, wherever it keeps its rows. `tests/tools/runtime/contract.py` is its test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from burnish.profile import Deployment
from burnish.protocols import Runtime
from burnish_tools.runtime.format import Window


@dataclass(frozen=True)
class Taken:
    """What became of a batch: each of its windows is new, was there before, or is refused."""

    new: int = 0
    duplicates: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    """Windows by the reason why they can never be taken (`begins in the future`)."""

    def __add__(self, other: Taken) -> Taken:
        reasons = {*self.refused, *other.refused}
        refused = {reason: self.refused.get(reason, 0) + other.refused.get(reason, 0) for reason in sorted(reasons)}
        return Taken(self.new + other.new, self.duplicates + other.duplicates, refused)


@dataclass(frozen=True)
class Seen:
    """A service and environment of which there are windows."""

    service: str
    environment: str
    last_unix_ns: int
    """End of the newest window."""


class Store(Protocol):
    """The dataset of any number of services. Methods raise DataError, and Unavailable where trying again may help."""

    def add(self, windows: Sequence[Window]) -> Taken:
        """Takes windows in, all of them or (where it raises) none; what `(service, instance, sequence)` names twice
        counts once. What it returned for is on the disk."""

    def mark(self, deployment: Deployment, service: str, environment: str) -> None:
        """Notes a deployment. The same release at the same time, marked again, is the same deployment."""

    def tidy(self, now: float) -> bool:
        """One bounded step of rolling up and dropping what is past its time (`now` in seconds since 1970).

        True where there is more to do.
        """

    def services(self) -> Sequence[Seen]:
        """What is in it, in order of service and environment."""

    def runtime(self, service: str, environment: str, spool: Path | None = None) -> Runtime:
        """The dataset of one service, as the detectors read it; shares the store's connection. Its `refresh` takes in
        what the directory `spool` holds, where one is named."""

    def close(self) -> None:
        """Lets go of everything; what was added stays."""

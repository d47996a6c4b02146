"""What the collector needs from others: a store of windows, and a receiver that makes windows of OTLP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from burnish.profile import Deployment
from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.runtime.format import Window


class Taken(Protocol):
    """What became of a batch: each of its windows is new, was there before, or is refused."""

    @property
    def new(self) -> int:
        """Windows that were added."""

    @property
    def duplicates(self) -> int:
        """Windows that were there."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Windows by the reason why they can never be taken."""


class Seen(Protocol):
    """A service and environment of which there are windows."""

    @property
    def service(self) -> str: ...

    @property
    def environment(self) -> str: ...


class Store(Protocol):
    """Where windows go: the part of `burnish_tools.runtime.store.Store` that the collector uses.

    One thread writes; `services` is asked from any.
    """

    def add(self, windows: Sequence[Window]) -> Taken:
        """All of them, or (where it raises) none. What it returned for survives the death of the process."""

    def mark(self, deployment: Deployment, service: str, environment: str) -> None:
        """Notes a deployment; the same again is the same."""

    def tidy(self, now: float) -> bool:
        """One bounded step of rolling up; True where there is more to do."""

    def services(self) -> Sequence[Seen]:
        """What is in it."""

    def close(self) -> None:
        """Lets go of everything."""


class Reply(Protocol):
    """What a receiver answers: the body is typed, in the encoding of the request."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...

    @property
    def retry_after(self) -> float | None: ...


class Receiver(Protocol):
    """OTLP to windows. What it answered 200 for is on the disk or in the store, so that it survives the process."""

    def traces(self, body: bytes, json: bool) -> Reply:
        """An ExportTraceServiceRequest."""

    def metrics(self, body: bytes, json: bool) -> Reply:
        """An ExportMetricsServiceRequest."""

    def tick(self) -> None:
        """Makes windows of what is due and stores them."""

    def close(self) -> None:
        """Makes windows of all that is open and stores them; what cannot be stored waits for the next start."""


Sink = Callable[[Sequence[Window]], None]
"""Stores windows; raises BurnishError where it cannot, and gets them again later."""
MakeReceiver = Callable[[Sink, Callable[[], int]], Receiver]
"""From where windows go and what tells the time (Unix ns)."""


def otlp_receiver(directory: Path, settings: OtlpSettings) -> MakeReceiver:
    """What makes receivers of OTLP, which keep what is not stored yet in a directory."""
    from burnish_tools.collector.otlp.receiver import OtlpReceiver  # protobuf, which other commands do not need

    return lambda sink, clock: OtlpReceiver(sink, clock, settings, directory=directory)

"""What the collector needs from others: a store of windows, and a receiver that makes windows of OTLP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from burnish.profile import Deployment
from burnish_tools.runtime.format import Window

RECEIVER = "burnish_tools.collector.otlp.receiver"


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
    """Where windows go: the part of `burnish_tools.runtime.store.Store` that the collector uses, in one thread."""

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
    """OTLP to windows. Called in one thread.

    It must be a function of what it is told: made again with the same clock and given the same bodies at the same
    times, it makes the same windows by the same `(service, instance, sequence)`. That is what lets the journal be read
    again after a crash without counting anything twice. As a new receiver follows an old one every few minutes, what
    names its windows must differ between the two (by the clock at its making, for one).
    """

    def traces(self, body: bytes, json: bool) -> Reply:
        """An ExportTraceServiceRequest."""

    def metrics(self, body: bytes, json: bool) -> Reply:
        """An ExportMetricsServiceRequest."""

    def tick(self) -> None:
        """Makes windows of what is due."""

    def close(self) -> None:
        """Makes windows of all that is open."""


Sink = Callable[[Sequence[Window]], None]
MakeReceiver = Callable[[Sink, Callable[[], int]], Receiver]
"""From where windows go and what tells the time (Unix ns)."""


def otlp_receiver(settings: Any) -> MakeReceiver | None:
    """What makes receivers of OTLP; None where this build has none."""
    try:
        module = import_module(RECEIVER)
    except ModuleNotFoundError as error:
        if error.name is not None and RECEIVER.startswith(error.name):
            return None
        raise
    return lambda sink, clock: module.OtlpReceiver(sink, clock, settings)

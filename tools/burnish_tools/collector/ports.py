"""What the collector needs from what makes windows of OTLP. Its store is `burnish_tools.runtime.store.Store`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.runtime.format import Window


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

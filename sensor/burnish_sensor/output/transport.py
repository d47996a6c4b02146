"""What a place that answers for windows has to be able to do, and what it may answer."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .spool import Item

#: what becomes of the windows that were sent
ACCEPTED, LATER, REFUSED, TOO_LARGE = "accepted", "later", "refused", "too large"


class Answer(NamedTuple):
    """``verdict`` on a batch; ``reason`` in words for people; ``wait`` in seconds where the other side asked for it."""

    verdict: str
    reason: str = ""
    wait: float = 0.0


class Transport(Protocol):
    """Sends batches. Raises nothing but OSError and ValueError, both of which mean: later."""

    #: how many windows may be in a batch, and of how many bytes (compressed)
    batch: int
    batch_bytes: int

    def send(self, items: list[tuple[Item, bytes]], seconds: float) -> Answer:
        """Send windows of one instance (gzip each), in order, within ``seconds``, and wait for the answer."""

    def close(self) -> None:
        """End what is open; called from the thread that sends."""

    def abort(self) -> None:
        """Make a ``send`` that another thread waits in fail soon."""

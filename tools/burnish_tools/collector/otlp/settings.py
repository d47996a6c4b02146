"""How OTLP data become windows."""

from __future__ import annotations

from pydantic import Field

from burnish.settings import Section

SECOND = 1_000_000_000
"""Nanoseconds."""


class OtlpSettings(Section):
    """OTLP traces and metrics."""

    window_seconds: int = Field(10, ge=1)
    """Length of a window, aligned to the clock. 10 s is also the sensor's."""
    settle_seconds: float = Field(6.0, ge=0)
    """A trace is closed so long after its root arrived. An SDK's batch processor exports every 5 s: a child that
    outlives the root comes with the next batch."""
    unfinished_seconds: float = Field(300.0, gt=0)
    """Spans whose root has not arrived after this time are counted without it, outside any entry."""
    lateness_seconds: float = Field(15.0, ge=0)
    """A window is closed so long after its end: 5 s until the export, the time to settle, and some seconds on the way.
    What comes later makes a window of its own."""
    max_spans: int = Field(200_000, ge=1)
    """Spans that may wait for the rest of their trace, about 0.6 kB each. Beyond it the oldest traces are closed."""
    remembered_spans: int = Field(1_000_000, ge=0)
    """Spans of closed traces that are remembered, so that a batch that was sent twice counts once. 16 bytes each, and
    500 for a trace."""
    max_names: int = Field(5_000, ge=1)
    """Functions, entries, statements and peers in one window, each; further ones are counted as `<other>`."""
    max_sources: int = Field(10_000, ge=1)
    """Windows that are open at once: one or two for each process. What comes beyond is of the service `<other>`."""
    max_streams: int = Field(10_000, ge=1)
    """Cumulative series of metrics of which the last point is kept."""
    journal_mb: int = Field(512, ge=1)
    """Accepted data that are not yet stored; at half of it the oldest traces are closed, beyond it requests are asked
    to come later (429)."""

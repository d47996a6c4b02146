"""What may be set about the collector."""

from __future__ import annotations

from pydantic import Field

from burnish.settings import Section
from burnish_tools.collector.otlp.settings import OtlpSettings

MB = 1_000_000


class CollectorSettings(Section):
    """The HTTP server that takes windows, OTLP and marks of deployments."""

    host: str = "127.0.0.1"
    """Where it listens; anything but this machine needs a token."""
    port: int = Field(4318, ge=0, le=65535)
    """4318 is OTLP's, so that a stock OpenTelemetry SDK finds it; 0 takes any that is free."""
    token_variable: str = "BURNISH_TOKEN"
    """Environment variable with the token that clients send as `Authorization: Bearer …`; unset: none is asked for."""
    directory: str = ".burnish/collector"
    """Where it keeps what is not in the dataset yet (OTLP of the last minute), or is of a newer format."""
    max_body_mb: float = Field(64.0, gt=0)
    """Largest body, sent and inflated; OpenTelemetry recommends 64 MiB. The sensor sends 1 MB, compressed."""
    queue_mb: float = Field(128.0, gt=0)
    """Bodies that may wait in memory, as sent; beyond that clients are told to come again. Twice the largest body."""
    max_connections: int = Field(512, ge=1)
    """Open connections; beyond that new ones are answered with 503. Each costs a file descriptor."""
    header_seconds: float = Field(10.0, gt=0)
    """How long a client may take to send the head of a request, so that slow ones cannot hold every connection."""
    body_seconds: float = Field(30.0, gt=0)
    """How long a client may take to send a body."""
    keep_alive_seconds: int = Field(75, ge=1)
    """How long an idle connection stays open: longer than the 60 s between two exports of metrics by OpenTelemetry."""
    answer_seconds: float = Field(4.0, gt=0)
    """How long a request waits for the writer before it is told to come again: the sensor waits 5 s."""
    refused_mb: float = Field(64.0, gt=0)
    """Windows that could not be taken (of a newer format) and are kept for a newer Burnish; the oldest go first."""
    max_services: int = Field(1000, ge=1)
    """Pairs of service and environment; windows of further ones are refused, as a name made of data fills the disk."""
    tidy_minutes: float = Field(60.0, gt=0)
    """How often the dataset is rolled up and what is past its time is dropped."""
    otlp: OtlpSettings = OtlpSettings()

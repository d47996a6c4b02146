"""Durations of requests, calls and database operations that come as metrics.

Traces say more: which function, which statement. A service that sends both would be counted twice, so metrics of a
source (one resource) count only while no span of it has come: the windows of metrics wait for a while, and are dropped
when a span comes. Where a service sends a metric under its old and new name at once, the new one counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics

from burnish.histogram import Histogram
from burnish_tools.collector.otlp import names, points
from burnish_tools.collector.otlp.attributes import Attributes
from burnish_tools.collector.otlp.points import BadPoint, Point
from burnish_tools.collector.otlp.resource import Source, source
from burnish_tools.collector.otlp.rows import Json
from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.collector.otlp.streams import Streams
from burnish_tools.collector.otlp.windows import Windows
from burnish_tools.runtime.format import Window

METRICS_SPAN = f"{names.PSEUDO}<metrics>"
"""The call site of what only metrics tell."""
_DELTA, _CUMULATIVE = 1, 2
_NO_RECORDED_VALUE = 1
_UNITS = {"s": 1e9, "ms": 1e6, "us": 1e3, "µs": 1e3, "ns": 1.0}
_SERVER, _CLIENT, _DATABASE = "server", "client", "database"
_TRACED = 100_000


class _Known(NamedTuple):
    what: str
    unit: str
    newer: str = ""


KNOWN = {
    "http.server.request.duration": _Known(_SERVER, "s"),
    "http.server.duration": _Known(_SERVER, "ms", "http.server.request.duration"),
    "http.client.request.duration": _Known(_CLIENT, "s"),
    "http.client.duration": _Known(_CLIENT, "ms", "http.client.request.duration"),
    "db.client.operation.duration": _Known(_DATABASE, "s"),
}


@dataclass
class Change:
    """What a request adds: windows, and the last points of the series by which the next one is read."""

    points: list[tuple[str, list[Any]]] = field(default_factory=list)
    windows: list[tuple[Source, Window]] = field(default_factory=list)
    rejected: int = 0
    reason: str = ""


class _Total:
    """Points that add up to one row."""

    def __init__(self) -> None:
        self.wall = Histogram()
        self.errors: dict[str, int] = {}
        self.status: dict[str, int] = {}
        self.timeouts = 0

    def add(self, wall: Histogram, error: str, status: str) -> None:
        self.wall += wall
        for counts, name in ((self.errors, error), (self.status, status)):
            if name:
                counts[name] = counts.get(name, 0) + wall.count
        self.timeouts += wall.count if names.is_timeout(error) else 0


class _Sum:
    """What one resource adds."""

    def __init__(self) -> None:
        self.start = self.end = 0
        self.entries: dict[str, _Total] = {}
        self.calls: dict[tuple[str, str, str], _Total] = {}


class Metrics:
    """All series; nothing changes until `keep`."""

    def __init__(self, settings: OtlpSettings, since: int) -> None:
        self._streams = Streams(since, settings.max_streams)
        self._max_names = settings.max_names
        self._traced: dict[Source, None] = {}

    def traced(self, source: Source) -> None:
        """A span of this source has come."""
        if source not in self._traced:
            self._traced[source] = None
            if len(self._traced) > _TRACED:
                self._traced.pop(next(iter(self._traced)))

    def wanted(self, source: Source) -> bool:
        """Whether metrics are all that there is of it."""
        return source not in self._traced

    def read(self, request: ExportMetricsServiceRequest, windows: Windows, now: int) -> Change:
        """What the request adds to what is known."""
        change = Change()
        for resource in request.resource_metrics:
            sender = source(resource.resource)
            found = self._sum(resource, sender, change)
            if (found.entries or found.calls) and self.wanted(sender):
                start, end = windows.stretch(found.start, found.end, now)
                change.windows.append((sender, windows.of_parts(sender, start, end, _parts(found))))
        return change

    def keep(self, change: Change) -> None:
        """The request is accepted."""
        self.restore(change.points)

    def restore(self, rows: list[tuple[str, list[Any]]]) -> None:
        """Last points, from `rows` or a `Change`."""
        for key, row in rows:
            self._streams.keep(key, row)

    def rows(self) -> list[tuple[str, list[Any]]]:
        """All last points."""
        return list(self._streams.rows())

    @property
    def since(self) -> int:
        """From when on the first point of a series counts in full."""
        return self._streams.since

    def listening_since(self, time: int) -> None:
        """The collector that left its last points has listened since then."""
        self._streams.listening_since(time)

    def _sum(self, resource: ResourceMetrics, sender: Source, change: Change) -> _Sum:
        found = _Sum()
        every = [metric for scope in resource.scope_metrics for metric in scope.metrics]
        there = {metric.name for metric in every}
        for metric in every:
            known = KNOWN.get(metric.name)
            if known is None or known.newer in there:
                continue
            for attributes, point in self._added(metric, sender, change):
                if point.count:
                    self._add(found, known, metric.unit, attributes, point)
        return found

    def _added(self, metric: Metric, sender: Source, change: Change) -> Iterator[tuple[Attributes, Point]]:
        data = metric.exponential_histogram if metric.HasField("exponential_histogram") else metric.histogram
        for message in data.data_points:
            if message.flags & _NO_RECORDED_VALUE:
                continue
            try:
                point = points.of(message)
            except BadPoint as error:
                change.rejected += 1
                change.reason = f"{metric.name}: {error}"
                continue
            key = _key(sender, metric.name, list(message.attributes))
            added: Point | None = point
            if data.aggregation_temporality == _CUMULATIVE:
                key, added = self._streams.cumulative(key, point)
                change.points.append((key, point.row()))
            elif data.aggregation_temporality == _DELTA:
                added = point if self._streams.is_new(key, point) else None
                change.points.append((key, [point.start, point.time]))
            else:
                change.rejected += 1
                change.reason = f"{metric.name}: neither a difference nor cumulative"
                continue
            if added is not None:
                yield Attributes(message.attributes), added

    def _add(self, found: _Sum, known: _Known, unit: str, attributes: Attributes, point: Point) -> None:
        wall = point.histogram(_UNITS.get(unit, _UNITS[known.unit]))
        start = point.start or point.time
        found.start, found.end = min(found.start or start, start), max(found.end, point.time)
        status = attributes.numbers.get("status", 0)
        told = str(status) if 100 <= status < 600 else ""
        error = names.error_type(given) if (given := attributes.text("error")) else ""
        error = f"HTTP {status}" if 500 <= status < 600 else "" if error.startswith("HTTP 4") else error
        if known.what == _SERVER:
            given = attributes.text("route") or attributes.text("target")
            entry = f"{names.method(attributes.text('method'))} {names.route(given)}"
            _at(found.entries, entry, names.OTHER, self._max_names).add(wall, error, told)
            return
        _at(found.calls, _call(known, attributes), ("http", names.OTHER, names.OTHER), self._max_names).add(
            wall, error, ""
        )


def _call(known: _Known, attributes: Attributes) -> tuple[str, str, str]:
    peer = names.peer(attributes.text("host"), attributes.numbers.get("port", 0))
    if known.what == _CLIENT:
        return "http", peer, names.method(attributes.text("method"))
    system = names.word(attributes.text("system").lower(), "other_sql")
    return system, peer, names.word(attributes.text("operation"), "<command>")


def _at(table: dict[Any, _Total], key: Any, other: Any, capacity: int) -> _Total:
    if key not in table and len(table) >= capacity:
        key = other
    return table.setdefault(key, _Total())


def _parts(found: _Sum) -> Json:
    functions = {METRICS_SPAN: {"kind": "span"}} if found.calls else {}
    site = {"function": METRICS_SPAN, "file": "", "line": 0, "entry": ""}
    return {
        "functions": functions,
        "entries": [
            {"entry": entry, "kind": "http", "calls": total.wall.count, "errors": total.errors,
             "status": total.status, "wall": total.wall.model_dump()}
            for entry, total in sorted(found.entries.items())
        ],
        "dependencies": [
            {"kind": kind, "peer": peer, "operation": operation, **site, "calls": total.wall.count,
             "errors": total.errors, "timeouts": total.timeouts, "retries": 0, "wall": total.wall.model_dump()}
            for (kind, peer, operation), total in sorted(found.calls.items())
        ],
    }  # fmt: skip


def _key(sender: Source, metric: str, attributes: list[KeyValue]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in (
        *(text.encode() for text in sender),
        metric.encode(),
        *sorted(a.SerializeToString() for a in attributes),
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()

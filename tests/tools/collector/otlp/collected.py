"""A receiver with a clock of its own, and spans in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from burnish.errors import Unavailable
from burnish_tools.collector.otlp.answer import Answer
from burnish_tools.collector.otlp.receiver import OtlpReceiver
from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.runtime.format import EntryRow, Window, line_of, parse

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
MS, SECOND = 10**6, 10**9
BEGIN = 1_700_000_000 * SECOND
LOCAL, REMOTE = 0x100, 0x300
SHOP = {"service.name": "shop", "service.instance.id": "one"}
Told = Mapping[str, str | int | float | bool]


def attributes(told: Told) -> list[KeyValue]:
    found = []
    for key, value in told.items():
        one = KeyValue(key=key)
        if isinstance(value, bool):
            one.value.bool_value = value
        elif isinstance(value, int):
            one.value.int_value = value
        elif isinstance(value, float):
            one.value.double_value = value
        else:
            one.value.string_value = value
        found.append(one)
    return found


def span(
    number: int,
    parent: int = 0,
    *,
    name: str = "work",
    kind: int = INTERNAL,
    at: float = 0,
    ms: float = 1,
    trace: int = 1,
    flags: int = LOCAL,
    error: str = "",
    told: Told | None = None,
) -> Span:
    """Span `number` of `trace`, from `at` ms after the beginning, `ms` long."""
    start = BEGIN + round(at * MS)
    one = Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        kind=kind,  # type: ignore[arg-type]
        start_time_unix_nano=start,
        end_time_unix_nano=start + round(ms * MS),
        flags=flags,
        attributes=attributes(told or {}),
    )
    if error:
        one.status.code = 2  # type: ignore[assignment]
        one.events.append(Span.Event(name="exception", attributes=attributes({"exception.type": error})))
    return one


def request(number: int, *, route: str = "items/<int:pk>/", told: Told | None = None, **more: object) -> Span:
    """A server's span of GET `route`."""
    about = {"http.request.method": "GET", "http.route": route, "http.response.status_code": 200, **(told or {})}
    return span(number, kind=SERVER, told=about, **more)  # type: ignore[arg-type]


def query(number: int, parent: int, text: str, *, told: Told | None = None, **more: object) -> Span:
    """A client's span of a statement, as the old names tell it."""
    about = {"db.system": "postgresql", "db.statement": text, **(told or {})}
    return span(number, parent, kind=CLIENT, told=about, **more)  # type: ignore[arg-type]


def body(*spans: Span, resource: Told | None = None, scope: str = "test") -> bytes:
    """A request."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.extend(attributes(SHOP if resource is None else resource))
    part = group.scope_spans.add()
    part.scope.name = scope
    part.spans.extend(spans)
    return message.SerializeToString()


class Collected:
    """A receiver; what it made is in `windows`. `broken`: the store takes nothing."""

    def __init__(self, directory: Path | None = None, now: int = BEGIN, **settings: float) -> None:
        self.now, self.windows, self.broken = now, list[Window](), False
        chosen = OtlpSettings.model_validate(settings)
        self.receiver = OtlpReceiver(self._store, lambda: self.now, chosen, directory=directory)

    def _store(self, windows: Sequence[Window]) -> None:
        if self.broken:
            raise Unavailable("the disk is full")
        known = {(w.service, w.instance, w.sequence) for w in self.windows}
        new = [w for w in windows if (w.service, w.instance, w.sequence) not in known]
        self.windows += [parse(line_of(window)) for window in new]

    def send(self, *spans: Span, resource: Told | None = None, scope: str = "test") -> Answer:
        return self.receiver.traces(body(*spans, resource=resource, scope=scope), json=False)

    def passes(self, seconds: int) -> Collected:
        for _ in range(seconds):
            self.now += SECOND
            self.receiver.tick()
        return self

    def closed(self) -> Collected:
        self.receiver.close()
        return self

    @property
    def window(self) -> Window:
        """The only one."""
        assert len(self.windows) == 1, [line_of(w) for w in self.windows]
        return self.windows[0]

    @property
    def entries(self) -> list[EntryRow]:
        return [row for window in self.windows for row in window.entries]

    def totals(self) -> dict[str, int]:
        """What does not depend on where windows begin: sums over all of them, by row."""
        found: dict[str, int] = {}
        for window in self.windows:
            for name, rows in json.loads(line_of(window)).items():
                for row in rows if isinstance(rows, list) else ():
                    _add(found, name, row)
        return found


def _add(found: dict[str, int], name: str, row: dict[str, object]) -> None:
    key = " ".join(
        [name, *(str(value) for value in row.values() if isinstance(value, str)), json.dumps(row.get("site"))]
    )
    for field, value in row.items():
        if isinstance(value, dict) and "counts" in value:
            told = {"count": value["count"], "sum": value.get("sum", 0), "zero": value.get("zero", 0)}
            told |= {str(value["offset"] + i): n for i, n in enumerate(value["counts"]) if n}
        elif isinstance(value, dict):
            told = {k: v for k, v in value.items() if isinstance(v, (int, float))}
        else:
            told = {"": value} if isinstance(value, (int, float)) and field != "line" else {}
        for part, n in told.items():
            found[f"{key} {field} {part}"] = found.get(f"{key} {field} {part}", 0) + int(n)


def answered(answer: Answer, kind: type[Message]) -> Message:
    """The body as a message."""
    message = kind()
    message.ParseFromString(answer.body)
    return message

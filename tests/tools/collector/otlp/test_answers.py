"""Encodings and answers: protobuf and JSON by OTLP's rules, partial success, what is refused, hostile input."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from burnish_tools.runtime.format import line_of
from tests.tools.collector.otlp import test_metrics as metrics
from tests.tools.collector.otlp.collected import (
    CLIENT,
    SERVER,
    SHOP,
    Collected,
    answered,
    attributes,
    body,
    query,
    request,
    span,
)
from tests.tools.collector.otlp.test_assembly import SELECT, tree


def as_json(message: bytes, upper: bool = False) -> dict[str, Any]:
    """A request of traces as OTLP writes it: Protobuf's JSON, but ids in hex and enums as integers."""
    told: dict[str, Any] = MessageToDict(ExportTraceServiceRequest.FromString(message), use_integers_for_enums=True)
    for one in told["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in one:
                found = base64.b64decode(one[key]).hex()
                one[key] = found.upper() if upper else found
    return told


@pytest.mark.parametrize("upper", [False, True])
def test_json_says_the_same_as_protobuf(upper: bool) -> None:
    one, two = Collected(), Collected()
    spans = [*tree(), request(7, trace=2, error="ValueError")]
    one.send(*spans)
    answer = two.receiver.traces(json.dumps(as_json(body(*spans), upper)).encode(), json=True)
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert one.closed().window == two.closed().window


def test_json_may_have_integers_as_numbers_and_keys_that_nobody_knows() -> None:
    told = as_json(body(*tree()))
    told["more"] = {"deep": [1, {}]}
    for one in told["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        one |= {"startTimeUnixNano": int(one["startTimeUnixNano"]), "endTimeUnixNano": int(one["endTimeUnixNano"])}
        one |= {"newField": 1, "attributes": [*one.get("attributes", ()), {"key": "x", "value": {"newValue": 3}}]}
    made = Collected()
    assert made.receiver.traces(json.dumps(told).encode(), json=True).status == 200
    assert made.closed().window.entries[0].queries.sum == 1


def test_metrics_come_as_json_too() -> None:
    message = metrics.body(metrics.metric(metrics.explicit([1, 0, 0, 0, 0], 0.1)))
    told = MessageToDict(metrics.ExportMetricsServiceRequest.FromString(message), use_integers_for_enums=True)
    made = Collected()
    assert made.receiver.metrics(json.dumps(told).encode(), json=True).body == b"{}"
    assert made.closed().entries[0].calls == 1


@pytest.mark.parametrize(
    ("nothing", "is_json"), [(b"", False), (b"{}", True), (b"", True), (b'{"resourceSpans":[]}', True)]
)
def test_an_empty_request_is_taken(nothing: bytes, is_json: bool) -> None:
    made = Collected()
    assert made.receiver.traces(nothing, is_json).status == 200
    assert made.receiver.metrics(nothing, is_json).status == 200
    assert made.closed().windows == []


def test_spans_without_ids_or_an_end_are_rejected_alone_and_counted() -> None:
    wrong = [Span(trace_id=b"x"), Span(trace_id=bytes(16), span_id=b"12345678"), request(5), request(6), request(7)]
    wrong[2].span_id = bytes(8)
    wrong[3].end_time_unix_nano = 0
    made = Collected()
    partial = answered(made.send(*wrong), ExportTraceServiceResponse).partial_success  # type: ignore[attr-defined]
    assert partial.rejected_spans == 4
    assert partial.error_message == "a span without an end"
    assert made.closed().window.entries[0].calls == 1
    told = as_json(body(*wrong[1:]))
    answer = json.loads(Collected().receiver.traces(json.dumps(told).encode(), json=True).body)
    assert answer["partialSuccess"]["rejectedSpans"] == "3"


def deep(depth: int) -> bytes:
    """A request whose resource has an attribute of lists in lists: field 1 (KeyValue.key), 2 (value), 5 (array), …"""

    def field(number: int, content: bytes) -> bytes:
        head, n = bytes([number << 3 | 2]), len(content)
        length = b""
        while n > 127:
            length, n = length + bytes([n & 127 | 128]), n >> 7
        return head + length + bytes([n]) + content

    value = b""
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(1, field(1, field(1, field(2, value))))


@pytest.mark.parametrize(
    ("sent", "is_json"),
    [
        (b"\xff\xff\xff", False),
        (body(*tree())[:-3], False),
        (b"{", True),
        (b"[]", True),
        (b'"x"', True),
        (b"\xff\xfe", True),
        (b'{"resourceSpans": {"a": 1}}', True),
        (b'{"resourceSpans": [5]}', True),
        (deep(200), False),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"no hex"}]}]}]}', True),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"-5"}]}]}]}', True),
        (b"[" * 200_000, True),
        (b'{"resourceSpans":' * 100_000, True),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_status(sent: bytes, is_json: bool) -> None:
    made = Collected()
    for answer in (made.receiver.traces(sent, is_json), made.receiver.metrics(sent, is_json)):
        if answer.status == 200:  # the other signal does not know the key
            continue
        assert answer.status == 400
        if is_json:
            told = json.loads(answer.body)
        else:  # the same on the wire as google.rpc.Status: {int32 code = 1; string message = 2}
            message = answered(answer, ExportTracePartialSuccess)
            told = {"code": message.rejected_spans, "message": message.error_message}  # type: ignore[attr-defined]
        assert told["code"] == 3
        assert "not OTLP" in told["message"]
    assert made.receiver.traces(sent, is_json).status == 400


def nested(depth: int) -> Span:
    one = request(1)
    value = one.attributes.add(key="deep").value
    for _ in range(depth):
        value = value.array_value.values.add()
    value.string_value = "end"
    return one


@pytest.mark.parametrize(
    "hostile",
    [
        request(1, told={"http.response.status_code": float("nan"), "http.route": "a"}),
        request(1, told={"http.response.status_code": -(2**63), "server.port": 2**62}),
        request(1, told={"http.request.method": "x" * 10_000_000}, name="n" * 10_000_000),
        request(1, told={"http.route": "'; DROP TABLE spans; --\x00\n" * 1000}),
        request(
            1, told={"code.function.name": "a" * 1_000_000, "code.file.path": "\x00/" * 1000, "code.line.number": -1}
        ),
        request(1, told={str(n): n for n in range(20_000)}),
        span(1, kind=77, told={"db.system": "💥" * 1000, "db.statement": "'" * 100_000}),
        span(1, kind=CLIENT, told={"http.method": "GET", "http.url": "http://" + "h" * 100_000}),
        request(1, error="E" * 100_000),
        nested(30),
        span(1, 2**63, kind=SERVER, flags=2**32 - 1, at=-1e12, ms=1e13),
    ],
)
def test_hostile_spans_are_taken_and_what_they_say_is_bounded(hostile: Span) -> None:
    made = Collected()
    assert made.send(hostile, query(2, 1, SELECT)).status == 200
    made.passes(400)
    assert sum(len(w.calls) + len(w.dependencies) + len(w.queries) for w in made.windows) >= 1
    assert max(len(line_of(w)) for w in made.windows) < 20_000


def test_new_names_without_end_are_bounded_and_counted() -> None:
    made = Collected(max_names=50)
    for n in range(1, 301):
        told = {"http.route": f"r{'abcdefghij'[n % 10]}{n}x/"}
        names = [span(2, 1, trace=n, name=f"f{n}z"), query(3, 1, f"SELECT c{n}x FROM t", trace=n)]
        peer = span(4, 1, trace=n, kind=CLIENT, told={"http.method": "GET", "http.url": f"http://h{n}/"})
        made.send(request(1, trace=n, told=told), *names, peer)
    window = made.closed().window
    assert max(len(window.functions), len(window.statements), len(window.entries)) == 51
    assert len({d.peer for d in window.dependencies}) == 51
    assert sum(e.calls for e in window.entries) == 300
    assert set(window.sensor.dropped) == {"functions", "statements", "entries", "dependencies"}


def test_types_of_errors_without_end_are_bounded() -> None:
    made = Collected()
    for n in range(1, 201):
        made.send(request(1, trace=n, error=f"E{n}"))
    errors = made.closed().window.entries[0].errors
    assert (len(errors), sum(errors.values()), errors["<other>"]) == (51, 200, 150)


def test_instances_without_end_are_bounded() -> None:
    made = Collected(max_sources=50)
    for n in range(120):
        made.send(request(1, trace=n + 1), resource=SHOP | {"service.instance.id": str(n)})
    made.closed()
    assert len(made.windows) == 51
    assert sum(e.calls for e in made.entries) == 120


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.binary(max_size=64), st.booleans(), st.booleans())
def test_no_bytes_make_it_fail(seed: int, cut: int, noise: bytes, is_json: bool, of_metrics: bool) -> None:
    rng = random.Random(seed)
    whole = metrics.body(metrics.metric(metrics.explicit([1, 2, 0, 0, 0], 0.1))) if of_metrics else body(*tree())
    if is_json and not of_metrics:
        whole = json.dumps(as_json(whole)).encode()
    sent = bytearray(whole[: len(whole) - cut])
    for byte in noise:
        if sent:
            sent[rng.randrange(len(sent))] = byte
    made = Collected()
    take = made.receiver.metrics if of_metrics else made.receiver.traces
    assert take(bytes(sent), is_json).status in {200, 400}
    made.passes(400)
    made.closed()


def test_attributes_of_the_helper_keep_their_types() -> None:
    kinds = [one.value.WhichOneof("value") for one in attributes({"a": True, "b": 1, "c": 0.5, "d": ""})]
    assert kinds == ["bool_value", "int_value", "double_value", "string_value"]

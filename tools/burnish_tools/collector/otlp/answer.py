"""What an OTLP request is answered, in its own encoding (OTLP specification, section OTLP/HTTP)."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 8, 14
"""Of `google.rpc.Code`."""


@dataclass(frozen=True)
class Answer:
    """Status and body of the answer; `retry_after` in seconds for 429 and 503."""

    status: int
    body: bytes
    retry_after: float | None = None


def traces_taken(json: bool, rejected: int = 0, message: str = "") -> Answer:
    """200; with a partial success where spans were rejected, or a warning where there is only a message."""
    response = ExportTraceServiceResponse()
    if message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    return Answer(200, _encoded(response, json))


def metrics_taken(json: bool, rejected: int = 0, message: str = "") -> Answer:
    """200; with a partial success where data points were rejected."""
    response = ExportMetricsServiceResponse()
    if message:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = message
    return Answer(200, _encoded(response, json))


def refused(message: str, json: bool) -> Answer:
    """400: it will not be sent again."""
    return Answer(400, _status(INVALID_ARGUMENT, message, json))


def later(message: str, json: bool, seconds: float, status: int = 429) -> Answer:
    """429 or 503: the sender keeps the data and comes again after `seconds`."""
    code = RESOURCE_EXHAUSTED if status == 429 else UNAVAILABLE
    return Answer(status, _status(code, message, json), seconds)


def _status(code: int, message: str, json: bool) -> bytes:
    if json:
        return jsonlib.dumps({"code": code, "message": message}).encode()
    # google.rpc.Status is {int32 code = 1; string message = 2}: on the wire the same as this message, which comes with
    # opentelemetry-proto. The package that has Status itself would be one more dependency.
    return _encoded(ExportTracePartialSuccess(rejected_spans=code, error_message=message), json=False)


def _encoded(
    message: ExportTraceServiceResponse | ExportMetricsServiceResponse | ExportTracePartialSuccess, json: bool
) -> bytes:
    if json:
        to_dict: Callable[..., dict[str, object]] = MessageToDict
        return jsonlib.dumps(to_dict(message)).encode()
    return bytes(message.SerializeToString())

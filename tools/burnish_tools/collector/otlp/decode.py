"""The body of an OTLP request as a message: protobuf, or JSON by OTLP's own rules.

OTLP/JSON is Protobuf's JSON mapping with two exceptions: trace and span ids are hex, not base64, and enums are
integers. Unknown keys are ignored, 64-bit integers may be strings or numbers (specification, section
JSON Protobuf Encoding).
"""

from __future__ import annotations

import base64
import json as jsonlib
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_Request = TypeVar("_Request", ExportTraceServiceRequest, ExportMetricsServiceRequest)
_IDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


class Undecodable(ValueError):
    """The body is no request of this kind; the message says why."""


def traces(body: bytes, json: bool) -> ExportTraceServiceRequest:
    """Raises Undecodable."""
    return _decoded(ExportTraceServiceRequest(), body, json)


def metrics(body: bytes, json: bool) -> ExportMetricsServiceRequest:
    """Raises Undecodable."""
    return _decoded(ExportMetricsServiceRequest(), body, json)


def _decoded(message: _Request, body: bytes, json: bool) -> _Request:
    try:
        if json:
            ParseDict(_with_base64_ids(_object(body)), message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (DecodeError, ParseError, RecursionError, ValueError, TypeError, AttributeError) as error:
        kind = "JSON" if json else "protobuf"
        raise Undecodable(f"the body is not OTLP {kind}: {str(error)[:200] or type(error).__name__}") from None
    return message


def _object(body: bytes) -> dict[str, Any]:
    found = jsonlib.loads(body) if body.strip() else {}
    if not isinstance(found, dict):
        raise TypeError("an object is expected")
    return found


def _with_base64_ids(request: dict[str, Any]) -> dict[str, Any]:
    for resource in _list(request, "resourceSpans", "resource_spans"):
        for scope in _list(resource, "scopeSpans", "scope_spans"):
            for span in _list(scope, "spans"):
                _recode(span)
                for link in _list(span, "links"):
                    _recode(link)
    for point in _points(request):
        for exemplar in _list(point, "exemplars"):
            _recode(exemplar)
    return request


def _points(request: dict[str, Any]) -> list[Any]:
    resources = _list(request, "resourceMetrics", "resource_metrics")
    scopes = [scope for one in resources for scope in _list(one, "scopeMetrics", "scope_metrics")]
    metrics = [metric for scope in scopes for metric in _list(scope, "metrics") if isinstance(metric, dict)]
    data = [one for metric in metrics for one in metric.values() if isinstance(one, dict)]
    return [point for one in data for point in _list(one, "dataPoints", "data_points")]


def _list(parent: Any, *names: str) -> list[Any]:
    """What is there under one of the names, if it is a list; wrong types are left for the parser to name."""
    found = next((parent[name] for name in names if name in parent), None) if isinstance(parent, dict) else None
    return found if isinstance(found, list) else []


def _recode(holder: Any) -> None:
    if not isinstance(holder, dict):
        return
    for name in _IDS:
        if isinstance(value := holder.get(name), str):
            holder[name] = base64.b64encode(bytes.fromhex(value)).decode()

"""A stock OpenTelemetry SDK and `burnish collect`, over a socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind

from burnish_tools.runtime import SqliteStore
from tests.tools.collector.serving import serving


class Remembering(OTLPSpanExporter):
    """The stock exporter; `taken` counts the spans whose batch was answered with success."""

    taken = 0

    def export(self, spans):  # type: ignore[no-untyped-def]
        result = super().export(spans)
        self.taken += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result


def send(port: int, count: int, compression: Compression, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    exporter = Remembering(f"http://127.0.0.1:{port}/v1/traces", compression=compression, headers=headers)
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "service.version": "r1"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for _ in range(count):
        with tracer.start_as_current_span("GET orders/", kind=SpanKind.SERVER):
            pass
    provider.shutdown()
    return exporter.taken


def calls(directory: Path) -> int:
    store = SqliteStore(directory / ".burnish" / "runtime.sqlite3")
    profile = store.runtime("shop", "production").profile("r1")
    store.close()
    return 0 if profile is None else sum(entry.calls for entry in profile.entries)


@pytest.mark.parametrize("compression", list(Compression))
def test_spans_of_a_stock_sdk_survive_a_kill(tmp_path: Path, compression: Compression) -> None:
    with serving(tmp_path, token="s3cret") as running:
        assert send(running.port, 5, compression, "wrong") == 0
        assert send(running.port, 20, compression, "s3cret") == 20
        assert running.health()["accepted"]["traces bodies"] == 20
        running.kill()
    with serving(tmp_path, token="s3cret") as running:
        assert send(running.port, 3, compression, "s3cret") == 3
        assert running.stop() == ""
    assert calls(tmp_path) == 23

"""The stock SDK, unchanged: batch processor, exporter over HTTP, instrumentations of sqlite3, SQLAlchemy and Django."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.metrics import Histogram as Instrument
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from sqlalchemy import create_engine, text

from burnish_tools.runtime.format import Window, line_of
from tests.tools.collector.otlp.collected import Collected

ROOT = Path(__file__).resolve().parents[4]
INFLATE = {"gzip": gzip.decompress, "deflate": zlib.decompress, "": bytes}
SHOP = Resource.create({"service.name": "shop", "service.version": "1.2", "deployment.environment.name": "test"})


class Endpoint(ThreadingHTTPServer):
    """What the collector's server does, in a few lines: inflates, asks the receiver, answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.made = Collected(now=time.time_ns())
        self.statuses: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def window(self) -> Window:
        """All windows as one, if there is only one, or else the one with entries."""
        self.made.closed()
        found = [w for w in self.made.windows if w.entries] or self.made.windows
        assert len(found) == 1
        return found[0]


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        whole = INFLATE[self.headers.get("Content-Encoding", "")](sent)
        receiver = self.server.made.receiver
        take = receiver.traces if self.path == "/v1/traces" else receiver.metrics
        answer = take(whole, self.headers["Content-Type"] == "application/json")
        self.server.statuses.append(answer.status)
        self.send_response(answer.status)
        self.send_header("Content-Type", self.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def provider(endpoint: Endpoint, compression: Compression = Compression.NoCompression) -> TracerProvider:
    made = TracerProvider(resource=SHOP)
    exporter = OTLPSpanExporter(f"{endpoint.url}/v1/traces", compression=compression)
    made.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=4, max_queue_size=1000))
    return made


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_sqlite3_under_a_request(endpoint: Endpoint, compression: Compression) -> None:
    traces = provider(endpoint, compression)
    tracer = traces.get_tracer("shop")
    SQLite3Instrumentor().instrument(tracer_provider=traces)
    try:
        db = sqlite3.connect(":memory:")
        cursor = db.cursor()
        told = {"http.method": "GET", "http.route": "orders/", "http.status_code": 200}
        for _ in range(5):
            with tracer.start_as_current_span("GET orders/", kind=SpanKind.SERVER, attributes=told):
                with tracer.start_as_current_span("load"):
                    for n in range(3):
                        cursor.execute(f"SELECT {n}, 'Ada' AS name")
                cursor.execute("SELECT ? AS x", (1,))
        db.close()
    finally:
        SQLite3Instrumentor().uninstrument()
    traces.shutdown()
    assert set(endpoint.statuses) == {200}
    window = endpoint.window()
    assert (window.service, window.release, window.environment) == ("shop", "1.2", "test")
    assert [(e.entry, e.calls, e.status, e.queries.sum) for e in window.entries] == [("GET orders/", 5, {"200": 5}, 20)]
    texts = {key: told.text for key, told in window.statements.items()}
    assert sorted(texts.values()) == ["SELECT ? AS x", "SELECT ?, ? AS name"]
    assert {(texts[q.statement], q.function, q.executions) for q in window.queries} == {
        ("SELECT ?, ? AS name", "<otel>:load", 15),
        ("SELECT ? AS x", "<otel>:GET orders/", 5),
    }
    assert {(p.function, p.calls, p.executions.histogram().mean) for p in window.per_call} == {
        ("<otel>:load", 5, 3),
        ("<otel>:GET orders/", 5, 3),
        ("<otel>:GET orders/", 5, 1),
    }


def test_sqlalchemy_and_its_driver_at_once(endpoint: Endpoint, tmp_path: Path) -> None:
    traces = provider(endpoint)
    SQLite3Instrumentor().instrument(tracer_provider=traces)
    engine = create_engine(f"sqlite:///{tmp_path}/db")
    SQLAlchemyInstrumentor().instrument(engine=engine, tracer_provider=traces, skip_dep_check=True)
    try:
        with traces.get_tracer("shop").start_as_current_span("nightly"), engine.connect() as db:
            for n in range(4):
                db.execute(text("SELECT :n AS n"), {"n": n})
        engine.dispose()
    finally:
        SQLAlchemyInstrumentor().uninstrument()
        SQLite3Instrumentor().uninstrument()
    traces.shutdown()
    window = endpoint.window()
    executions = {window.statements[q.statement].text: q.executions for q in window.queries}
    assert executions["SELECT ? AS n"] == 4
    assert window.entries[0].entry == "job:nightly"
    assert window.entries[0].queries.sum == sum(executions.values())


def test_django_with_its_orm(endpoint: Endpoint) -> None:
    site = [sys.executable, "-m", "tests.tools.collector.otlp.django_site", endpoint.url]
    subprocess.run(site, check=True, timeout=60, cwd=ROOT)
    window = endpoint.window()
    assert [(e.entry, e.kind, e.calls, e.status, e.errors) for e in window.entries] == [
        ("GET <unmatched>", "http", 1, {"404": 1}, {}),
        ("GET books/<int:pk>/", "http", 12, {"200": 12}, {}),
        ("GET fails/", "http", 1, {"500": 1}, {"ValueError": 1}),
    ]
    texts = [told.text for told in window.statements.values()]
    assert any(text.startswith("SELECT") and "WHERE" in text and "?" in text for text in texts)
    assert "hidden" not in line_of(window).decode()
    repeated = [p for p in window.per_call if p.executions.histogram().mean > 2]
    assert [(p.function, p.calls, p.executions.histogram().mean, p.identical) for p in repeated] == [
        ("<otel>:GET books/<int:pk>/", 12, 6.5, 0)
    ]


def test_an_error_is_told_by_its_type(endpoint: Endpoint) -> None:
    traces = provider(endpoint)
    tracer = traces.get_tracer("shop")
    told = {"http.method": "GET", "http.route": "fails/"}
    with pytest.raises(LookupError), tracer.start_as_current_span("GET fails/", kind=SpanKind.SERVER, attributes=told):
        raise LookupError("order 4711 of Ada")
    traces.shutdown()
    window = endpoint.window()
    assert window.entries[0].errors == {"LookupError": 1}
    assert "Ada" not in line_of(window).decode()


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
def test_metrics(endpoint: Endpoint, exponential: bool, temporality: AggregationTemporality) -> None:
    exporter = OTLPMetricExporter(f"{endpoint.url}/v1/metrics", preferred_temporality={Instrument: temporality})
    views = (
        [View(instrument_type=Instrument, aggregation=ExponentialBucketHistogramAggregation())] if exponential else []
    )
    meters = MeterProvider([PeriodicExportingMetricReader(exporter)], SHOP, views=views)
    bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1]
    seconds = meters.get_meter("shop").create_histogram(
        "http.server.request.duration", "s", explicit_bucket_boundaries_advisory=bounds
    )
    told = {"http.request.method": "GET", "http.route": "orders/", "http.response.status_code": 200}
    for value in (0.002, 0.03, 0.03, 0.7):
        seconds.record(value, told)
    meters.force_flush()
    seconds.record(0.03, told)
    meters.shutdown()
    endpoint.made.closed()
    rows = endpoint.made.entries
    assert [(row.entry, row.calls, row.status) for row in rows] == [
        ("GET orders/", 4, {"200": 4}),
        ("GET orders/", 1, {"200": 1}),
    ]
    assert sum(row.wall.sum for row in rows) == pytest.approx(0.792e9)
    assert 0.025e9 < rows[0].wall.histogram().quantile(0.5) <= 0.05e9

"""How many spans a second OTLP's receiver takes on one core: decoding, journal, putting traces together, rows, windows.

    python -m evals.bench.otlp

Requests are made beforehand with the SDK's own encoder: traces of a Django service (a server's span, two functions, ten
statements with placeholders and two with literals, an HTTP call), 512 spans a request as its batch processor sends
them, traces cut across requests. Rounds of the receiver, from the first byte to the stored windows, alternate with bare
`ParseFromString` of the same bodies. CPU time of the process; prints medians with bootstrap intervals, and the ratio.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context

from burnish.stats import bootstrap
from burnish_tools.collector.otlp.receiver import OtlpReceiver
from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.runtime.format import Window

BATCH = 512
SECOND = 10**9
SELECT = 'SELECT "item"."id", "item"."name" FROM "item" WHERE "item"."order_id" = %s ORDER BY "item"."id" LIMIT 21'


def main() -> None:
    """Measures and prints a Markdown table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--traces", type=int, default=4_000)
    options.add_argument("--rounds", type=int, default=7)
    args = options.parse_args()
    spans = made(args.traces)
    bodies = [encode_spans(spans[i : i + BATCH]).SerializeToString() for i in range(0, len(spans), BATCH)]
    rates: dict[str, list[float]] = {"`ParseFromString`": [], "receiver": []}
    for number in range(args.rounds + 1):
        for name, run in (("`ParseFromString`", parsed), ("receiver", received)):
            began = time.process_time()
            run(bodies, len(spans))
            if number:
                rates[name].append(len(spans) / (time.process_time() - began))
    print(f"{len(spans):,} spans in {len(bodies)} requests of {sum(map(len, bodies)) / len(bodies) / 1000:.0f} kB\n")
    print("| | spans/s on one core (95 % interval) | n |\n|---|---|---|")
    for name, values in rates.items():
        seen = bootstrap(values, median, random.Random(name))
        print(f"| {name} | {seen.value:,.0f} ({seen.low:,.0f} to {seen.high:,.0f}) | {seen.n} |")
    ratios = [bare / ours for bare, ours in zip(*rates.values(), strict=True)]
    seen = bootstrap(ratios, median, random.Random("ratio"))
    print(f"\nThe receiver takes {seen.value:.1f} × the time of parsing alone ({seen.low:.1f} to {seen.high:.1f}).")


def parsed(bodies: Sequence[bytes], spans: int) -> None:
    """The baseline."""
    for body in bodies:
        ExportTraceServiceRequest().ParseFromString(body)


def received(bodies: Sequence[bytes], spans: int) -> None:
    """One receiver's life; a second of its clock passes every 20,000 spans."""
    stored: list[Window] = []
    now = time.time_ns()
    with tempfile.TemporaryDirectory() as directory:
        receiver = OtlpReceiver(stored.extend, lambda: now, OtlpSettings(), directory=Path(directory))
        for number, body in enumerate(bodies, 1):
            assert receiver.traces(body, json=False).status == 200
            if number % (20_000 // BATCH) == 0:
                now += SECOND
                receiver.tick()
        receiver.close()
    executed = sum(row.executions for window in stored for row in window.queries)
    assert executed == spans * 12 // 16, f"{executed} statements of {spans} spans"


def made(traces: int) -> list[ReadableSpan]:
    """Spans in the order of their ends, traces interleaved by four as concurrent requests are."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "service.version": "1.2"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    waiting = [trace(provider, number) for number in range(traces)]
    for first in range(0, traces, 4):
        four = waiting[first : first + 4]
        while four:
            four = [one for one in four if next(one, None)]
    return list(exporter.get_finished_spans())


def trace(provider: TracerProvider, number: int) -> Iterator[bool]:
    """16 spans, with a step after each statement."""
    tracer = provider.get_tracer("opentelemetry.instrumentation.django", "0.66b1")
    drivers = provider.get_tracer("opentelemetry.instrumentation.psycopg", "0.66b1")
    server = tracer.start_span(
        "GET products/<int:pk>/",
        kind=SpanKind.SERVER,
        attributes={
            "http.method": "GET", "http.server_name": "shop", "http.scheme": "http", "net.host.port": 8000,
            "http.host": "127.0.0.1:8000", "http.url": f"http://127.0.0.1:8000/products/{number}/",
            "net.peer.ip": "::1", "http.user_agent": "curl/8", "http.flavor": "1.1", "http.route": "products/<int:pk>/",
            "http.status_code": 200,
        },
    )  # fmt: skip
    for name in ("view", "template"):
        inner = _child(tracer, server, name, SpanKind.INTERNAL, {"code.function.name": f"shop.views.{name}"})
        for n in range(6):
            text = SELECT if n else f"SELECT name FROM currency WHERE code = 'C{number % 50}'"
            told = {"db.system": "postgresql", "db.statement": text, "db.name": "shop", "db.user": "shop",
                    "net.peer.name": "db", "net.peer.port": 5432}  # fmt: skip
            _child(drivers, inner, "SELECT", SpanKind.CLIENT, told).end()
            yield True
        inner.end()
    told = {"http.method": "GET", "http.url": "http://stock:80/", "http.status_code": 200}
    _child(tracer, server, "GET", SpanKind.CLIENT, told).end()
    server.end()


def _child(tracer: Tracer, parent: Span, name: str, kind: SpanKind, attributes: Mapping[str, str | int]) -> Span:
    return tracer.start_span(name, set_span_in_context(parent), kind=kind, attributes=attributes)


if __name__ == "__main__":
    main()

"""Histograms of durations: cumulative and differences, explicit and exponential, resets, units, both names."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint, Metric

from burnish.histogram import Histogram
from burnish_tools.collector.otlp import points
from burnish_tools.collector.otlp.answer import Answer
from tests.tools.collector.otlp.collected import BEGIN, MS, SECOND, SHOP, Collected, Told, answered, attributes, request

BOUNDS = (0.005, 0.01, 0.1, 1.0)
OF_ITEMS = {"http.request.method": "GET", "http.route": "items/", "http.response.status_code": 200}
DELTA, CUMULATIVE = 1, 2
SERVED = "http.server.request.duration"


def explicit(
    counts: Iterable[int],
    total: float,
    *,
    start: int = 0,
    end: int = 60,
    told: Told = OF_ITEMS,
    bounds: Iterable[float] = BOUNDS,
) -> HistogramDataPoint:
    """`start` and `end` in seconds after the beginning."""
    counts = list(counts)
    return HistogramDataPoint(
        start_time_unix_nano=BEGIN + start * SECOND,
        time_unix_nano=BEGIN + end * SECOND,
        count=sum(counts),
        sum=total,
        bucket_counts=counts,
        explicit_bounds=bounds,
        attributes=attributes(told),
    )


def exponential(values: list[float], scale: int, *, start: int = 0, end: int = 60) -> ExponentialHistogramDataPoint:
    """As an SDK would make it of values in seconds."""
    made = Histogram.of(values, scale)
    point = ExponentialHistogramDataPoint(
        start_time_unix_nano=BEGIN + start * SECOND,
        time_unix_nano=BEGIN + end * SECOND,
        count=made.count,
        sum=made.sum,
        scale=scale,
        zero_count=made.zero,
        attributes=attributes(OF_ITEMS),
    )
    point.positive.offset = made.offset
    point.positive.bucket_counts.extend(made.counts)
    return point


def metric(
    *data: HistogramDataPoint | ExponentialHistogramDataPoint,
    name: str = SERVED,
    unit: str = "s",
    kind: int = CUMULATIVE,
) -> Metric:
    one = Metric(name=name, unit=unit)
    for point in data:
        holder = one.histogram if isinstance(point, HistogramDataPoint) else one.exponential_histogram
        holder.aggregation_temporality = kind  # type: ignore[assignment]
        holder.data_points.append(point)  # type: ignore[arg-type]
    return one


def body(*metrics: Metric, resource: Told = SHOP) -> bytes:
    message = ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    group.resource.attributes.extend(attributes(resource))
    group.scope_metrics.add().metrics.extend(metrics)
    return message.SerializeToString()


def send(made: Collected, *metrics: Metric, resource: Told = SHOP) -> Answer:
    return made.receiver.metrics(body(*metrics, resource=resource), json=False)


def calls(made: Collected) -> list[int]:
    return [e.calls for e in made.entries]


def test_a_cumulative_histogram_counts_what_was_added() -> None:
    made = Collected()
    send(made, metric(explicit([1, 2, 3, 0, 1], 5.0, end=60)))
    send(made, metric(explicit([1, 2, 5, 0, 1], 5.1, end=120)))
    send(made, metric(explicit([1, 2, 5, 0, 1], 5.1, end=180)))
    made.passes(60)
    first, second = made.windows
    assert (first.start_unix_ns, first.end_unix_ns) == (BEGIN, BEGIN + 60 * SECOND)
    assert (second.start_unix_ns, second.end_unix_ns) == (BEGIN + 60 * SECOND, BEGIN + 120 * SECOND)
    assert [(e.entry, e.calls, e.status, round(e.wall.sum / MS)) for e in made.entries] == [
        ("GET items/", 7, {"200": 7}, 5000),
        ("GET items/", 2, {"200": 2}, 100),
    ]
    assert 10 * MS < made.entries[1].wall.histogram().quantile(0.5) <= 100 * MS


def test_a_difference_counts_as_it_is_and_once() -> None:
    made = Collected()
    for end in (60, 120, 120):
        send(made, metric(explicit([1, 0, 0, 0, 0], 0.001, start=end - 60, end=end), kind=DELTA))
    assert calls(made.passes(60)) == [1, 1]


def test_the_first_point_of_a_series_that_is_older_than_the_collector_is_only_compared_with() -> None:
    made = Collected()
    send(made, metric(explicit([100, 0, 0, 0, 0], 0.1, start=-3600, end=60)))
    send(made, metric(explicit([103, 0, 0, 0, 0], 0.2, start=-3600, end=120)))
    assert calls(made.passes(60)) == [3]


def test_a_process_that_starts_anew_begins_at_0() -> None:
    made = Collected()
    send(made, metric(explicit([9, 0, 0, 0, 0], 0.1, end=60)))
    send(made, metric(explicit([4, 0, 0, 0, 0], 0.1, start=70, end=120)))
    send(made, metric(explicit([1, 0, 0, 0, 0], 0.1, start=70, end=180)))
    assert calls(made.passes(60)) == [9, 4, 1]


def test_points_out_of_order_and_twice_add_nothing() -> None:
    made = Collected()
    for end, n in ((60, 2), (120, 5), (60, 2), (120, 5), (180, 6)):
        send(made, metric(explicit([n, 0, 0, 0, 0], n / 1000, end=end)))
    assert calls(made.passes(60)) == [2, 3, 1]


@pytest.mark.parametrize("scale", [-1, 0, 3, 8, 10])
def test_exponential_histograms_stay_what_they_are_but_for_the_unit(scale: int) -> None:
    values = [0.001, 0.004, 0.03, 0.03, 1.7, 0.0]
    made = Collected()
    send(made, metric(exponential(values, scale)))
    wall = made.closed().entries[0].wall.histogram()
    expected = Histogram.of([value * SECOND for value in values], min(scale, 3))
    assert (wall.scale, wall.count, wall.zero, wall.sum) == (min(scale, 3), 6, 1, pytest.approx(expected.sum))
    width = 2.0 ** (2.0**-wall.scale)
    for q in (0.3, 0.5, 0.9):
        assert expected.quantile(q) / width <= wall.quantile(q) <= expected.quantile(q) * width


def test_a_cumulative_exponential_histogram_may_become_coarser_on_the_way() -> None:
    made = Collected()
    send(made, metric(exponential([0.01, 0.02], 6)))
    send(made, metric(exponential([0.01, 0.02, 0.02, 9.0], 2, end=120)))
    assert [(e.calls, e.wall.scale) for e in made.closed().entries] == [(2, 3), (2, 2)]
    assert made.entries[1].wall.sum == pytest.approx(9.02 * SECOND)


def test_the_old_name_is_in_milliseconds_and_the_new_one_counts_where_both_come() -> None:
    old = metric(explicit([0, 0, 2], 70, bounds=(5, 10)), name="http.server.duration", unit="ms")
    made = Collected()
    send(made, old)
    assert made.closed().entries[0].wall.sum == 70 * MS
    both = Collected()
    send(both, old, metric(explicit([1, 0, 0, 0, 0], 0.1)))
    assert calls(both.closed()) == [1]


def test_metrics_of_what_sends_spans_do_not_count_whichever_comes_first() -> None:
    made = Collected()
    send(made, metric(explicit([5, 0, 0, 0, 0], 0.1)))
    made.send(request(1, route="items/"))
    send(made, metric(explicit([9, 0, 0, 0, 0], 0.1, end=120)))
    send(made, metric(explicit([7, 0, 0, 0, 0], 0.1)), resource=SHOP | {"service.instance.id": "two"})
    made.passes(60)
    assert sorted(calls(made)) == [1, 7]


def test_metrics_of_a_clock_that_is_years_off_lie_in_the_present() -> None:
    made = Collected()
    year = 365 * 86_400
    send(made, metric(explicit([1, 0, 0, 0, 0], 0.1, start=year, end=year + 60), kind=DELTA))
    window = made.closed().window
    assert (window.start_unix_ns, window.end_unix_ns) == (BEGIN - 60 * SECOND, BEGIN)


def test_clients_become_dependencies() -> None:
    http = {"http.request.method": "GET", "server.address": "stock", "server.port": 80, "error.type": "ReadTimeout"}
    redis = {"db.system.name": "redis", "db.operation.name": "GET", "server.address": "cache", "server.port": 6379}
    made = Collected()
    send(
        made,
        metric(explicit([0, 0, 0, 2, 0], 1.0, told=http), name="http.client.request.duration"),
        metric(explicit([4, 0, 0, 0, 0], 0.01, told=redis), name="db.client.operation.duration"),
    )
    rows = made.closed().window.dependencies
    assert [(d.kind, d.peer, d.operation, d.calls, d.errors, d.timeouts) for d in rows] == [
        ("http", "stock:80", "GET", 2, {"ReadTimeout": 2}, 2),
        ("redis", "cache:6379", "GET", 4, {}, 0),
    ]
    assert {d.function for d in rows} == {"<otel>:<metrics>"}


def test_other_metrics_are_taken_and_not_looked_at() -> None:
    made = Collected()
    answer = send(made, metric(explicit([1, 0, 0, 0, 0], 1), name="process.cpu"), Metric(name=SERVED, unit="s"))
    assert (answer.status, answer.body) == (200, b"")
    assert made.closed().windows == []


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (explicit([1, 2], 1), "2 buckets for 4 bounds"),
        (explicit([1, 0, 0], 1, bounds=(2, 1)), "do not rise"),
        (explicit([1, 0, 0], 1, bounds=(1, float("nan"))), "do not rise"),
        (explicit([1, 0, 0, 0, 0], float("nan")), "no sum of durations"),
        (explicit([1, 0, 0, 0, 0], -1), "no sum of durations"),
        (explicit([1, 0, 0, 0, 0], 1, start=70, end=60), "before the start"),
        (HistogramDataPoint(time_unix_nano=BEGIN, count=3, bucket_counts=[1], sum=1), "count"),
        (ExponentialHistogramDataPoint(time_unix_nano=BEGIN, scale=99), "scale 99"),
        (
            ExponentialHistogramDataPoint(
                time_unix_nano=BEGIN, scale=0, count=1, sum=1, positive={"offset": 2**31 - 1, "bucket_counts": [1]}
            ),
            "beyond",
        ),
    ],
)
def test_a_point_that_contradicts_itself_is_rejected_alone(
    point: HistogramDataPoint | ExponentialHistogramDataPoint, reason: str
) -> None:
    made = Collected()
    answer = send(made, metric(point), metric(explicit([1, 0, 0, 0, 0], 0.1), name="http.client.request.duration"))
    partial = answered(answer, ExportMetricsServiceResponse).partial_success  # type: ignore[attr-defined]
    assert (answer.status, partial.rejected_data_points) == (200, 1)
    assert reason in partial.error_message
    assert len(made.closed().window.dependencies) == 1


def test_the_last_points_survive_a_kill(tmp_path: Path) -> None:
    one = Collected(tmp_path)
    send(one, metric(explicit([5, 0, 0, 0, 0], 0.1, end=60)))
    one.passes(60)
    two = Collected(tmp_path, now=one.now + SECOND)
    two.windows = one.windows
    send(two, metric(explicit([8, 0, 0, 0, 0], 0.2, end=120)))
    three = Collected(tmp_path, now=two.now + SECOND)
    three.windows = one.windows
    send(three, metric(explicit([9, 0, 0, 0, 0], 0.2, end=180)))
    three.passes(60)
    assert calls(three) == [5, 3, 1]


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5), st.lists(st.integers(0, 50), min_size=5, max_size=5))
def test_what_is_added_and_what_was_there_make_the_whole(before: list[int], more: list[int]) -> None:
    one = points.of(explicit(before, sum(before) / 100, end=60))
    both = [a + b for a, b in zip(before, more, strict=True)]
    two = points.of(explicit(both, sum(both) / 100, end=120))
    added = two.since(one)
    assert added is not None
    assert added.count == sum(more)
    assert added.buckets == {i: n for i, n in enumerate(more) if n}
    assert added.histogram(1e9).count == sum(added.histogram(1e9).counts) == sum(more)


@given(st.lists(st.floats(0.0001, 5), min_size=1, max_size=60))
def test_explicit_buckets_are_right_to_the_width_of_the_bucket(values: list[float]) -> None:
    edges = (0.0, *BOUNDS, float("inf"))
    counts = [sum(low < v <= high for v in values) for low, high in pairwise(edges)]
    made = points.of(explicit(counts, sum(values))).histogram(1e9)
    assert made.sum == pytest.approx(sum(values) * SECOND)
    for q in (0.1, 0.5, 0.99):
        true = sorted(values)[int(q * (len(values) - 1))]
        bucket = next(i for i in range(5) if edges[i] < true <= edges[i + 1])
        assert edges[bucket] / 1.1 <= made.quantile(q) / SECOND <= edges[bucket + 1] * 1.1

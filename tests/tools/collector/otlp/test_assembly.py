"""Late, early, twice, out of order, in pieces, without end: what arrives when."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.tools.collector.otlp.collected import (
    BEGIN,
    CLIENT,
    MS,
    REMOTE,
    SECOND,
    SERVER,
    Collected,
    query,
    request,
    span,
)

SELECT = "SELECT * FROM item WHERE id = 17"


def tree(trace: int = 1, at: float = 0) -> list[Span]:
    return [
        query(3, 2, SELECT, trace=trace, at=at + 2),
        span(2, 1, name="view", trace=trace, at=at + 1, ms=10),
        request(1, trace=trace, at=at, ms=20),
    ]


def test_a_trace_is_closed_some_seconds_after_its_root_and_its_window_some_after_that() -> None:
    made = Collected(settle_seconds=6, lateness_seconds=15)
    made.send(*tree())
    assert made.passes(24).windows == []
    made.passes(1)
    assert made.window.start_unix_ns == BEGIN
    assert made.window.end_unix_ns == BEGIN + 10 * SECOND
    assert [(e.calls, e.queries.sum) for e in made.entries] == [(1, 1)]


def test_children_may_come_before_and_after_their_parents_and_in_other_requests() -> None:
    made = Collected()
    for one in tree():
        made.send(one)
        made.passes(1)
    late = query(4, 2, SELECT, at=3)
    made.send(late)
    made.passes(40)
    assert [(e.calls, e.queries.sum) for e in made.entries] == [(1, 2)]


def test_calls_of_ten_seconds_are_one_window_and_sequences_go_on() -> None:
    made = Collected()
    for n in range(30):
        made.send(*tree(trace=n + 1, at=n * 1000))
        made.passes(1)
    made.passes(60)
    assert [(w.start_unix_ns - BEGIN) // SECOND for w in made.windows] == [0, 10, 20]
    assert [w.sequence for w in made.windows] == [0, 1, 2]
    assert [w.entries[0].calls for w in made.windows] == [10, 10, 10]


def test_a_span_that_comes_when_its_trace_was_closed_makes_a_window_of_its_own() -> None:
    made = Collected()
    made.send(*tree())
    made.passes(40)
    made.send(query(9, 2, SELECT))
    made.passes(40)
    first, second = made.windows
    assert (first.start_unix_ns, second.start_unix_ns, second.sequence) == (BEGIN, BEGIN, 1)
    assert [(q.entry, q.executions) for q in second.queries] == [("GET items/<int:pk>/", 1)]
    assert second.entries == ()
    assert second.sensor.dropped == {"late": 1}


def test_what_comes_twice_counts_once_while_open_and_when_closed() -> None:
    made = Collected()
    made.send(*tree(), *tree())
    made.send(*tree())
    made.passes(40)
    made.send(*tree())
    made.passes(400)
    assert made.window.entries[0].calls == 1
    assert made.window.queries[0].executions == 1


def test_one_trace_may_hold_the_requests_of_a_whole_day() -> None:
    made = Collected()
    for n in range(200):
        at = n * 1000
        made.send(query(2 * n + 2, 2 * n + 1, SELECT, at=at), request(2 * n + 1, at=at, flags=0x300))
        made.passes(1)
        made.send(query(2 * n + 2, 2 * n + 1, SELECT, at=at))
    made.passes(60)
    assert sum(e.calls for e in made.entries) == 200
    assert sum(q.executions for w in made.windows for q in w.queries) == 200
    assert all(w.sensor.dropped == {} for w in made.windows)


def test_spans_whose_root_never_comes_are_counted_outside_any_entry() -> None:
    made = Collected(unfinished_seconds=60)
    made.send(*tree()[:2])
    assert made.passes(50).windows == []
    made.passes(40)
    assert made.entries == []
    assert [(c.function, c.entry) for c in made.window.calls] == [("<otel>:view", "")]
    assert [p.executions.sum for p in made.window.per_call] == [1]
    assert made.window.sensor.dropped == {"unfinished": 2}


def test_beyond_the_bound_the_oldest_traces_are_closed_and_told() -> None:
    made = Collected(max_spans=30)
    for n in range(40):
        made.send(*tree(trace=n + 1)[:2])
    made.closed()
    assert sum(q.executions for w in made.windows for q in w.queries) == 40
    assert made.windows[0].sensor.dropped == {"unfinished": 80}


def test_spans_that_are_each_others_parents_do_not_hang_and_are_told() -> None:
    made = Collected()
    made.send(span(1, 2), span(2, 1), span(3, 3), span(4, 1, kind=SERVER, flags=0), query(5, 4, SELECT))
    made.passes(400)
    assert sum(n for w in made.windows for n in w.sensor.dropped.values()) > 0


def test_a_window_of_a_clock_that_is_years_off_lies_in_the_present() -> None:
    made = Collected()
    year = 365 * 86_400_000
    made.send(request(1, at=year), request(1, trace=2, at=-5 * year), request(1, trace=3, at=-60_000))
    made.passes(60)
    assert {(w.start_unix_ns - BEGIN) // SECOND: w.entries[0].calls for w in made.windows} == {0: 2, -60: 1}


def test_a_clock_that_is_set_back_within_a_span_makes_it_0_ns_long() -> None:
    made = Collected()
    made.send(request(1, ms=-500))
    wall = made.closed().window.entries[0].wall
    assert (wall.count, wall.sum, wall.zero) == (1, 0, 1)


def test_two_starts_of_the_collector_are_two_instances() -> None:
    one, two = Collected(), Collected(now=BEGIN + 1)
    for made in (one, two):
        made.send(*tree())
        made.closed()
    assert one.window.instance != two.window.instance
    assert one.window.instance.startswith("otlp:one:")


@st.composite
def services(draw: st.DrawFn) -> list[Span]:
    """Some traces of one process: trees of functions, statements, dependencies, and requests in requests."""
    spans: list[Span] = []
    for trace in range(1, draw(st.integers(1, 3)) + 1):
        size = draw(st.integers(1, 12))
        for number in range(1, size + 1):
            parent = draw(st.integers(0, number - 1)) if number > 1 else 0
            at, ms = draw(st.integers(0, 30_000)), draw(st.integers(0, 500))
            what = draw(st.sampled_from(["call", "query", "client", "server"])) if number > 1 else "server"
            common = {"trace": trace, "at": at, "ms": ms}
            if what == "query":
                spans.append(
                    query(number, parent, draw(st.sampled_from([SELECT, "SELECT 1", "DELETE FROM t"])), **common)
                )
            elif what == "client":
                told = {"http.method": "GET", "http.url": "http://stock/"}
                spans.append(span(number, parent, kind=CLIENT, told=told, **common))  # type: ignore[arg-type]
            elif what == "server":
                told = {"http.method": "GET", "http.route": draw(st.sampled_from(["a", "b"]))}
                flags = REMOTE if parent else 0x100
                spans.append(span(number, parent, kind=SERVER, flags=flags, told=told, **common))  # type: ignore[arg-type]
            else:
                name = draw(st.sampled_from(["f", "g", "h"]))
                spans.append(span(number, parent, name=name, **common))  # type: ignore[arg-type]
    return spans


@settings(max_examples=150, deadline=None)
@given(services(), st.integers(0, 2**32), st.lists(st.integers(1, 6), max_size=12), st.booleans())
def test_totals_do_not_depend_on_the_order_or_the_requests_in_which_spans_come(
    spans: list[Span], seed: int, cuts: list[int], twice: bool
) -> None:
    at_once = Collected(now=BEGIN + 40 * SECOND)
    at_once.send(*spans)
    expected = at_once.closed().totals()
    in_pieces = Collected(now=BEGIN + 40 * SECOND)
    shuffled = spans * (2 if twice else 1)
    random.Random(seed).shuffle(shuffled)
    for cut in [*cuts, len(shuffled)]:
        in_pieces.send(*shuffled[:cut])
        del shuffled[:cut]
        in_pieces.now += MS
        in_pieces.receiver.tick()
    assert in_pieces.closed().totals() == expected
    assert expected

"""What a trace becomes: entries, calls, queries, statements per call, dependencies."""

from __future__ import annotations

import pytest

from burnish.histogram import Histogram
from burnish_tools.runtime.format import line_of
from tests.tools.collector.otlp.collected import (
    CLIENT,
    CONSUMER,
    LOCAL,
    MS,
    PRODUCER,
    REMOTE,
    SERVER,
    Collected,
    Told,
    query,
    request,
    span,
)

ENTRY = "GET items/<int:pk>/"
SERVED = f"<otel>:{ENTRY}"
SELECT = "SELECT * FROM item WHERE id = 17"
NORMALISED = "SELECT * FROM item WHERE id = ?"


def test_a_request_is_an_entry_by_method_and_route_and_never_by_its_path() -> None:
    told = {"url.path": "/items/4711/", "http.target": "/items/4711/", "url.full": "http://h/items/4711/?token=x"}
    made = Collected()
    made.send(request(1, ms=20, name="GET /items/4711/", told=told))
    row = made.closed().window.entries[0]
    assert (row.entry, row.kind, row.calls, row.errors, row.status) == (ENTRY, "http", 1, {}, {"200": 1})
    assert row.wall.histogram() == Histogram.of([20 * MS])
    assert row.queries.count == 1
    assert row.queries.sum == 0
    assert "4711" not in line_of(made.window).decode()


@pytest.mark.parametrize(
    ("told", "entry"),
    [
        ({"http.method": "POST", "http.status_code": 404}, "POST <unmatched>"),
        ({"http.request.method": "PATCH", "http.method": "GET", "http.route": "/a/{id}"}, "PATCH /a/{id}"),
        ({"http.request.method": "BREW", "http.route": "/pot"}, "<method> /pot"),
        ({"http.request.method": "GET", "http.route": "/users/8c6b2a40-0000-4000-8000-1234567890ab"}, "GET /users/…"),
        ({"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add"}, "rpc:shop.Cart/Add"),
        ({}, "job:handle …"),
    ],
)
def test_names_of_entries(told: Told, entry: str) -> None:
    made = Collected()
    made.send(span(1, kind=SERVER, name="handle 12", told=told))
    assert [row.entry for row in made.closed().window.entries] == [entry]


def test_a_task_is_named_by_what_it_does() -> None:
    made = Collected()
    made.send(
        span(1, kind=CONSUMER, name="run/mail.send", told={"celery.task_name": "mail.send", "celery.state": "SUCCESS"}),
        span(2, 9, trace=2, kind=CONSUMER, flags=REMOTE, told={"messaging.destination.name": "orders"}),
    )
    rows = made.closed().window.entries
    assert [(row.entry, row.kind, row.status) for row in rows] == [
        ("task:mail.send", "task", {"SUCCESS": 1}),
        ("task:orders", "task", {}),
    ]


def test_who_sent_it_comes_from_the_resource() -> None:
    made = Collected()
    told = {"service.version": "1.4", "deployment.environment": "staging", "service.instance.id": "pod-3"}
    made.send(request(1), resource=told | {"service.name": "shop"})
    made.send(request(2), resource={"service.name": "till", "vcs.ref.head.revision": "c0ffee", "service.version": "2"})
    made.send(request(3), resource={})
    who = {w.service: (w.environment, w.release, w.instance.split(":")[1]) for w in made.closed().windows}
    assert who["shop"] == ("staging", "1.4", "pod-3")
    assert who["till"][:2] == ("production", "c0ffee")
    assert who["unknown_service"][:2] == ("production", "unknown")
    assert len({w.instance for w in made.windows}) == 3


def test_a_function_is_named_by_its_attributes_or_else_by_its_span() -> None:
    new = {"code.function.name": "shop.views.Cart.total", "code.file.path": "/srv/shop/views.py", "code.line.number": 7}
    old = {"code.namespace": "shop.models", "code.function": "price", "code.filepath": "/srv/shop/models.py"}
    made = Collected()
    made.send(request(1, ms=9), span(2, 1, told=new), span(3, 1, told=old), span(4, 1, name="render order 8812"))
    functions = made.closed().window.functions
    assert set(functions) == {SERVED, "shop.views:Cart.total", "shop.models:price", "<otel>:render order …"}
    cart = functions["shop.views:Cart.total"]
    assert (cart.file, cart.line, cart.kind, cart.body) == ("shop/views.py", 7, "function", "")
    assert (functions[SERVED].file, functions[SERVED].kind) == ("", "span")


def test_own_time_leaves_out_functions_below_but_not_statements_and_counts_concurrent_ones_once() -> None:
    made = Collected()
    made.send(
        request(1, ms=100),
        span(2, 1, name="a", at=10, ms=40),
        span(3, 1, name="b", at=30, ms=40),
        span(4, 1, name="outlives", at=90, ms=50),
        query(5, 1, SELECT, at=75, ms=5),
    )
    own = {row.function: row.own.sum / MS for row in made.closed().window.calls}
    assert own == {SERVED: 100 - 60 - 10, "<otel>:a": 40, "<otel>:b": 40, "<otel>:outlives": 50}


def test_a_recursion_has_its_wall_time_once() -> None:
    made = Collected()
    made.send(request(1, ms=100), span(2, 1, name="walk", ms=50), span(3, 2, name="walk", ms=20), query(4, 3, SELECT))
    window = made.closed().window
    row = next(row for row in window.calls if row.function == "<otel>:walk")
    assert (row.calls, row.wall.count, row.wall.sum / MS, row.own.sum / MS) == (2, 1, 50, 50)
    assert row.callers == {SERVED: 1, "<otel>:walk": 1}
    assert [(p.function, p.calls, p.executions.sum) for p in window.per_call] == [(SERVED, 1, 1), ("<otel>:walk", 1, 1)]


def test_a_statement_is_normalised_and_counted_for_every_function_above_it() -> None:
    made = Collected()
    inner = span(2, 1, name="lines", ms=50)
    made.send(request(1, ms=90), inner, *(query(3 + n, 2, f"{SELECT}{n}", at=n, ms=0.5) for n in range(4)))
    window = made.closed().window
    assert [(s.text, s.system) for s in window.statements.values()] == [(NORMALISED, "postgresql")]
    row = window.queries[0]
    assert (row.function, row.entry, row.executions, row.wall.sum, row.rows) == ("<otel>:lines", ENTRY, 4, 2 * MS, None)
    assert [(p.function, p.site.function, p.executions.sum, p.time_ns, p.driver) for p in window.per_call] == [
        (SERVED, "<otel>:lines", 4, 2 * MS, None),
        ("<otel>:lines", "<otel>:lines", 4, 2 * MS, None),
    ]
    assert window.entries[0].queries.sum == 4


def test_the_site_of_a_statement_is_the_code_that_it_names_itself() -> None:
    told = {"code.function.name": "shop.models.load", "code.file.path": "shop/models.py", "code.line.number": 33}
    made = Collected()
    made.send(request(1), query(2, 1, SELECT, told=told))
    row = made.closed().window.queries[0]
    assert (row.function, row.file, row.line) == ("shop.models:load", "shop/models.py", 33)


@pytest.mark.parametrize(
    ("text", "parameters", "identical"),
    [
        ("SELECT 1 FROM t WHERE id = 5", ["", "", ""], 2),
        ("SELECT count(*) FROM t", ["", "", ""], 2),
        ("SELECT 1 FROM t WHERE id = %s", ["", "", ""], 0),
        ("SELECT 1 FROM t WHERE id = $1", ["", "", ""], 0),
        ("SELECT 1 FROM t WHERE id = %(id)s", ["", "", ""], 0),
        ("SELECT 1 FROM t WHERE id = ?", ["(1,)", "(2,)", "(1,)"], 1),
    ],
)
def test_executions_are_identical_only_where_their_parameters_are_known(
    text: str, parameters: list[str], identical: int
) -> None:
    made = Collected()
    told = [{"db.statement.parameters": one} if one else {} for one in parameters]
    made.send(request(1, ms=9), *(query(2 + n, 1, text, at=n, told=one) for n, one in enumerate(told)))
    assert [p.identical for p in made.closed().window.per_call] == [identical]


def test_where_rows_are_told_executions_are_held_against_the_rows_of_the_driver() -> None:
    made = Collected()
    for trace, rows in enumerate((2, 5, 9), 1):
        first = query(2, 1, "SELECT * FROM orders", trace=trace, told={"db.response.returned_rows": rows})
        each = [query(3 + n, 1, "SELECT * FROM item WHERE id = %s", trace=trace, at=1 + n) for n in range(rows)]
        made.send(request(1, ms=50, trace=trace), first, *each)
    window = made.closed().window
    row = next(p for p in window.per_call if p.executions.sum > 3)
    assert row.driver is not None
    assert window.statements[row.driver.statement].text == "SELECT * FROM orders"
    d = row.driver
    assert (d.n, d.sum_x, d.sum_y, d.sum_xx, d.sum_xy, d.sum_yy) == (3, 16, 16, 110, 110, 110)
    assert {q.executions: q.rows for q in window.queries} == {3: 16, 16: None}


def test_a_statement_that_two_instrumentations_saw_is_one_execution() -> None:
    made = Collected()
    made.send(request(1, ms=50), query(2, 1, SELECT, at=1, ms=10), query(9, 1, SELECT, at=20, ms=4), scope="sqlalchemy")
    made.send(query(3, 1, SELECT, at=2, ms=5), query(4, 2, SELECT, at=2, ms=5), scope="psycopg")
    window = made.closed().window
    assert [(q.executions, q.wall.sum / MS) for q in window.queries] == [(2, 14)]


def test_opening_a_connection_is_a_call_and_no_statement() -> None:
    made = Collected()
    made.send(request(1, ms=9), span(2, 1, name="connect", kind=CLIENT, told={"db.system": "sqlite"}))
    window = made.closed().window
    assert window.queries == ()
    assert "<otel>:connect" in {row.function for row in window.calls}


def test_calls_of_other_services_are_dependencies_with_errors_timeouts_and_retries() -> None:
    new = {
        "http.request.method": "GET",
        "server.address": "stock",
        "server.port": 8080,
        "url.full": "http://stock/?k=1",
    }
    old = {"http.method": "POST", "http.url": "https://user:pw@pay.example/charge/17", "http.status_code": 503}
    made = Collected()
    made.send(
        request(1, ms=90),
        span(2, 1, kind=CLIENT, told=new, at=1, ms=3),
        span(3, 1, kind=CLIENT, told=new, at=5, ms=2, error="requests.exceptions.ReadTimeout"),
        span(4, 1, kind=CLIENT, told=new | {"http.request.resend_count": 1}, at=8, ms=2),
        span(5, 1, kind=CLIENT, told=old),
        span(
            6, 1, kind=CLIENT, told={"db.system": "redis", "db.operation": "HGETALL", "db.statement": "HGETALL user:17"}
        ),
        span(7, 1, kind=CLIENT, told={"rpc.system": "grpc", "rpc.service": "Tax", "rpc.method": "Of"}),
        span(8, 5, kind=CLIENT, told=new, name="urllib3 below requests"),
    )
    window = made.closed().window
    seen = {(d.kind, d.peer, d.operation): (d.calls, d.errors, d.timeouts, d.retries) for d in window.dependencies}
    assert seen == {
        ("http", "stock:8080", "GET"): (2, {"requests.exceptions.ReadTimeout": 1}, 1, 1),
        ("http", "pay.example:443", "POST"): (1, {"HTTP 503": 1}, 0, 0),
        ("redis", "<unknown>", "HGETALL"): (1, {}, 0, 0),
        ("rpc", "<unknown>", "Tax/Of"): (1, {}, 0, 0),
    }
    assert {d.function for d in window.dependencies} == {SERVED}
    assert "17" not in str([(d.peer, d.operation) for d in window.dependencies])


def test_an_answer_that_is_the_askers_mistake_is_no_error_of_a_dependency() -> None:
    told = {"http.request.method": "GET", "server.address": "s", "http.response.status_code": 404, "error.type": "404"}
    one = span(2, 1, kind=CLIENT, told=told)
    one.status.code = 2  # type: ignore[assignment]
    made = Collected()
    made.send(request(1), one)
    assert made.closed().window.dependencies[0].errors == {}


@pytest.mark.parametrize(
    ("told", "error", "errors"),
    [
        ({}, "shop.errors.OutOfStock", {"shop.errors.OutOfStock": 1}),
        ({"http.response.status_code": 500}, "", {"HTTP 500": 1}),
        ({"http.response.status_code": 404}, "", {}),
        ({}, "no customer 'Ada Lovelace'!", {"<error>": 1}),
    ],
)
def test_errors_are_types_and_never_messages(told: Told, error: str, errors: dict[str, int]) -> None:
    made = Collected()
    made.send(request(1, told=told, error=error))
    window = made.closed().window
    assert window.entries[0].errors == errors
    assert window.calls[0].errors == errors


def test_what_no_request_encloses_is_outside_any_entry() -> None:
    made = Collected()
    made.send(query(1, 0, SELECT), span(2, trace=2, kind=PRODUCER, name="orders publish"))
    window = made.closed().window
    assert window.entries == ()
    assert [(q.function, q.entry) for q in window.queries] == [("<otel>:<no span>", "")]
    assert [(c.function, c.entry) for c in window.calls] == [("<otel>:orders publish", "")]


def test_a_root_that_is_no_request_is_a_job() -> None:
    made = Collected()
    made.send(span(1, name="nightly report 2024-11-22"), query(2, 1, SELECT))
    assert [(e.entry, e.kind, e.queries.sum) for e in made.closed().window.entries] == [
        ("job:nightly report …", "job", 1)
    ]


def test_a_parent_of_another_process_makes_a_span_a_root_and_one_of_this_process_does_not() -> None:
    made = Collected()
    made.send(
        span(1, 77, kind=SERVER, flags=REMOTE, ms=30, told={"http.method": "GET", "http.route": "outer"}),
        span(2, 1, kind=SERVER, flags=LOCAL, ms=20, told={"http.method": "GET", "http.route": "inner"}),
        span(3, 1, kind=CLIENT, ms=5, told={"http.method": "GET", "http.url": "http://127.0.0.1/self"}),
        span(4, 3, kind=SERVER, flags=REMOTE, ms=4, told={"http.method": "GET", "http.route": "self"}),
    )
    window = made.closed().window
    assert [e.entry for e in window.entries] == ["GET outer", "GET self"]
    assert {(c.function, c.entry) for c in window.calls} == {
        ("<otel>:GET outer", "GET outer"),
        ("<otel>:GET inner", "GET outer"),
        ("<otel>:GET self", "GET self"),
    }


def test_without_flags_a_server_span_below_one_of_its_process_is_no_request_of_its_own() -> None:
    made = Collected()
    told = {"http.method": "GET", "http.route": "inner"}
    made.send(
        request(1, route="outer", flags=0, ms=30),
        span(2, 1, kind=SERVER, flags=0, told=told),
        span(3, 999, kind=SERVER, flags=0, trace=2, told=told),
    )
    assert [(e.entry, e.calls) for e in made.closed().window.entries] == [("GET inner", 1), ("GET outer", 1)]

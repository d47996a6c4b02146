from __future__ import annotations

import pytest

from burnish_sensor.queries.dependencies import DependencyLog, command_of, method_of, peer_of
from tests.sensor.support import Bench

pytestmark = pytest.mark.usefixtures("each_recorder")

APP = """
    def ask(peer, error=None, status=None):
        guard = bench.probe.dependency()
        tick(50)
        bench.probe.called(guard, ("http", peer, "GET"), error, status)
"""


@pytest.mark.parametrize(
    ("host", "port", "peer"),
    [
        ("Example.org", 443, "example.org:443"),
        (b"example.org", None, "example.org"),
        ("::1", 80, "[::1]:80"),
        ("user:secret@example.org", 80, "<unknown>"),
        ("example.org/path?secret", 80, "<unknown>"),
        ("x" * 300, 80, "<unknown>"),
        (None, 80, "<unknown>"),
    ],
)
def test_a_peer_is_a_host_and_port_or_nothing(host: object, port: int | None, peer: str) -> None:
    assert peer_of(host, port) == peer


def test_an_operation_cannot_carry_a_value() -> None:
    assert (method_of("get"), method_of(b"GET"), method_of("SECRET")) == ("GET", "<method>", "<method>")
    assert [command_of(c) for c in ("get", b"hset", "FT.SEARCH", "set a secret")] == ["GET", "HSET", "FT.SEARCH", "SET"]
    assert [command_of(c) for c in ("p@ss", "", "1", "x" * 40)] == ["<command>"] * 4


def test_beyond_the_cap_endpoints_are_other_and_counted() -> None:
    bench = Bench()
    small = DependencyLog(bench.recorder, capacity=2)
    bench.probe._dependencies = small
    app = bench.load(APP)
    for peer in ("a", "b", "c", "d", "a"):
        app["ask"](peer)
    rows = {row["peer"]: row["calls"] for row in bench.tables()["dependencies"]}
    assert rows == {"a": 2, "b": 1, "<other>": 2}
    assert small.dropped == 2


def test_time_errors_and_entry_of_a_call() -> None:
    bench = Bench()
    app = bench.load(APP)
    entry = bench.entries.begin("job", "job:x")
    app["ask"]("a", TimeoutError())
    app["ask"]("a", None, 503)
    app["ask"]("a", None, 404)
    bench.entries.end(entry)
    (row,) = bench.tables()["dependencies"]
    assert (row["entry"], row["calls"], row["wall"]["sum"], row["timeouts"]) == ("job:x", 3, 150, 1)
    assert row["errors"] == {"HTTP 503": 1, "TimeoutError": 1}


def test_a_call_that_no_application_function_made_is_not_recorded() -> None:
    bench = Bench()
    guard = bench.probe.dependency()
    assert guard is not None
    bench.probe.called(guard, ("http", "a", "GET"), None, 200)
    assert bench.tables()["dependencies"] == []

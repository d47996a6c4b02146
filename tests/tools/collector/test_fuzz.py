"""What clients might send, through ASGI and over sockets: never a 5xx, nothing lost that was accepted."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.testing.memory_store import MemoryStore
from burnish_tools.collector.app import POSTS
from burnish_tools.collector.body import encoding, inflated
from burnish_tools.collector.otlp.settings import OtlpSettings
from burnish_tools.collector.ports import otlp_receiver
from tests.tools.collector.serving import Process, serving
from tests.tools.collector.support import NDJSON, Asked, Got, collecting, line, stored

BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
)
LONG = settings(BOUNDED, max_examples=5000, derandomize=False)
NUMBERS = [-1, 0, 2**31, 2**63, 10**400, -(2**63), 0.5, float("nan"), float("inf"), 1e308]
TEXTS = ["", "\0", "é" * 300, "'; DROP TABLE spans; --", "\ud800", "x" * 5000]
OTHERS = [None, True, [], {}, [[[]]], {"": {}}, [0] * 5000, {"scale": 3}]
NASTY = st.sampled_from([*NUMBERS, *TEXTS, *OTHERS])
TYPES = [NDJSON, "application/json", "application/x-protobuf", "text/plain", "", "application/x-ndjson; charset=é"]
ENCODINGS = ["gzip", "deflate", "identity", "", "br", "gzip, gzip", "GZIP"]


@st.composite
def windows(draw: st.DrawFn) -> bytes:
    """A window, and in most of them something exchanged, cut or turned over."""
    text = line(draw(st.integers(0, 400)), instance=draw(st.sampled_from(["a", "b", "c"])))
    value: Any = json.loads(text)
    for _ in range(draw(st.integers(0, 2))):
        exchange(value, draw)
    data = json.dumps(value).encode("utf-8", "surrogatepass")
    how = draw(st.sampled_from(["whole", "whole", "whole", "cut", "turned"]))
    if how == "cut":
        data = data[: draw(st.integers(0, len(data)))]
    elif how == "turned":
        at, bit = draw(st.integers(0, len(data) - 1)), draw(st.integers(0, 255))
        data = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
    return data


def exchange(value: Any, draw: st.DrawFn) -> None:
    """Puts something else in the place of one value, at any depth."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        deeper = isinstance(value[key], dict | list) and value[key] and draw(st.booleans())
        if not deeper:
            value[key] = deepcopy(draw(NASTY))  # else one that is put into itself has no end
            return
        value = value[key]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A body as it is sent."""
    plain = draw(
        st.one_of(
            st.lists(windows(), max_size=5).map(b"\n".join),
            st.binary(max_size=300),
            st.sampled_from(
                [b"[1, 2, 3]", b"{}", b"[", b'{"service": "shop", "release": "a"}', b"\n" * 5000, b"[" * 9999]
            ),
        )
    )
    packed = draw(st.sampled_from([gzip.compress, zlib.compress, bytes]))(plain)
    cut = draw(st.sampled_from([None, None, None, -1, 5]))
    return packed[:cut]


HEADERS = st.fixed_dictionaries(
    {"content-type": st.sampled_from(TYPES), "content-encoding": st.sampled_from(ENCODINGS)},
    optional={
        "authorization": st.text(max_size=20),
        "idempotency-key": st.text(max_size=20),
        "x-other": st.text(max_size=100),
    },
)
PATHS = st.one_of(st.sampled_from(["/v1/windows"] * 3 + [*POSTS, "/healthz", "/v1/logs", "/"]), st.text(max_size=20))
METHODS = st.sampled_from(["POST"] * 8 + ["GET", "PUT", "HEAD", "", "\x7f"])


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    receiver = otlp_receiver(tmp_path_factory.mktemp("otlp"), OtlpSettings())
    with collecting(tmp_path_factory.mktemp("fuzz"), receiver=receiver, max_body_mb=0.2, token="") as asked:
        yield asked
        said = asked.health.shown()
        assert said["status"] == "ok"
        assert "windows 503" not in said["refused"]


def accepted(plain: bytes, got: Got) -> set[tuple[str, int]]:
    """The windows of a body that its answer says are stored."""
    told = got.json
    refused = {line["line"] for line in told["refused"]}
    lines = [raw for number, raw in enumerate(plain.split(b"\n"), 1) if raw.strip() and number not in refused]
    assert len(lines) == told["accepted"] + told.get("refused_in_all", len(refused)) - len(refused)
    if "refused_in_all" in told:
        return set()
    values = [json.loads(raw.decode("utf-8", "surrogatepass")) for raw in lines]
    return {(value["instance"], value["sequence"]) for value in values}


def posted(ask: Asked, path: str, method: str, headers: dict[str, str], body: bytes, size: int) -> None:
    pieces = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    fields = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers.items()]
    got = ask(path, pieces, fields, method)
    assert got.status < 500 or (got.status == 503 and "retry-after" in got.headers), got
    assert got.status != 503, ask.health.shown()  # this one has room
    if path == "/v1/windows" and got.status == 200 and method == "POST":
        plain = inflated(body, encoding(headers["content-encoding"]), 10**6)
        assert accepted(plain, got) <= stored(ask.directory)


@BOUNDED
@given(path=PATHS, method=METHODS, headers=HEADERS, body=bodies(), size=st.sampled_from([7, 64, 10**6]))
def test_any_request(ask: Asked, path: str, method: str, headers: dict[str, str], body: bytes, size: int) -> None:
    posted(ask, path, method, headers, body, size)


@pytest.mark.slow
@LONG
@given(path=PATHS, method=METHODS, headers=HEADERS, body=bodies(), size=st.sampled_from([7, 64, 10**6]))
def test_very_many_requests(
    ask: Asked, path: str, method: str, headers: dict[str, str], body: bytes, size: int
) -> None:
    posted(ask, path, method, headers, body, size)


@BOUNDED
@given(lines=st.lists(windows(), min_size=1, max_size=5))
def test_any_window_in_a_right_request(ask: Asked, lines: list[bytes]) -> None:
    plain = b"\n".join(lines)
    headers = {"content-type": NDJSON, "content-encoding": "gzip"}
    posted(ask, "/v1/windows", "POST", headers, gzip.compress(plain), 10**6)


@settings(BOUNDED, max_examples=25)
@given(body=bodies())
def test_a_full_queue_says_when_to_come_again(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    with collecting(tmp_path_factory.mktemp("full"), MemoryStore(), queue_mb=0.000001, start=False) as ask:
        got = ask("/v1/windows", body, {"content-type": NDJSON})
        assert (got.status, got.headers.get("retry-after")) == (429, "5") or len(body) <= 1


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(tmp_path_factory.mktemp("sockets"), header_seconds=1, body_seconds=1) as process:
        yield process
        assert process.stop().count("bug") == 0


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request as bytes, often broken."""
    body = draw(bodies())
    length = draw(st.sampled_from([str(len(body))] * 5 + ["-1", "9" * 30, "x", str(len(body) + 5)]))
    fields = [f"Content-Type: {draw(st.sampled_from(TYPES))}", f"Content-Encoding: {draw(st.sampled_from(ENCODINGS))}"]
    fields += [f"Content-Length: {length}"] if draw(st.integers(0, 9)) else ["Transfer-Encoding: chunked"]
    head = "\r\n".join([f"POST {draw(st.sampled_from(sorted(POSTS)))} HTTP/1.1", "Host: x", *fields, "", ""])
    data = head.encode() + body
    at = draw(st.integers(0, len(data) - 1))
    return draw(st.sampled_from([data, data, data[:at], data[:at] + draw(st.binary(max_size=9)) + data[at:]]))


@settings(BOUNDED, max_examples=60)
@given(data=requests())
def test_any_bytes_on_a_socket(running: Process, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), 10) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(100)
        except ConnectionError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 5"), answer
    assert running.process.poll() is None
    assert running.health()["status"] == "ok"


def test_the_mutations_reach_the_store(ask: Asked, tmp_path: Path) -> None:
    """The tests above could pass with nothing accepted."""
    assert ask.health.shown()["accepted"].get("windows", 0) > 20

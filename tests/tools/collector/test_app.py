"""Requests through ASGI: what is taken, what is refused and how, and what is stored when an answer says so."""

from __future__ import annotations

import gzip
import json
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import DataError, Unavailable
from burnish.testing.memory_store import MemoryStore
from burnish_tools.runtime import SqliteStore
from tests.tools.collector.support import NDJSON, SENT, Counting, collecting, line, stored

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_windows_are_stored_when_they_are_answered(tmp_path: Path, encoding: str) -> None:
    body = (line(0) + line(1)).encode()
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]
    with collecting(tmp_path) as ask:
        got = ask("/v1/windows", pack(body), {"content-type": NDJSON, "content-encoding": encoding})
        assert (got.status, got.json) == (200, {"accepted": 2, "duplicates": 0, "refused": []})
        assert stored(tmp_path) == {("one", 0), ("one", 1)}


def test_a_window_in_pieces_and_in_gzip_members(tmp_path: Path) -> None:
    body = gzip.compress(line(0).encode()) + gzip.compress(line(1).encode())
    with collecting(tmp_path) as ask:
        got = ask("/v1/windows", [body[i : i + 100] for i in range(0, len(body), 100)], SENT)
        assert got.json["accepted"] == 2


def test_duplicates_are_told_exactly(tmp_path: Path) -> None:
    with collecting(tmp_path) as ask:
        assert ask.windows(line(0), line(1)).json["duplicates"] == 0
        assert ask.windows(line(1), line(2)).json == {"accepted": 2, "duplicates": 1, "refused": []}
    with collecting(tmp_path) as ask:  # a new collector knows no instance
        assert ask.windows(line(2), line(3)).json["duplicates"] == 1
    assert stored(tmp_path) == {("one", n) for n in range(4)}


def test_a_bad_line_loses_no_other(tmp_path: Path) -> None:
    with collecting(tmp_path) as ask:
        got = ask.windows(line(0), "{nonsense\n", line(1))
        assert (got.status, got.json["accepted"]) == (200, 2)
        assert [refused["line"] for refused in got.json["refused"]] == [2]
        assert ask.windows("{nonsense\n").status == 400


def test_a_newer_format_is_kept_and_read_by_a_newer_collector(tmp_path: Path) -> None:
    newer = line(5, format=7)
    with collecting(tmp_path) as ask:
        got = ask.windows(newer, line(0))
        assert (got.status, got.json["accepted"]) == (200, 1)
        assert "upgrade Burnish" in got.json["refused"][0]["error"]
    (kept,) = (tmp_path / "refused").iterdir()
    assert kept.read_text() == newer
    with collecting(tmp_path):
        assert kept.read_text() == newer  # it is still too new
    kept.write_text(newer.replace('"format":7', '"format":1') + newer)  # as if the reader had learnt one of the two
    with collecting(tmp_path):
        assert stored(tmp_path) == {("one", 0), ("one", 5)}
        assert kept.read_text() == newer


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/", SENT, 404),
        ("POST", "/v1/logs", JSON, 404),
        ("POST", "/v1development/profiles", JSON, 404),
        ("POST", "/v1/traces", JSON, 404),  # no receiver in this one
        ("GET", "/v1/windows", {}, 405),
        ("POST", "/healthz", {}, 405),
        ("OPTIONS", "/v1/windows", {}, 405),
        ("POST", "/v1/windows", {}, 415),
        ("POST", "/v1/windows", {"content-type": "text/plain"}, 415),  # what a page in a browser could send
        ("POST", "/v1/windows", {"content-type": NDJSON, "content-encoding": "br"}, 415),
        ("POST", "/v1/windows", SENT, 400),
        ("POST", "/v1/deployments", JSON, 400),
    ],
)
def test_wrong_requests(tmp_path: Path, method: str, path: str, headers: dict[str, str], status: int) -> None:
    with collecting(tmp_path, MemoryStore()) as ask:
        got = ask(path, b"x", headers, method)
        assert got.status == status
        assert len(got.json["error"]) > 10
        assert ("allow" in got.headers) is (status == 405)


def test_a_body_beyond_the_limit_is_413_and_the_connection_goes(tmp_path: Path) -> None:
    with collecting(tmp_path, MemoryStore(), max_body_mb=0.01, body_seconds=0.2) as ask:
        assert ask("/v1/windows", b"x" * 10_001, SENT).status == 413
        assert ask("/v1/windows", gzip.compress(b"\n" * 20_000), SENT).status == 413
        hangs = ask("/v1/windows", [b"x", None], SENT)  # type: ignore[list-item]
        assert (hangs.status, hangs.headers["connection"]) == (408, "close")


def test_the_token(tmp_path: Path) -> None:
    with collecting(tmp_path, MemoryStore(), token="s3cret") as ask:
        for wrong in ({}, {"authorization": "Bearer"}, {"authorization": "Bearer nope"}, {"authorization": "s3cret"}):
            got = ask.windows(line(0), **wrong)
            assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer")
        assert ask("/v1/services", method="GET").status == 401
        assert ask("/healthz", method="GET").status == 200
        assert ask.windows(line(0), authorization="bearer s3cret").status == 200
        assert "s3cret" not in json.dumps(ask.health.shown())


def test_a_full_queue_is_429_and_nothing_is_lost(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, queue_mb=0.001) as ask:
        got = ask("/v1/windows", b"x" * 1001, SENT)
        assert (got.status, got.headers["retry-after"]) == (429, "5")
        assert ask.windows(line(0)).status == 200  # what was refused takes no room


def test_a_request_that_waits_too_long_is_given_up_and_not_written(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, start=False, answer_seconds=0.05) as ask:
        got = ask.windows(line(0))
        assert (got.status, got.headers["retry-after"]) == (429, "5")
        ask.writer.start()
        ask.writer.close()
    assert store.windows == {}


def test_a_database_that_another_process_holds_is_429_and_what_was_begun_counts_once(tmp_path: Path) -> None:
    with collecting(tmp_path, answer_seconds=0.2) as ask:
        other = sqlite3.connect(tmp_path / "runtime.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert [ask.windows(line(n)).status for n in (0, 1)] == [429, 429]
        other.execute("COMMIT")
        other.close()
        while (got := ask.windows(line(0), line(1))).status == 429:
            pass
    assert got.json["accepted"] == 2
    assert stored(tmp_path) == {("one", 0), ("one", 1)}


def broken(error: Exception) -> Any:
    def fails(windows: Sequence[Any]) -> None:
        raise error

    return fails


def sqlite_error(kind: type[sqlite3.Error]) -> DataError:
    error = DataError("runtime.sqlite3: something; move it away")
    error.__cause__ = kind("something")
    return error


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("runtime.sqlite3: another process is writing to it"),
        sqlite_error(sqlite3.OperationalError),
        sqlite_error(sqlite3.DatabaseError),
        OSError(28, "No space left on device"),
    ],
)
def test_a_database_that_cannot_be_written_is_429_and_health_says_so(tmp_path: Path, error: Exception) -> None:
    store = MemoryStore()
    store.fails = broken(error)
    with collecting(tmp_path, store) as ask:
        got = ask.windows(line(0))
        assert (got.status, got.headers["retry-after"]) == (429, "15")
        shown = ask("/healthz", method="GET").json
        assert (shown["status"], shown["database"]) == ("degraded", str(error))
        store.fails = MemoryStore().fails
        assert ask.windows(line(0)).json == {"accepted": 1, "duplicates": 0, "refused": []}
        assert ask("/healthz", method="GET").json["status"] == "ok"


def test_a_window_that_the_store_fails_on_is_kept_and_the_others_are_stored(tmp_path: Path) -> None:
    store = MemoryStore()

    def fails(windows: Sequence[Any]) -> None:
        if any(window.sequence == 1 for window in windows):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")

    store.fails = fails
    with collecting(tmp_path, store) as ask:
        got = ask.windows(line(0), line(1), line(2))
        assert (got.status, got.json["accepted"]) == (200, 2)
        assert [refused["line"] for refused in got.json["refused"]] == [2]
        assert ask.windows(line(1)).status == 400
    assert sorted(key[2] for key in store.windows) == [0, 2]
    kept = "".join(path.read_text() for path in (tmp_path / "refused").iterdir())
    assert kept == line(1) * 2


def test_what_the_store_refuses_is_told_by_its_line(tmp_path: Path) -> None:
    store = MemoryStore()
    store.refuses = lambda window: "begins too early" if window.sequence == 1 else ""
    with collecting(tmp_path, store) as ask:
        got = ask.windows(line(0), line(1), line(2))
        assert got.json == {"accepted": 2, "duplicates": 0, "refused": [{"line": 2, "error": "begins too early"}]}
        assert ask("/healthz", method="GET").json["refused"] == {"begins too early": 1}


def test_many_requests_share_a_transaction_and_each_is_told_its_own(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, start=False) as ask:
        got: dict[int, Any] = {}

        def post(number: int) -> None:
            got[number] = ask.windows(line(number, instance="a"), line(number + 100, instance="b")).json

        threads = [threading.Thread(target=post, args=(n,)) for n in range(8)]
        ask.writer._depot._highest.update({("shop", "a"): -1, ("shop", "b"): -1})  # as if it had seen both before
        for thread in threads:
            thread.start()
            while len(ask.writer.queue) <= threads.index(thread):
                pass
        ask.writer.start()
        for thread in threads:
            thread.join()
        ask.writer.close()
    assert got == {n: {"accepted": 2, "duplicates": 0, "refused": []} for n in range(8)}
    assert store.batches == [16]


def test_further_services_are_refused(tmp_path: Path) -> None:
    with collecting(tmp_path, max_services=2) as ask:
        assert [ask.windows(line(0, service=name)).status for name in ("a", "b", "c", "a")] == [200, 200, 400, 200]
    with collecting(tmp_path, max_services=2) as ask:  # those of the dataset count
        assert ask.windows(line(1, service="c")).json["refused"][0]["error"].startswith("service:")
        assert ask.windows(line(1, service="b")).status == 200


def test_deployments(tmp_path: Path) -> None:
    told = {"service": "shop", "release": "abc", "at": "2026-01-01T01:00:00+01:00", "by": "ci"}
    with collecting(tmp_path) as ask:
        assert ask("/v1/deployments", json.dumps(told).encode(), JSON).json["unix_ns"] == 1767225600 * 10**9
        assert ask("/v1/deployments", b'{"service": "shop", "release": "abd", "at": 1767225600000000001}', JSON)
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    marked = store.runtime("shop", "production").deployments()
    store.close()
    assert [(d.release, d.unix_ns - 1767225600 * 10**9, d.by) for d in marked] == [("abc", 0, "ci"), ("abd", 1, "")]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b'{"service": "shop"}', "release"),
        (b'{"service": "shop", "release": 7}', "release"),
        (b'{"service": "", "release": "a"}', "service"),
        (b'{"service": "shop", "release": "a", "when": 1}', "when"),
        (b'{"service": "shop", "release": "a", "at": "yesterday"}', "at"),
        (b'{"service": "shop", "release": "a", "at": "2026-01-01T00:00:00"}', "time zone"),
        (b'{"service": "shop", "release": "a", "at": "9999-01-01T00:00:00Z"}', "at"),
        (b'{"service": "shop", "release": "a", "at": 1e300}', "at"),
    ],
)
def test_a_wrong_deployment_names_its_field(tmp_path: Path, body: bytes, says: str) -> None:
    with collecting(tmp_path) as ask:
        got = ask("/v1/deployments", body, JSON)
        assert got.status == 400
        assert says in got.json["error"]


@pytest.mark.parametrize(
    ("kind", "dialect"), [("application/json", b'{"code": 12'), ("application/x-protobuf", b"\x08\x0c\x12")]
)
def test_errors_of_otlp_are_a_status_in_its_own_encoding(tmp_path: Path, kind: str, dialect: bytes) -> None:
    with collecting(tmp_path, MemoryStore(), receiver=Counting) as ask:
        got = ask("/v1/traces", b"", {"content-type": kind}, "PUT")
        assert (got.status, got.headers["content-type"]) == (405, kind)
        assert got.body.startswith(dialect)


def test_health_counts(tmp_path: Path) -> None:
    with collecting(tmp_path) as ask:
        ask.windows(line(0), line(1), "bad\n")
        ask.windows(line(1))
        ask("/nowhere")
        shown = ask("/healthz", method="GET").json
    assert shown["accepted"] == {"duplicates": 1, "windows": 2}
    assert shown["refused"] == {"not a window": 1, "request 404": 1}
    assert shown["queue"] == {"requests": 0, "bytes": 0, "limit_bytes": 128_000_000}

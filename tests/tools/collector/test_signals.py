"""OTLP bodies to a receiver, its windows to the store. What a receiver does is tested with it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from burnish.errors import Unavailable
from burnish.testing.memory_store import MemoryStore
from tests.tools.collector.support import Asked, Counting, collecting, line

JSON = {"content-type": "application/json"}


def calls(store: MemoryStore) -> int:
    return sum(window.calls[0].calls for window in store.windows.values())


def wait(ask: Asked, key: str, value: object) -> None:
    deadline = time.monotonic() + 20
    while ask("/healthz", method="GET").json[key] != value and time.monotonic() < deadline:
        time.sleep(0.05)


def test_what_was_taken_is_in_the_store_when_the_collector_ends(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, receiver=Counting) as ask:
        assert ask("/v1/traces", b"[1, 2]", JSON).status == 200
        assert ask("/v1/metrics", gzip.compress(b"[3]"), {**JSON, "content-encoding": "gzip"}).status == 200
        assert ask("/v1/traces", b"{", JSON).status == 400
        assert ask("/v1/traces", b"not gzip", {**JSON, "content-encoding": "gzip"}).json["code"] == 3
        shown = ask("/healthz", method="GET").json
    assert calls(store) == 3
    assert (shown["accepted"]["traces bodies"], shown["refused"]["traces 400"]) == (1, 2)


def test_windows_are_made_while_nothing_comes(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, receiver=Counting) as ask:
        ask("/v1/traces", json.dumps([1] * 100).encode(), JSON)
        deadline = time.monotonic() + 20
        while calls(store) < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert calls(store) == 100


def test_a_receiver_is_told_that_the_store_cannot_be_written(tmp_path: Path) -> None:
    store = MemoryStore()

    def locked(windows: Sequence[Any]) -> None:
        raise Unavailable("the file is locked")

    store.fails = locked
    with collecting(tmp_path, store, receiver=Counting) as ask:
        assert ask("/v1/traces", b"[1, 2, 3]", JSON).status == 200
        wait(ask, "database", "the file is locked")
        assert store.windows == {}
        store.fails = MemoryStore().fails
        wait(ask, "status", "ok")
        assert calls(store) == 3


def test_a_receiver_that_fails_takes_no_other_request_with_it(tmp_path: Path) -> None:
    class Broken(Counting):
        def traces(self, body: bytes, json: bool) -> Any:
            raise RuntimeError("a bug")

    with collecting(tmp_path, receiver=Broken) as ask:
        got = ask("/v1/traces", b"[1]", JSON)
        assert (got.status, got.headers["retry-after"]) == (503, "15")
        assert ask("/v1/metrics", b"{}", JSON).status == 400
        assert ask.windows(line(0)).status == 200

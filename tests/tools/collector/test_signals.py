"""OTLP from its body to windows, with collectors that end in the midst of it."""

from __future__ import annotations

import gzip
import itertools
import json
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import Unavailable
from burnish.testing.memory_store import MemoryStore
from burnish_tools.collector.journal import Entry, Journal
from burnish_tools.collector.queue import Task
from burnish_tools.collector.signals import Signals
from tests.tools.collector.support import Counting, collecting

JSON = {"content-type": "application/json"}


def calls(store: MemoryStore) -> int:
    return sum(window.calls[0].calls for window in store.windows.values())


def test_what_was_taken_is_windows_when_the_collector_ends(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, receiver=Counting) as ask:
        assert ask("/v1/traces", b"[1, 2]", JSON).status == 200
        assert ask("/v1/metrics", gzip.compress(b"[3]"), {**JSON, "content-encoding": "gzip"}).status == 200
        assert ask("/v1/traces", b"{", JSON).status == 400
        assert ask("/v1/traces", b"not gzip", {**JSON, "content-encoding": "gzip"}).json["code"] == 3
    assert calls(store) == 3


def test_a_locked_database_does_not_keep_otlp_waiting(tmp_path: Path) -> None:
    store = MemoryStore()

    def locked(windows: Any) -> None:
        raise Unavailable("locked")

    store.fails = locked
    with collecting(tmp_path, store, receiver=Counting) as ask:
        assert ask("/v1/traces", b"[1, 2, 3]", JSON).status == 200
    assert store.windows == {}
    store.fails = MemoryStore().fails
    with collecting(tmp_path, store, receiver=Counting):
        assert calls(store) == 3  # from the journal, before anything else is taken


@pytest.mark.parametrize("stored_before", [False, True])
@pytest.mark.parametrize("torn", [0, 1, 7])
def test_a_killed_collector_counts_nothing_twice_and_loses_nothing(
    tmp_path: Path, stored_before: bool, torn: int
) -> None:
    """The journal as it lies on the disk when the process is killed, with windows in the store or not yet."""
    store, now = MemoryStore(), itertools.count(time.time_ns() - 10**12, 4 * 10**9)
    clock = lambda: next(now)  # noqa: E731 - a clock that goes on by 4 s whenever it is looked at
    journal = Journal(tmp_path / "otlp.journal")
    signals = Signals(Counting, journal, clock, 10**6, pytest.fail)
    signals.restart()
    for number in range(20):
        signals.take(Task("traces", json.dumps([0] * number).encode(), "identity", True, lambda answer: None))
    if stored_before:
        store.add(signals.made)
        assert 0 < calls(store) < 190
    journal.close()  # no finish, no restart
    with (tmp_path / "otlp.journal").open("ab") as file:
        file.write(b"BJ01 torn"[:torn])
    for attempt in ("one", "two"):  # killed again after what it read was stored, before the journal was begun anew
        (tmp_path / attempt).mkdir()
        shutil.copy(tmp_path / "otlp.journal", tmp_path / attempt)
        with collecting(tmp_path / attempt, store, receiver=Counting):
            assert calls(store) == 190
            assert Journal(tmp_path / attempt / "otlp.journal").size == 0


def test_a_journal_without_room_takes_nothing(tmp_path: Path) -> None:
    journal, entry = Journal(tmp_path / "j"), Entry("traces", True, "gzip", 1, b"body" * 100)
    journal.restart(42)
    journal.append(entry)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + 100, before[1]))  # room for the half of a record
    try:
        with pytest.raises(OSError, match="large"):
            journal.append(entry)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append(entry)
    assert list(journal.entries()) == [entry] * 2


@pytest.mark.parametrize("entry", [Entry("traces", True, "gzip", 1, b"a"), Entry("metrics", False, "deflate", 2, b"")])
def test_the_journal_gives_back_what_it_was_given(tmp_path: Path, entry: Entry) -> None:
    journal = Journal(tmp_path / "j")
    assert journal.begun_unix_ns is None
    journal.restart(42)
    journal.append(entry)
    journal.append(entry)
    assert (journal.begun_unix_ns, list(journal.entries())) == (42, [entry, entry])
    bits = bytearray((tmp_path / "j").read_bytes())
    bits[-1] ^= 1  # a bit that the disk lost
    (tmp_path / "j").write_bytes(bits)
    assert list(Journal(tmp_path / "j").entries()) == [entry]


def test_a_long_journal_is_begun_anew_and_what_was_open_are_windows(tmp_path: Path) -> None:
    store = MemoryStore()
    with collecting(tmp_path, store, receiver=Counting, journal_mb=0.0001) as ask:
        deadline = time.monotonic() + 20
        ask("/v1/traces", json.dumps([1] * 100).encode(), JSON)
        while calls(store) < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert calls(store) == 100
        assert ask("/v1/traces", b"[1]", JSON).status == 200
    assert calls(store) == 101
    assert len({key[1] for key in store.windows}) == 2  # each receiver has a name of its own

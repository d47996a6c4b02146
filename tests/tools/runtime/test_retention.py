"""How long the SQLite store keeps what, step by step."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from burnish.errors import Unavailable
from burnish.profile import Deployment
from burnish.protocols import Runtime
from burnish.testing import windows as w
from burnish_tools.runtime import SqliteStore, Taken
from burnish_tools.runtime.format import Window, parse
from burnish_tools.runtime.settings import KeepSettings
from burnish_tools.runtime.sqlite import database
from tests.tools.runtime.contract import HOUR, LIST, SECOND

DAY = 24 * 3600
SQL = "SELECT ?"


def windows(start: float, count: int, *, first: int = 0, instance: str = "one") -> list[Window]:
    """Windows of ten seconds, one after the other."""
    rows = [w.per_call(LIST, SQL, at=f"{LIST}:3", executions=[4, 5])]
    counts, looked = [w.condition(LIST, 2)], [w.exemplar(LIST, wall_ms=2)]
    return [
        parse(
            w.window(
                calls={LIST: 2},
                per_call=rows,
                exemplars=looked,
                conditions=counts,
                dropped={"statements": 1},
                start=start - first * 10,
                seconds=10,
                sequence=first + i,
                instance=instance,
            )
        )
        for i in range(count)
    ]


def tidied(store: SqliteStore, now: float) -> None:
    for _ in range(1_000):
        if not store.tidy(now):
            return
    raise AssertionError("tidying does not end")


def make(tmp_path: Path, **keep: float) -> tuple[SqliteStore, Runtime]:
    store = SqliteStore(tmp_path / "runtime.sqlite3", KeepSettings(**keep))
    return store, store.runtime("shop", "production")


def count(tmp_path: Path, table: str, where: str = "1") -> int:
    db = sqlite3.connect(tmp_path / "runtime.sqlite3")
    found: int = db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
    db.close()
    return found


def test_old_windows_become_minutes_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    store, runtime = make(tmp_path)
    taken = windows(0, 30)
    store.add([*taken[:20], *taken[22:]])  # two are missing: 3:20 to 3:40
    before = runtime.profile()
    tidied(store, 3 * DAY)
    profile = runtime.profile()
    assert before is not None
    assert profile is not None
    points = runtime.series(LIST, "a").points
    assert [(p.start_unix_ns // SECOND, p.seconds, p.calls, p.queries) for p in points] == [
        (0, 60, 12, 54),
        (60, 60, 12, 54),
        (120, 60, 12, 54),
        (180, 20, 4, 18),
        (220, 20, 4, 18),
        (240, 60, 12, 54),
    ]
    same = {"functions", "fan_outs", "entries", "observed_seconds", "dropped", "start_unix_ns", "end_unix_ns"}
    assert profile.model_dump(include=same) == before.model_dump(include=same)
    assert (before.windows, profile.windows) == (28, 6)
    assert store.add(taken) == Taken(new=2, duplicates=28)
    assert sum(p.calls for p in runtime.series(LIST, "a").points) == 60


def test_dropped_windows_leave_their_sums_and_are_not_taken_again(tmp_path: Path) -> None:
    store, runtime = make(tmp_path)
    store.add(windows(0, 3))
    store.add(windows(40 * DAY, 3, first=3))
    tidied(store, 40 * DAY + 60)
    assert len(runtime.series(LIST, "a").points) == 3
    profile = runtime.profile()
    assert profile is not None
    assert (profile.windows, profile.functions[0].calls, profile.observed_seconds) == (3, 6, 30)
    assert [h.calls for h in runtime.history("day", functions=[LIST])] == [6, 6]
    assert runtime.span(LIST, 0, HOUR)[w.ENTRY].calls == 6
    assert store.add(windows(0, 3)) == Taken(refused={"is older than the windows that are kept": 3})


def test_each_kind_of_data_has_its_time(tmp_path: Path) -> None:
    store, runtime = make(tmp_path)
    store.add(windows(0, 3))
    store.mark(Deployment(release="a", unix_ns=0), "shop", "production")
    tidied(store, 13 * DAY)
    assert len(runtime.samples(LIST, "a")) == 3
    tidied(store, 15 * DAY)
    assert list(runtime.samples(LIST, "a")) == []
    tidied(store, 89 * DAY)
    assert len(runtime.history("hour")) == 2
    tidied(store, 92 * DAY)
    assert list(runtime.history("hour")) == []
    assert len(runtime.history("day")) == 2
    tidied(store, 402 * DAY)
    assert list(runtime.history("day")) == []


def test_names_go_when_nothing_refers_to_them(tmp_path: Path) -> None:
    store, runtime = make(tmp_path)
    store.add(windows(0, 3))
    other = w.window(calls={"m:other": 1}, start=402 * DAY, instance="two")
    store.add([parse(other)])
    store.mark(Deployment(release="a", unix_ns=5), "shop", "production")
    tidied(store, 402 * DAY + 60)
    assert count(tmp_path, "functions") == 1
    assert count(tmp_path, "statements") + count(tmp_path, "sites") == 0
    assert list(runtime.deployments()) == []
    assert store.add(windows(402 * DAY, 3, first=50)) == Taken(new=3)
    profile = runtime.profile()
    assert profile is not None
    assert [(f.function, f.calls) for f in profile.functions] == [("m:other", 1), (LIST, 6)]
    assert [f.statement for f in profile.fan_outs] == [SQL]


def test_one_step_is_bounded(tmp_path: Path) -> None:
    store, _ = make(tmp_path)
    store.add(windows(0, 300))
    assert count(tmp_path, "spans", "level = 0 AND NOT summed") == 300
    assert store.tidy(3 * DAY)
    assert count(tmp_path, "spans", "level = 0 AND NOT summed") == 172


def test_a_dataset_that_nobody_adds_to_any_more_stays_when_it_is_read_from_a_directory(tmp_path: Path) -> None:
    lines = [w.window(calls={LIST: 1}, sequence=i, seconds=10) for i in range(12)]
    runtime = w_runtime(tmp_path, lines)
    assert len(runtime.series(LIST, "a").points) == 12


def w_runtime(tmp_path: Path, lines: list[str]) -> Runtime:
    from burnish_tools.runtime import SqliteRuntime

    runtime = SqliteRuntime(tmp_path / "r.sqlite3", "shop", "production", w.write(tmp_path / "windows", *lines))
    runtime.refresh()
    return runtime


def test_a_full_disk_loses_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    store, runtime = make(tmp_path)
    store.add(windows(0, 1))
    pages = store._database.connection.execute("PRAGMA page_count").fetchone()[0]
    store._database.connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [window for i in range(8) for window in windows(i * 600, 60, first=100 * i + 1)]
    with pytest.raises(Unavailable, match="make room on its disk"):
        store.add(many)
    assert sum(p.calls for p in runtime.series(LIST, "a").points) == 2
    store._database.connection.execute("PRAGMA max_page_count = 1000000")
    assert store.add(many) == Taken(new=480)
    assert sum(p.calls for p in runtime.series(LIST, "a").points) == 962


def test_a_locked_file_says_so_and_can_be_tried_again(tmp_path: Path) -> None:
    store, _ = make(tmp_path)
    store._database.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "runtime.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process is writing to it; try again"):
        store.add(windows(0, 1))
    other.execute("ROLLBACK")
    assert store.add(windows(0, 1)) == Taken(new=1)
    assert database.LOCK_SECONDS > 1

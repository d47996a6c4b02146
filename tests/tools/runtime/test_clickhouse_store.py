"""The ClickHouse store on ClickHouse's own engine in this process: the contract, and what is its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import ConfigError, DataError, Unavailable
from burnish.histogram import Histogram
from burnish.testing import windows as w
from burnish_tools.runtime.clickhouse import ClickHouseStore, connect
from burnish_tools.runtime.clickhouse.connection import Connection, without_password
from burnish_tools.runtime.sqlite.cover import MOST
from tests.tools.runtime.contract import HOUR, LIST
from tests.tools.runtime.store_contract import StoreContract, calls, parsed

FILLED = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'migrations' AND total_rows > 0
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database for the module: starting the engine and making the tables takes a second."""
    url = f"chdb://{tmp_path_factory.mktemp('clickhouse')}/dataset"
    connection = connect(url)
    ClickHouseStore(connection)
    yield url
    connection.close()


@pytest.fixture
def url(engine: str) -> str:
    """The same database, empty."""
    connection = connect(engine)
    for (table,) in connection.read(FILLED):
        connection.run(f"TRUNCATE TABLE {table}")
    connection.close()
    return engine


class TestClickHouseStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _empty(self, url: str) -> None:
        self.url = url

    def make_store(self, tmp_path: Path) -> ClickHouseStore:
        return ClickHouseStore(connect(self.url))


class Failing:
    """A connection that fails once, before a chosen insert: what a killed collector or server looks like."""

    def __init__(self, connection: Connection, table: str) -> None:
        self.url, self._connection, self._table = connection.url, connection, table

    def run(self, statement: str, values: Mapping[str, Any] | None = None) -> None:
        self._connection.run(statement, values)

    def read(self, query: str, values: Mapping[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        return self._connection.read(query, values)

    def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], token: str = "") -> None:
        if table == self._table:
            self._table = ""
            raise Unavailable("gone")
        self._connection.insert(table, columns, rows, token)

    def close(self) -> None:
        self._connection.close()


STEPS = ["batches", "functions", "samples", "entry_rows_in", "call_rows_in", "query_rows_in", "points_in", "windows"]


@pytest.mark.parametrize("table", STEPS)
@pytest.mark.parametrize("again", ["the same collector", "the next one"])
def test_whatever_step_fails_a_batch_counts_once(url: str, table: str, again: str) -> None:
    """Sent again it comes with other windows, as a sender may cut its batches anew."""
    query = w.query("SELECT ?", at=f"{LIST}:3", times=5)
    windows = [parsed(calls={LIST: 2}, queries=[query], sequence=i) for i in range(4)]
    store = ClickHouseStore(Failing(connect(url), table))
    with pytest.raises(Unavailable, match="gone"):
        store.add(windows[:3])
    if again == "the next one":
        store = ClickHouseStore(connect(url))
    taken = store.add(windows[1:]) + store.add(windows)
    assert taken.new + taken.duplicates == 7
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    assert (profile.windows, profile.functions[0].calls, profile.queries[0].executions) == (4, 8, 20)
    assert [p.calls for p in store.runtime("shop", "production").series(LIST, "a").points] == [2] * 4
    assert sum(stretch.calls for stretch in store.runtime("shop", "production").history("day", functions=[LIST])) == 8


def test_without_an_answer_a_batch_is_there_once_it_is_tidied(url: str) -> None:
    store = ClickHouseStore(Failing(connect(url), "windows"))
    with pytest.raises(Unavailable):
        store.add([parsed(calls={LIST: 2})])
    ClickHouseStore(connect(url)).tidy(0)
    assert calls(ClickHouseStore(connect(url))) == 2


def test_windows_are_merged_by_the_server_before_they_are_read(url: str) -> None:
    """60 windows of an hour are one row of it."""
    connection = connect(url)
    store = ClickHouseStore(connection)
    for part in range(3):
        store.add([parsed(calls={LIST: 1}, sequence=part * 20 + i) for i in range(20)])
    connection.run("OPTIMIZE TABLE call_rows FINAL")
    rows = connection.read("SELECT level, count(), sum(calls) FROM call_rows GROUP BY level ORDER BY level")
    assert [tuple(row) for row in rows] == [(0, 60, 60), (1, 1, 60), (2, 1, 60)]
    assert calls(store) == 60


def test_histograms_of_other_scales_merge_exactly(url: str) -> None:
    values = [[0.0, 1.5, 900.0], [3e9, 7.0, 2.0**-30], [1e15, 0.25]]
    parts = [Histogram.of(each, scale) for each, scale in zip(values, (3, 0, 5), strict=True)]
    rows = [w.calls(LIST, part.count) | {"wall": part.model_dump(exclude_none=True)} for part in parts]
    store = ClickHouseStore(connect(url))
    store.add([parsed(calls=[row], sequence=i) for i, row in enumerate(rows)])
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    assert profile.functions[0].wall == parts[0] + parts[1] + parts[2]
    hour = store.runtime("shop", "production").span(LIST, 0, HOUR)
    assert hour[w.ENTRY].wall.scale == 0


def test_retention_drops_the_finer_levels_first(url: str) -> None:
    store = ClickHouseStore(connect(url))
    day = 24 * 3600
    store.add([parsed(calls={LIST: 2}, sequence=i, seconds=10) for i in range(6)])
    runtime = store.runtime("shop", "production")
    store.tidy(1.5 * day)  # minutes: 6 h
    assert calls(store) == 12
    within = runtime.profile(since_unix_ns=1)
    assert within is None  # only from a full hour on
    assert [p.calls for p in runtime.series(LIST, "a").points] == [2] * 6
    store.tidy(4 * day)  # single windows: 48 h
    assert [(p.start_unix_ns, p.seconds, p.calls) for p in runtime.series(LIST, "a").points] == [(0, 60, 12)]
    store.tidy(40 * day)  # windows: 35 days
    assert runtime.profile() is None
    assert runtime.series(LIST, "a").points == ()
    assert [stretch.calls for stretch in runtime.history("hour", functions=[LIST])] == [12]
    assert store.add([parsed(calls={LIST: 2}, instance="late")]).refused == {
        "is older than the windows that are kept": 1
    }
    store.tidy(130 * day)  # hours: 90 days, dropped 10 days at a time
    assert list(runtime.history("hour")) == []
    assert [stretch.calls for stretch in runtime.history("day", functions=[LIST])] == [12]


def test_of_very_many_functions_the_dearest_are_there_and_the_others_are_found(url: str) -> None:
    store, many = ClickHouseStore(connect(url)), MOST + 300
    rows = [w.calls(f"m:f{i}", 1 if i % 2 else 3, wall_ms=(i + 1) * 0.01) for i in range(many)]
    queries = [w.query("SELECT ?", at="m:f7:3", ms=900)]
    store.add([parsed(calls=rows, queries=queries)])
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    names = {f.function for f in profile.functions}
    assert {f"m:f{i}" for i in range(many - 400, many, 2)} <= names
    assert len(names) < MOST
    assert profile.dropped == {"rare_calls": many - len(names)}
    times = {f"m:f{i}": (i + 1) * (1 if i % 2 else 3) for i in range(many)}
    left = profile.left_out
    assert left is not None
    assert (left.functions, left.statements) == (many - len(names), 0)
    assert left.own_share == pytest.approx(1 - sum(times[f] for f in names) / sum(times.values()), rel=1e-3)
    hidden = next(f"m:f{i}" for i in range(many) if f"m:f{i}" not in names)
    found = profile.function(hidden)
    assert found is not None
    assert (found.function, found.calls in (1, 3)) == (hidden, True)
    assert profile.function("m:never") is None


def test_a_window_of_the_future_is_refused_and_costs_no_other(url: str) -> None:
    store = ClickHouseStore(connect(url))
    taken = store.add([parsed(calls={LIST: 1}, start=9e9), parsed(calls={LIST: 2}, instance="two")])
    assert (taken.new, sum(taken.refused.values())) == (1, 1)
    assert calls(store) == 2


def test_names_are_data(url: str) -> None:
    hostile = "m:f'); DROP TABLE windows; --\\ {x:String} \n\t\0é"
    store = ClickHouseStore(connect(url))
    store.add([parsed(calls={hostile: 1}, service="'; --", release=hostile)])
    runtime = store.runtime("'; --", "production")
    (seen,) = runtime.history("hour", functions=[hostile])
    assert (seen.function, seen.release) == (hostile, hostile)
    assert len(runtime.series(hostile, hostile).points) == 1
    assert [s.service for s in store.services()] == ["'; --"]


def test_a_directory_of_windows_is_read_once(url: str, tmp_path: Path) -> None:
    runtime = ClickHouseStore(connect(url)).runtime("shop", "production", tmp_path)
    w.write(tmp_path, *(w.window(calls={LIST: 1}, sequence=i) for i in range(3)))
    assert (runtime.refresh(), runtime.refresh()) == (3, 0)
    with (tmp_path / "one.jsonl").open("a") as file:
        file.write("no window\n" + w.window(calls={LIST: 1}, sequence=3) + w.window(calls={}, sequence=4, format=2))
    with pytest.raises(DataError, match=r"one\.jsonl:6: the window has format 2 .* upgrade Burnish"):
        runtime.refresh()
    profile = runtime.profile()
    assert profile is not None
    assert profile.functions[0].calls == 4


def test_a_newer_burnish_has_the_database(url: str) -> None:
    connection = connect(url)
    connection.insert("migrations", {"version": "UInt32"}, [(99,)])
    try:
        with pytest.raises(DataError, match=r"newer Burnish \(schema 99.*upgrade"):
            ClickHouseStore(connection)
    finally:
        connection.run("ALTER TABLE migrations DELETE WHERE version = 99 SETTINGS mutations_sync = 1")


def test_a_server_that_is_away_is_named_without_a_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        Unavailable, match=rf"clickhouse://me@127\.0\.0\.1:{port}/burnish: .*see that the server runs"
    ) as e:
        connect(f"clickhouse://me@127.0.0.1:{port}/burnish", password="s3cret")
    assert "s3cret" not in str(e.value)


@pytest.mark.parametrize(
    "url, reason",
    [
        ("clickhouse://me:s3cret@host/burnish", "takes no password in the URL"),
        ("clickhouse://host", "is not of the form"),
        ("clickhouse://host/a-b", "is not of the form"),
        ("clickhouse://host:high/burnish", "Port"),
    ],
)
def test_a_wrong_url_is_told(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as e:
        connect(url)
    assert "s3cret" not in str(e.value)


def test_a_url_is_shown_without_its_password() -> None:
    assert without_password("clickhouse://me:s3@cret@host:1/db") == "clickhouse://me@host:1/db"
    assert without_password("clickhouse://host/db") == "clickhouse://host/db"

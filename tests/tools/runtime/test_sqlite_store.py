"""The SQLite store: the contract, and what is its own (files, marks, broken lines, a broken database)."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from burnish.errors import DataError
from burnish.protocols import Runtime
from burnish.testing import windows as w
from burnish_tools.runtime import SqliteRuntime, SqliteStore
from burnish_tools.runtime.format import Window, parse
from burnish_tools.runtime.sqlite.codec import settled
from burnish_tools.runtime.sqlite.schema import MIGRATIONS
from burnish_tools.runtime.tally import Tally
from tests.tools.runtime.contract import LIST, RuntimeContract
from tests.tools.runtime.store_contract import StoreContract


def store(tmp_path: Path) -> SqliteRuntime:
    return SqliteRuntime(tmp_path / "data" / "runtime.sqlite3", "shop", "production", tmp_path / "windows")


def calls(runtime: Runtime) -> int:
    profile = runtime.profile()
    return 0 if profile is None else profile.functions[0].calls


class TestSqliteRuntime(RuntimeContract):
    def runtime(self, tmp_path: Path, *lines: str) -> Runtime:
        w.write(tmp_path / "windows", *lines)
        runtime = store(tmp_path)
        assert runtime.refresh() == len(lines)
        return runtime


class TestTakenInOverTime(RuntimeContract):
    """The same answers when each window comes alone, in the opposite order, through `take`."""

    def runtime(self, tmp_path: Path, *lines: str) -> Runtime:
        runtime = store(tmp_path)
        for line in reversed(lines):
            assert runtime.take([parse(line)]) == 1
        return runtime


class TestSqliteStore(StoreContract):
    def make_store(self, tmp_path: Path) -> SqliteStore:
        return SqliteStore(tmp_path / "data" / "runtime.sqlite3")


def test_a_refresh_reads_only_what_is_new(tmp_path: Path) -> None:
    runtime = store(tmp_path)
    assert runtime.refresh() == 0
    for sequence in range(3):
        w.write(tmp_path / "windows", w.window(calls={LIST: 2}, sequence=sequence))
        assert runtime.refresh() == 1
    assert runtime.refresh() == 0
    assert calls(runtime) == 6


def test_another_process_goes_on_where_the_first_was(tmp_path: Path) -> None:
    w.write(tmp_path / "windows", w.window(calls={LIST: 2}))
    first = store(tmp_path)
    assert first.refresh() == 1
    w.write(tmp_path / "windows", w.window(calls={LIST: 2}, sequence=1))
    second = store(tmp_path)
    assert second.refresh() == 1
    assert first.refresh() == 0
    assert calls(first) == calls(second) == 4


def test_a_half_written_last_line_is_left_until_it_is_whole(tmp_path: Path) -> None:
    line = w.window(calls={LIST: 2})
    file = tmp_path / "windows" / "one.jsonl"
    file.parent.mkdir()
    file.write_text(line[:50])
    runtime = store(tmp_path)
    assert runtime.refresh() == 0
    file.write_text(line)
    assert runtime.refresh() == 1
    assert list(runtime.bad_lines()) == []


def test_a_window_that_comes_twice_counts_once(tmp_path: Path) -> None:
    line = w.window(calls={LIST: 2})
    w.write(tmp_path / "windows", line, line)
    (tmp_path / "windows" / "copy.jsonl").write_text(line)
    runtime = store(tmp_path)
    assert runtime.refresh() == 1
    assert runtime.take([parse(line)]) == 0
    assert calls(runtime) == 2


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_from_its_start(tmp_path: Path) -> None:
    w.write(tmp_path / "windows", *(w.window(calls={LIST: 1}, sequence=i) for i in range(3)))
    runtime = store(tmp_path)
    assert runtime.refresh() == 3
    (tmp_path / "windows" / "one.jsonl").write_text(w.window(calls={LIST: 1}, sequence=9))
    assert runtime.refresh() == 1
    assert calls(runtime) == 4


@pytest.mark.parametrize(
    "bad, reason",
    [
        ("{not json}", "Invalid JSON"),
        ('{"format": 1}', "service: Field required"),
        (w.window(calls={LIST: 1}, start=100, seconds=-60).strip(), "end_unix_ns lies before start_unix_ns"),
        ("\x00\x01", "Invalid JSON"),
    ],
)
def test_a_bad_line_is_told_once_and_costs_no_other_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: str, reason: str
) -> None:
    w.write(tmp_path / "windows", w.window(calls={LIST: 1}))
    with (tmp_path / "windows" / "one.jsonl").open("a") as file:
        file.write(bad + "\n\n" + w.window(calls={LIST: 1}, sequence=1))
    runtime = store(tmp_path)
    with caplog.at_level(logging.WARNING, "burnish.runtime"):
        assert runtime.refresh() == 2
        assert runtime.refresh() == 0
    assert [(place, reason in why) for place, why in runtime.bad_lines()] == [("one.jsonl:2", True)]
    (message,) = caplog.messages
    assert "one.jsonl:2: not a window, skipped" in message


def test_a_newer_format_is_refused_once_and_kept(tmp_path: Path) -> None:
    newer = w.window(calls={LIST: 1}, format=2)
    w.write(tmp_path / "windows", newer, w.window(calls={LIST: 1}, sequence=1))
    runtime = store(tmp_path)
    with pytest.raises(DataError, match=r"one\.jsonl:1: the window has format 2 .* upgrade Burnish"):
        runtime.refresh()
    assert calls(runtime) == 1  # the other line was taken in
    assert runtime.refresh() == 0
    db = sqlite3.connect(tmp_path / "data" / "runtime.sqlite3")
    assert db.execute("SELECT place, format, line FROM refused").fetchall() == [("one.jsonl:1", 2, newer.encode())]


def test_a_line_kept_by_an_older_burnish_is_read_by_one_that_understands_it(tmp_path: Path) -> None:
    runtime = store(tmp_path)
    db = sqlite3.connect(tmp_path / "data" / "runtime.sqlite3")
    with db:
        line = w.window(calls={LIST: 3}).encode()
        db.execute("INSERT INTO refused VALUES ('one.jsonl:1', 1, ?)", (line,))
    assert runtime.refresh() == 1
    assert runtime.refresh() == 0
    assert calls(runtime) == 3


def test_a_corrupt_file_names_itself_and_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "data" / "runtime.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError, match=r"runtime\.sqlite3: .*move it away; the windows in .*windows are read again"):
        store(tmp_path)


def test_damage_inside_the_file_is_reported_when_it_is_met(tmp_path: Path) -> None:
    w.write(tmp_path / "windows", *(w.window(calls={LIST: 1}, sequence=i) for i in range(20)))
    runtime = store(tmp_path)
    runtime.refresh()
    runtime.close()
    path = tmp_path / "data" / "runtime.sqlite3"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(DataError, match="move it away"):
        store(tmp_path).profile()


def test_a_database_of_a_newer_burnish_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "runtime.sqlite3"
    store(tmp_path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(DataError, match=r"written by a newer Burnish .*upgrade"):
        store(tmp_path)


def test_a_path_that_cannot_be_made_names_itself(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no directory")
    with pytest.raises(DataError, match="data"):
        store(tmp_path)


def test_old_windows_are_thinned_and_answers_stay_the_same(tmp_path: Path) -> None:
    """
    windows of one minute     0 … 60 m               20 h
                              └ thinned when the last one comes
    """
    per_call = [w.per_call(LIST, "SELECT ?", at=f"{LIST}:3", executions=[4, 5])]
    lines = [w.window(calls={LIST: 2}, per_call=per_call, sequence=i) for i in range(60)]
    w.write(tmp_path / "windows", *lines)
    runtime = store(tmp_path)
    runtime.refresh()
    before, series = runtime.profile(), runtime.series(LIST, "a")
    w.write(tmp_path / "windows", w.window(calls={"m:other": 1}, start=20 * 3600, instance="two"))
    runtime.refresh()
    after = runtime.profile()
    assert before is not None
    assert after is not None
    assert after.function(LIST) == before.function(LIST)
    assert (after.fan_outs, after.windows) == (before.fan_outs, 61)
    assert runtime.series(LIST, "a") == series
    assert [p.queries for p in series.points] == [9] * 60
    db = sqlite3.connect(tmp_path / "data" / "runtime.sqlite3")
    single = "FROM fan_out_rows JOIN spans ON id = span_id WHERE level = 0"
    assert db.execute(f"SELECT count(*) {single}").fetchone() == (0,)
    # within the thinned part a profile begins at a full hour
    cut = runtime.profile(since_unix_ns=30 * 60 * 10**9)
    assert cut is not None
    assert (cut.windows, cut.function(LIST)) == (1, None)


def test_a_late_window_is_still_counted(tmp_path: Path) -> None:
    runtime = store(tmp_path)
    lines = [w.window(calls={LIST: 1}, start=hour * 3600, instance=f"i{hour}") for hour in (20, 0, 0.5)]
    for line in lines:
        w.write(tmp_path / "windows", line)
        assert runtime.refresh() == 1
    assert calls(runtime) == 3


def test_a_database_of_schema_1_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "data" / "runtime.sqlite3"
    path.parent.mkdir()
    db = sqlite3.connect(path)
    MIGRATIONS[0](db)
    db.execute("PRAGMA user_version = 1")
    db.executescript(
        """
        INSERT INTO functions VALUES (1, 'm:f', 'm.py', 1, 2, 'body', 'function');
        INSERT INTO entries VALUES (1, 'GET /', 'http');
        INSERT INTO last_seen VALUES (1, 'shop', 'production', 'a', 60);
        INSERT INTO spans VALUES (1, 0, 'shop', 'production', 'a', 0, 60, 'one', 0, '3.11', '{"dropped": {}}', 1);
        INSERT INTO spans VALUES (2, 2, 'shop', 'production', 'a', 0, 60, NULL, NULL, NULL, NULL, 1);
        """
    )
    row = (1, 1, 7, 70.0, 70.0, 0.0, "{}", "{}", Tally().packed(), Tally().packed())
    db.executemany(f"INSERT INTO call_rows VALUES (?, {', '.join('?' * 10)})", [(1, *row), (2, *row)])
    db.commit()
    db.close()
    runtime = store(tmp_path)
    assert calls(runtime) == 7
    assert runtime.take([parse(w.window(calls={"m:f": 1}, instance="two"))]) == 1
    assert sum(h.calls for h in runtime.history("day", functions=["m:f"])) == 8


def test_a_window_that_waited_in_a_store_of_schema_2_counts_once(tmp_path: Path) -> None:
    """There its points were written when it came, and its rows deflated."""
    path = tmp_path / "runtime.sqlite3"
    before = SqliteStore(path)
    before.add([parse(w.window(calls={LIST: 3}))])
    before.close()
    db = sqlite3.connect(path)
    ((blob,),) = db.execute("SELECT rows FROM details").fetchall()
    db.execute("UPDATE details SET rows = ?", (settled(blob),))
    db.execute(
        "INSERT INTO points SELECT f.id, s.id, e.id, 3, 1.0, 0 FROM functions f, spans s, entries e"
        " WHERE f.name = ? AND e.entry = ?",
        (LIST, w.ENTRY),
    )
    db.execute("PRAGMA user_version = 2")
    db.commit()
    db.close()
    runtime = SqliteStore(path).runtime("shop", "production")
    assert [p.calls for p in runtime.series(LIST, "a").points] == [3]
    assert calls(runtime) == 3


def test_a_store_and_the_datasets_of_its_services_share_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    runtime = store.runtime("shop", "production")
    runtime.close()
    assert store.add([parse(w.window(calls={LIST: 1}))]).new == 1
    assert calls(runtime) == 1


def test_what_was_kept_of_looked_at_calls_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    def window(sequence: int) -> Window:
        exemplars = [w.exemplar("m:f", wall_ms=3, slow=True)]
        return parse(
            w.window(calls={"m:f": 1}, exemplars=exemplars, conditions=[w.condition("m:f", 1)], sequence=sequence)
        )

    one, other = (SqliteStore(tmp_path / "runtime.sqlite3") for _ in range(2))
    one.add([window(0)])
    runtime = one.runtime("shop", "production")
    assert len(runtime.samples("m:f", "a")) == 1
    assert runtime.samples("m:f", "a") is runtime.samples("m:f", "a")
    other.add([window(1)])
    assert len(runtime.samples("m:f", "a")) == 2
    one.add([window(2)])
    assert len(runtime.samples("m:f", "a")) == 3

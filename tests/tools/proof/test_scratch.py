from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import ConfigError, Unavailable
from burnish_tools.proof import scratch
from burnish_tools.proof.scratch import scratch_databases, with_database, without_driver


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE books (id INTEGER)")
        database.executemany("INSERT INTO books VALUES (?)", [(n,) for n in range(1000)])
        database.commit()
    return path


def rows(url: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        return int(database.execute("SELECT count(*) FROM books").fetchone()[0])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_copies_are_independent_and_the_snapshot_is_untouched(snapshot: Path, tmp_path: Path) -> None:
    before, beside = digest(snapshot), sorted(tmp_path.iterdir())
    (tmp_path / "scratch").mkdir()
    with scratch_databases(f"sqlite:///{snapshot}", tmp_path / "scratch") as databases:
        old, new = databases.copy("old"), databases.copy("new")
        with closing(sqlite3.connect(new.removeprefix("sqlite:///"))) as database:
            database.execute("DELETE FROM books")
            database.commit()
        assert (rows(old), rows(new)) == (1000, 0)
    assert digest(snapshot) == before
    assert sorted(set(tmp_path.iterdir()) - {tmp_path / "scratch"}) == beside


def test_rows_in_a_write_ahead_log_are_copied(snapshot: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(snapshot)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("INSERT INTO books VALUES (1000)")
        writer.commit()
        with scratch_databases(f"sqlite:///{snapshot}", tmp_path) as databases:
            assert rows(databases.copy("old")) == 1001


@pytest.mark.parametrize("url, told", [("sqlite:////no/such/file", "there is no file"), ("mysql://a/b", "not known")])
def test_an_unusable_url_is_explained(url: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told), scratch_databases(url, tmp_path) as databases:
        databases.copy("old")


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to have a header of one hundred bytes" * 3)
    with scratch_databases(f"sqlite:///{path}", tmp_path) as databases, pytest.raises(ConfigError, match=r"notes\.txt"):
        databases.copy("old")


def test_the_database_of_a_url_is_replaced() -> None:
    assert with_database("postgresql://u:p%40@h:5433/a?sslmode=require", "b c") == (
        "postgresql://u:p%40@h:5433/b%20c?sslmode=require"
    )


def test_the_driver_of_the_service_is_left_out_of_our_own_connections() -> None:
    url = "postgresql+asyncpg://u:p%40@h:5433/a?ssl=require"
    assert without_driver(url) == "postgresql://u:p%40@h:5433/a?ssl=require"
    assert with_database(url, "b") == "postgresql+asyncpg://u:p%40@h:5433/b?ssl=require"
    assert without_driver("sqlite+aiosqlite:////tmp/a.sqlite3") == "sqlite:////tmp/a.sqlite3"
    assert without_driver("sqlite:///a.sqlite3") == "sqlite:///a.sqlite3"


def test_copies_are_named_with_the_scheme_of_the_snapshot(snapshot: Path, tmp_path: Path) -> None:
    with scratch_databases(f"sqlite+aiosqlite:///{snapshot}", tmp_path) as databases:
        assert databases.copy("old") == f"sqlite+aiosqlite:///{tmp_path}/old.sqlite3"
        assert rows(f"sqlite:///{tmp_path}/old.sqlite3") == 1000


def names(admin: Any) -> set[str]:
    return {name for (name,) in admin.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}


@pytest.mark.postgres
def test_postgresql_copies_are_dropped_and_so_are_those_of_dead_runs(postgres_url: str, tmp_path: Path) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE snapshot")
        admin.execute(f"CREATE DATABASE {scratch.PREFIX}0badf00d_old")
        with psycopg.connect(with_database(postgres_url, "snapshot")) as filled:
            filled.execute("CREATE TABLE books AS SELECT generate_series(1, 10) AS id")
        before = names(admin)
        with scratch_databases(with_database(postgres_url, "snapshot"), tmp_path) as databases:
            assert databases.network
            copies = {databases.copy("old"), databases.copy("new"), databases.empty("tests")}
            assert len(names(admin)) == len(before) - 1 + len(copies)
            with psycopg.connect(databases.copy("third")) as copy:
                copy.execute("DELETE FROM books")
            with scratch_databases(with_database(postgres_url, "snapshot"), tmp_path):
                assert len(names(admin)) == len(before) + len(copies)
        assert names(admin) == before - {f"{scratch.PREFIX}0badf00d_old"}
        with psycopg.connect(with_database(postgres_url, "snapshot")) as filled:
            assert filled.execute("SELECT count(*) FROM books").fetchone() == (10,)
        admin.execute("DROP DATABASE snapshot WITH (FORCE)")


@pytest.mark.postgres
def test_a_server_that_is_away_can_be_tried_again(tmp_path: Path) -> None:
    with (
        pytest.raises(Unavailable, match="cannot be reached"),
        scratch_databases("postgres://u@127.0.0.1:1/a", tmp_path),
    ):
        pass

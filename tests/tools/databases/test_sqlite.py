"""Plans of a real SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from burnish.errors import ConfigError, Unavailable
from burnish.protocols import Index
from burnish_tools.databases import connect
from burnish_tools.databases.sqlite import SqliteDatabase

SCHEMA = """
CREATE TABLE movement (id INTEGER PRIMARY KEY, sku TEXT, kind TEXT, at TEXT, note TEXT);
CREATE INDEX by_kind_at ON movement (kind, at DESC);
CREATE INDEX only_open ON movement (note) WHERE note IS NOT NULL;
CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a file?.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    db.executemany("INSERT INTO movement (sku, kind, at) VALUES (?, ?, ?)", ((str(i), "k", "t") for i in range(50)))
    db.commit()
    db.close()
    return path


@pytest.fixture
def database(path: Path) -> SqliteDatabase:
    return SqliteDatabase(path)


@pytest.mark.parametrize(
    "statement, scans, indexes",
    [
        ('SELECT * FROM "movement" WHERE "movement"."sku" = ?', ("movement",), ()),
        ("SELECT * FROM movement m WHERE m.sku IN (?) LIMIT ?", ("movement",), ()),
        ("SELECT * FROM movement WHERE kind = ? ORDER BY at DESC LIMIT ?", (), ("by_kind_at",)),
        ("SELECT * FROM movement WHERE id = ?", (), ("PRIMARY KEY",)),
        # a join that reads one table as a whole and the other by its key
        (
            "SELECT m.id FROM movement m INNER JOIN product p ON (p.id = m.id) WHERE m.sku = ?",
            ("movement",),
            ("PRIMARY KEY",),
        ),
        # an index that is walked from end to end saves nothing, unless a limit stops the walk
        ("SELECT count(*) FROM movement WHERE at > ?", ("movement",), ("by_kind_at",)),
        ("SELECT kind, at FROM movement ORDER BY kind, at DESC LIMIT ?", (), ("by_kind_at",)),
        ("SELECT kind FROM movement ORDER BY at LIMIT ?", ("movement",), ("by_kind_at",)),
        ("UPDATE movement SET note = ? WHERE sku = ?", ("movement",), ()),
    ],
)
def test_full_scans_and_indexes(
    database: SqliteDatabase, statement: str, scans: tuple[str, ...], indexes: tuple[str, ...]
) -> None:
    plan = database.plan(statement)
    assert plan is not None
    assert (plan.full_scans, plan.indexes) == (scans, indexes)
    assert plan.lines


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM nowhere", "SELECT FROM WHERE", "DROP TABLE movement", "SELECT ?;SELECT ?"]
)
def test_what_cannot_be_planned_is_none(database: SqliteDatabase, statement: str) -> None:
    assert database.plan(statement) is None


def test_planning_executes_nothing(database: SqliteDatabase) -> None:
    assert database.plan("DELETE FROM movement WHERE sku = ?") is not None
    assert database.rows("movement") == 50


def test_an_index_is_tried_on_a_copy_and_nothing_changes_here(database: SqliteDatabase, path: Path) -> None:
    statement = "SELECT * FROM movement WHERE sku = ? ORDER BY at DESC LIMIT ?"
    before = path.read_bytes()
    plan = database.plan_with(statement, Index("movement", ("sku", "-at")))
    assert plan is not None
    assert (plan.full_scans, plan.indexes) == ((), ("burnish_trial",))
    assert "copy" in plan.tried_on
    useless = database.plan_with(statement, Index("movement", ("note",)))
    assert useless is not None
    assert useless.full_scans == ("movement",)
    assert path.read_bytes() == before
    assert "burnish_trial" not in database.indexes("movement")
    assert database.writes("movement") is None


def test_a_partial_index_serves_only_its_condition(database: SqliteDatabase) -> None:
    index = Index("movement", ("sku",), "note IS NULL")
    serves = database.plan_with("SELECT * FROM movement WHERE sku = ? AND note IS NULL", index)
    other = database.plan_with("SELECT * FROM movement WHERE sku = ?", index)
    assert serves is not None
    assert other is not None
    assert (serves.full_scans, other.full_scans) == ((), ("movement",))


def test_the_statistics_count_in_a_trial(database: SqliteDatabase, path: Path) -> None:
    """
    by_kind_at   says by ANALYZE that one kind is half of the table ──▶ the trial's index is taken
                 says that one kind is one row                      ──▶ it stays
    """
    statement, index = "SELECT * FROM movement WHERE kind = ? AND sku = ?", Index("movement", ("sku",))
    used = []
    for stat in ("1000000 500000 1", "1000000 1 1"):
        with closing(sqlite3.connect(path)) as db:
            db.execute("ANALYZE")
            db.execute("DELETE FROM sqlite_stat1")
            db.execute("INSERT INTO sqlite_stat1 VALUES ('movement', 'by_kind_at', ?)", (stat,))
            db.commit()
        plan = database.plan_with(statement, index)
        used.append(plan.indexes if plan else None)
    assert used == [("burnish_trial",), ("by_kind_at",)]


@pytest.mark.parametrize(
    "statement, index",
    [
        ("SELECT * FROM movement WHERE sku = ?", Index("movement", ("nothing",))),
        ("SELECT * FROM movement WHERE sku = ?", Index("nowhere", ("sku",))),
        ("SELECT * FROM movement WHERE sku = ?", Index("movement", ("sku",), "1; DROP TABLE movement")),
        ("DROP TABLE movement", Index("movement", ("sku",))),
    ],
)
def test_what_cannot_be_tried_is_none(database: SqliteDatabase, statement: str, index: Index) -> None:
    assert database.plan_with(statement, index) is None


def test_facts_of_tables(database: SqliteDatabase, path: Path) -> None:
    assert database.rows("movement") == 50
    assert database.rows("nowhere") == 0
    assert database.indexes("movement") == {"PRIMARY KEY": ("id",), "by_kind_at": ("kind", "-at")}
    db = sqlite3.connect(path)
    db.execute("ANALYZE")
    db.execute("DELETE FROM movement WHERE id > 10")
    db.commit()
    db.close()
    assert database.rows("movement") == 50  # ANALYZE's estimate is taken, not a count


def test_a_missing_or_broken_file_is_unavailable_and_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"gone\.sqlite3: there is no such database file"):
        SqliteDatabase(tmp_path / "gone.sqlite3").rows("t")
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(Unavailable, match=r"text: .*is it an SQLite file"):
        SqliteDatabase(tmp_path / "text").plan("SELECT a FROM t")


def test_urls(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/x%20y.sqlite3")
    assert isinstance(database, SqliteDatabase)
    assert database.path == tmp_path / "x y.sqlite3"
    relative = connect("sqlite:///data/x.sqlite3")
    assert isinstance(relative, SqliteDatabase)
    assert relative.path == Path("data/x.sqlite3")
    with pytest.raises(ConfigError, match="name the file"):
        connect("sqlite://")
    with pytest.raises(ConfigError, match="'mysql' is not a database") as error:
        connect("mysql://root:secret@db/x")
    assert "secret" not in str(error.value)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries

pytest.importorskip("psycopg2")

APP = """
    import os
    import psycopg2
    from psycopg2 import extensions, extras, sql

    URL = os.environ["DATABASE"]

    class Connection(extensions.connection):
        pass
    class Cursor(extensions.cursor):
        pass

    def fill(db):
        with db.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE book (id serial, title text)")
            cursor.executemany("INSERT INTO book (title) VALUES (%s)", [("t%d" % n,) for n in range(8)])
            extras.execute_values(cursor, "INSERT INTO book (title) VALUES %s", [("hunter2",), ("b",)])

    def fetch_each_way(db):
        cursor = db.cursor()
        cursor.execute(sql.SQL("SELECT id FROM {} WHERE id < 8").format(sql.Identifier("book")))
        assert cursor.fetchone() == (1,)
        assert len(cursor.fetchmany(2)) == 2
        assert [row[0] for row in cursor] == [4, 5, 6, 7]

    def title(db, number):
        cursor = db.cursor(cursor_factory=extras.RealDictCursor)
        cursor.execute("SELECT title FROM book WHERE id = %s", (number,))
        return cursor.fetchone()["title"]

    def named(db):
        with db.cursor("many", extras.NamedTupleCursor) as cursor:
            cursor.execute("SELECT id FROM book")
            return [row.id for row in cursor]

    def broken(db):
        try:
            db.cursor().execute("SELECT 'hunter2' FROM missing")
        except psycopg2.errors.UndefinedTable:
            db.rollback()

    def dictionaries():
        db = psycopg2.connect(URL, connection_factory=extras.DictConnection)
        cursor = db.cursor()
        cursor.execute("SELECT generate_series(1, 3) AS n")
        return [row["n"] for row in cursor]

    def main():
        db = psycopg2.connect(URL)
        assert isinstance(db, extensions.connection)
        extras.register_uuid(conn_or_curs=db)
        extensions.quote_ident("x", db)
        fill(db)
        fetch_each_way(db)
        assert [title(db, number) for number in (1, 2)] == ["t0", "t1"]
        assert len(named(db)) == 10
        broken(db)
        assert dictionaries() == [1, 2, 3]
        own = psycopg2.connect(URL, connection_factory=Connection, cursor_factory=Cursor)
        assert isinstance(own, Connection) and isinstance(own.cursor(), Cursor)
"""


@pytest.fixture
def window(tmp_path: Path, postgres_url: str) -> dict[str, Any]:
    return observe(tmp_path, APP, DATABASE=postgres_url)


def test_statements_are_attributed_with_their_rows(window: dict[str, Any]) -> None:
    assert queries(window) == {
        ("fill", "CREATE TEMP TABLE book (id serial, title text)"): (1, None),
        ("fill", "INSERT INTO book (title) VALUES (?)"): (2, None),
        ("fetch_each_way", 'SELECT id FROM "book" WHERE id < ?'): (1, 7),
        ("title", "SELECT title FROM book WHERE id = ?"): (2, 2),
        ("named", "SELECT id FROM book"): (1, 10),
        ("broken", "SELECT ? FROM missing"): (1, None),
        ("dictionaries", "SELECT generate_series(?, ?) AS n"): (1, 3),
    }
    assert lines(window, "app:title") == [line_of(APP, '"SELECT title FROM book WHERE')]


def test_errors_have_their_type_and_no_literal_is_written(window: dict[str, Any]) -> None:
    assert errors(window) == {"broken": {"UndefinedTable": 1}}
    assert "hunter2" not in str(window)


SQLALCHEMY = """
    import os
    import sqlalchemy as sa
    engine = sa.create_engine(os.environ["DATABASE"].replace("postgres:", "postgresql+psycopg2:"))

    def main():
        with engine.connect() as connection:
            assert len(connection.execute(sa.text("SELECT generate_series(1, 3)")).fetchall()) == 3
"""


def test_under_sqlalchemy_a_statement_is_counted_once(tmp_path: Path, postgres_url: str) -> None:
    pytest.importorskip("sqlalchemy")
    found = queries(observe(tmp_path, SQLALCHEMY, DATABASE=postgres_url))
    assert found == {("main", "SELECT generate_series(?, ?)"): (1, 3)}

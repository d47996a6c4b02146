from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.loopback import listening, mysql
from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries

pytest.importorskip("pymysql")

APP = """
    import os
    import pymysql
    from pymysql import cursors

    def connect(**options):
        return pymysql.connect(host="127.0.0.1", port=int(os.environ["PORT"]), user="u", **options)

    def fill(cursor):
        cursor.executemany("INSERT INTO book (title) VALUES (%s)", [("hunter2",), ("b",)])

    def fetch_each_way(cursor):
        cursor.execute("SELECT x FROM book LIMIT 7")
        assert cursor.fetchone() == ("0",)
        assert len(cursor.fetchmany(2)) == 2
        assert len(list(cursor)) == 4

    def dictionaries(cursor):
        cursor.execute('SELECT x FROM book WHERE t = "hunter2" LIMIT %s', 3)
        return cursor.fetchall()

    def streamed(cursor):
        cursor.execute("SELECT y FROM book LIMIT 5")
        assert cursor.fetchone() is not None
        return cursor.fetchall()

    def broken(cursor):
        try:
            cursor.execute("SELECT 'hunter2' FROM missing")
        except pymysql.err.ProgrammingError:
            pass

    def main():
        cursor = connect().cursor()
        fill(cursor)
        fetch_each_way(cursor)
        assert dictionaries(connect(cursorclass=cursors.DictCursor).cursor())[0] == {"x": "0"}
        assert len(streamed(connect(cursorclass=cursors.SSCursor).cursor())) == 4
        broken(cursor)
"""


def test_statements_are_attributed_with_their_rows_and_errors(tmp_path: Path) -> None:
    with listening(mysql) as port:
        window = observe(tmp_path, APP, PORT=str(port))
    assert queries(window) == {
        ("fill", "INSERT INTO book (title) VALUES (?)"): (1, None),
        ("fetch_each_way", "SELECT x FROM book LIMIT ?"): (1, 7),
        ("dictionaries", "SELECT x FROM book WHERE t = ? LIMIT ?"): (1, 3),
        ("streamed", "SELECT y FROM book LIMIT ?"): (1, 5),
        ("broken", "SELECT ? FROM missing"): (1, None),
    }
    assert {statement["system"] for statement in window["statements"].values()} == {"mysql"}
    assert lines(window, "app:dictionaries") == [line_of(APP, "WHERE t =")]
    assert errors(window) == {"broken": {"ProgrammingError": 1}}
    assert "hunter2" not in str(window)


SQLALCHEMY = """
    import os
    import sqlalchemy as sa
    engine = sa.create_engine("mysql+pymysql://u@127.0.0.1:%s/" % os.environ["PORT"], _initialize=False)

    def main():
        with engine.connect() as connection:
            assert len(connection.exec_driver_sql("SELECT x FROM book LIMIT 3").fetchall()) == 3
"""


def test_under_sqlalchemy_a_statement_is_counted_once(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    with listening(mysql) as port:
        found = queries(observe(tmp_path, SQLALCHEMY, PORT=str(port)))
    assert found == {("main", "SELECT x FROM book LIMIT ?"): (1, 3)}

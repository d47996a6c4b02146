from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries
from tests.sensor.support import run

APP = """
    import sqlite3

    db = sqlite3.connect("books.db")

    def fill():
        db.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT)")
        db.executemany("INSERT INTO book (title) VALUES (?)", [("t%d" % n,) for n in range(9)])
        db.commit()

    def fetch_each_way():
        cursor = db.cursor()
        cursor.execute("SELECT id FROM book WHERE id < 8")
        assert cursor.fetchone() == (1,)
        assert len(cursor.fetchmany(2)) == 2
        assert [row[0] for row in cursor] == [4, 5, 6, 7]

    def fetch_all():
        return db.execute("SELECT title FROM book WHERE id > 3").fetchall()

    def one_by_one(count):
        for number in range(count):
            title(number)

    def title(number):
        return db.execute("SELECT title FROM book WHERE id = ?", (number,)).fetchone()

    def broken():
        try:
            db.execute("SELECT 'hunter2' FROM missing")
        except sqlite3.OperationalError:
            pass

    def script():
        db.executescript("DELETE FROM book; VACUUM")

    def main():
        fill()
        fetch_each_way()
        fetch_all()
        one_by_one(4)
        broken()
        script()
"""


@pytest.fixture
def window(tmp_path: Path) -> dict[str, Any]:
    return observe(tmp_path, APP)


def test_statements_are_attributed_with_their_rows(window: dict[str, Any]) -> None:
    assert queries(window) == {
        ("fill", "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT)"): (1, None),
        ("fill", "INSERT INTO book (title) VALUES (?)"): (1, None),
        ("fetch_each_way", "SELECT id FROM book WHERE id < ?"): (1, 7),
        ("fetch_all", "SELECT title FROM book WHERE id > ?"): (1, 6),
        ("title", "SELECT title FROM book WHERE id = ?"): (4, 3),
        ("broken", "SELECT ? FROM missing"): (1, None),
        ("script", "DELETE FROM book; VACUUM"): (1, None),
    }
    assert {statement["system"] for statement in window["statements"].values()} == {"sqlite"}


def test_the_call_site_is_the_line(window: dict[str, Any]) -> None:
    assert lines(window, "app:title") == [line_of(APP, '"SELECT title FROM book WHERE id = ?"')]


def test_an_n_plus_1_is_visible(window: dict[str, Any]) -> None:
    (row,) = (row for row in window["per_call"] if row["function"] == "app:one_by_one")
    assert (row["calls"], row["executions"]["sum"], row["site"]["function"]) == (1, 4, "app:title")


def test_errors_have_their_type(window: dict[str, Any]) -> None:
    assert errors(window) == {"broken": {"OperationalError": 1}}
    assert "hunter2" not in str(window)


FACTORIES = """
    import sqlite3

    class Connection(sqlite3.Connection):
        def double(self): return 2
    class Cursor(sqlite3.Cursor):
        pass
    class Overriding(sqlite3.Connection):
        def cursor(self, factory=Cursor): return super().cursor(factory)

    def main():
        plain = sqlite3.connect(":memory:")
        assert isinstance(plain, sqlite3.Connection)
        assert type(plain).__qualname__ == "Connection"
        plain.row_factory = sqlite3.Row
        assert plain.execute("SELECT 1 AS one").fetchone()["one"] == 1
        assert isinstance(plain.cursor(), sqlite3.Cursor)
        assert isinstance(plain.cursor(Cursor), Cursor)
        own = sqlite3.connect(":memory:", 5.0, 0, None, True, Connection)
        assert own.double() == 2 and isinstance(own, Connection)
        own.execute("SELECT 2").fetchall()
        keyword = sqlite3.connect(":memory:", factory=Connection)
        keyword.execute("SELECT 2").fetchall()
        assert isinstance(sqlite3.connect(":memory:", factory=Overriding).cursor(), Cursor)
        made = sqlite3.connect(":memory:", factory=lambda *a, **k: Connection(*a[:1]))
        assert made.execute("SELECT 3").fetchone() == (3,)
        with sqlite3.connect(":memory:") as other:
            plain.backup(other)
        assert list(plain.iterdump())
        try:
            sqlite3.connect(":memory:", factory=int)
        except TypeError:
            pass
        else:
            raise AssertionError("the library's own error is expected")
"""


def test_factories_of_the_application_stay_what_they_are(tmp_path: Path) -> None:
    found = queries(observe(tmp_path, FACTORIES))
    assert found["main", "SELECT ? AS one"] == (1, 1)
    assert found["main", "SELECT ?"] == (2, 2)


DJANGO = """
    import django
    from django.conf import settings
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    django.setup()
    from django.db import connection

    def main():
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [1])
            cursor.fetchall()
            cursor.execute("CREATE TABLE t (n)")
            cursor.executemany("INSERT INTO t VALUES (%s)", [[1], [2]])
"""
SQLALCHEMY = """
    import sqlalchemy as sa
    engine = sa.create_engine("sqlite://")

    def main():
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1")).fetchall()
            try:
                connection.execute(sa.text("SELECT x"))
            except sa.exc.OperationalError:
                pass
            connection.connection.execute("SELECT 4").fetchall()
"""


def test_under_django_a_statement_is_counted_once(tmp_path: Path) -> None:
    pytest.importorskip("django")
    found = queries(observe(tmp_path, DJANGO))
    assert found == {
        ("main", "SELECT ?"): (1, 1),
        ("main", "CREATE TABLE t (n)"): (1, None),
        ("main", "INSERT INTO t VALUES (?)"): (1, None),
    }


def test_under_sqlalchemy_a_statement_is_counted_once_and_the_driver_is_heard_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    window = observe(tmp_path, SQLALCHEMY)
    found = queries(window)
    assert found["main", "SELECT ?"] == (2, 2)
    assert found["main", "SELECT x"] == (1, None)
    assert errors(window) == {"main": {"OperationalError": 1}}


def test_a_connection_made_before_the_sensor_works_on(tmp_path: Path) -> None:
    code = """
        import sqlite3
        before = sqlite3.connect(":memory:")
        import burnish_sensor
        burnish_sensor.start()
        assert before.execute("SELECT 1").fetchall() == [(1,)]
        assert sqlite3.connect(":memory:").execute("SELECT 1").fetchall() == [(1,)]
    """
    result = run(code, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")

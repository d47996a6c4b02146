"""The two drivers for MySQL against a real server (MariaDB): equal programs, equal windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries

APP = """
    import os
    import DRIVER as driver
    import DRIVER.cursors as cursors

    def connect(**options):
        return driver.connect(host="127.0.0.1", port=int(os.environ["PORT"]), user="u", database="test", **options)

    def fill(cursor):
        cursor.execute("CREATE TEMPORARY TABLE book (x int, t varchar(20))")
        cursor.executemany("INSERT INTO book (x, t) VALUES (%s, %s)", [(n, "hunter2") for n in range(9)])

    def fetch_each_way(cursor):
        cursor.execute("SELECT x FROM book WHERE x < 7")
        assert cursor.fetchone() == (0,)
        assert len(cursor.fetchmany(2)) == 2
        assert len(list(cursor)) == 4

    def dictionaries(db):
        cursor = db.cursor(cursors.DictCursor)
        cursor.execute('SELECT x FROM book WHERE t = "hunter2" LIMIT %s', (3,))
        assert cursor.fetchall()[0] == {"x": 0}

    def streamed(db):
        cursor = db.cursor(cursors.SSCursor)
        cursor.execute("SELECT t FROM book LIMIT 5")
        assert cursor.fetchone() is not None
        assert [len(row) for row in cursor] == [1] * 4

    def one_by_one(cursor):
        for number in range(3):
            cursor.execute("DELETE FROM book WHERE x = %s", (number // 2,))

    def broken(cursor):
        try:
            cursor.execute("SELECT 'hunter2' FROM missing")
        except driver.ProgrammingError:
            pass

    def late(db):
        cursor = db.cursor()
        try:
            cursor.execute("SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(2)")
            cursor.fetchall()
        except driver.OperationalError:
            pass

    def main():
        db = connect()
        cursor = db.cursor()
        fill(cursor)
        fetch_each_way(cursor)
        dictionaries(db)
        streamed(db)
        one_by_one(cursor)
        broken(cursor)
        late(db)
"""


@pytest.mark.parametrize("driver", ["MySQLdb", "pymysql"])
def test_statements_are_attributed_with_their_rows_and_errors(tmp_path: Path, driver: str, mariadb_port: str) -> None:
    pytest.importorskip(driver)
    app = APP.replace("DRIVER", driver)
    window = observe(tmp_path, app, PORT=mariadb_port)
    found = queries(window)
    assert found.pop(("late", "SET STATEMENT max_statement_time = ? FOR SELECT SLEEP(?)"))[0] == 1
    assert found == {
        ("fill", "CREATE TEMPORARY TABLE book (x int, t varchar(?))"): (1, None),
        ("fill", "INSERT INTO book (x, t) VALUES (?, ?)"): (1, None),
        ("fetch_each_way", "SELECT x FROM book WHERE x < ?"): (1, 7),
        ("dictionaries", "SELECT x FROM book WHERE t = ? LIMIT ?"): (1, 3),
        ("streamed", "SELECT t FROM book LIMIT ?"): (1, 5),
        ("one_by_one", "DELETE FROM book WHERE x = ?"): (3, None),
        ("broken", "SELECT ? FROM missing"): (1, None),
    }
    assert {statement["system"] for statement in window["statements"].values()} == {"mysql"}
    assert lines(window, "app:streamed") == [line_of(app, "SELECT t FROM")]
    assert errors(window)["broken"] == {"ProgrammingError": 1}
    assert set(errors(window)) == {"broken", "late"}
    (again,) = (row for row in window["per_call"] if row["function"] == "app:one_by_one")
    assert (again["executions"]["sum"], again["identical"]) == (3, 1)
    assert "hunter2" not in str(window)


ABOVE = """
    import os
    import sqlalchemy as sa
    engine = sa.create_engine("mysql+DRIVER://u@127.0.0.1:%s/test" % os.environ["PORT"])

    def main():
        with engine.connect() as connection:
            assert len(connection.exec_driver_sql("SELECT 1 UNION SELECT 2").fetchall()) == 2
"""


@pytest.mark.parametrize("driver", ["mysqldb", "pymysql"])
def test_under_sqlalchemy_a_statement_is_counted_once(tmp_path: Path, driver: str, mariadb_port: str) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("MySQLdb" if driver == "mysqldb" else driver)
    found = queries(observe(tmp_path, ABOVE.replace("DRIVER", driver), PORT=mariadb_port))
    assert found == {("main", "SELECT ? UNION SELECT ?"): (1, 2)}


DJANGO = """
    import os
    import django
    from django.conf import settings

    database = {
        "ENGINE": "django.db.backends.mysql", "HOST": "127.0.0.1", "PORT": os.environ["PORT"],
        "USER": "u", "NAME": "test",
    }
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()

    def main():
        from django.db import connection
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 UNION SELECT %s", [2])
            assert len(cursor.fetchall()) == 2
"""


def test_under_django_a_statement_is_counted_once(tmp_path: Path, mariadb_port: str) -> None:
    django = pytest.importorskip("django")
    pytest.importorskip("MySQLdb")
    if django.VERSION >= (6, 1):
        pytest.skip("this Django wants a newer MariaDB than distributions have")
    found = queries(observe(tmp_path, DJANGO, PORT=mariadb_port))
    assert found == {("main", "SELECT ? UNION SELECT ?"): (1, 2)}

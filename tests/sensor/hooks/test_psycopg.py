from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries

pytest.importorskip("psycopg")

APP = """
    import asyncio, os
    import psycopg
    from psycopg import sql
    from psycopg.rows import dict_row

    URL = os.environ["DATABASE"]

    def fill(db):
        with db.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE book (id serial, title text)")
            cursor.executemany("INSERT INTO book (title) VALUES (%s)", [("t%d" % n,) for n in range(9)])

    def fetch_each_way(db):
        cursor = db.execute("SELECT id FROM book WHERE id < 8")
        assert cursor.fetchone() == (1,)
        assert len(cursor.fetchmany(2)) == 2
        assert [row[0] for row in cursor] == [4, 5, 6, 7]

    def title(db, number):
        cursor = db.cursor(row_factory=dict_row)
        return cursor.execute(b"SELECT title FROM book WHERE id = %s", (number,)).fetchone()

    def composed(db):
        query = sql.SQL("SELECT {} FROM book WHERE title = {}").format(sql.Identifier("id"), sql.Literal("hunter2"))
        return db.execute(query).fetchall()

    def from_the_server(db):
        with db.cursor(name="many") as cursor:
            cursor.execute("SELECT * FROM book")
            return len(cursor.fetchall())

    def broken(db):
        try:
            db.execute("SELECT 'hunter2' FROM missing")
        except psycopg.errors.UndefinedTable:
            db.rollback()

    def main():
        with psycopg.connect(URL) as db:
            fill(db)
            fetch_each_way(db)
            for number in (1, 2, 1):
                title(db, number)
            composed(db)
            assert from_the_server(db) == 9
            broken(db)

    async def one(db, number):
        cursor = await db.execute("SELECT generate_series(1, %s)", (number,))
        return await cursor.fetchall()

    async def each(db):
        async with db.cursor() as cursor:
            await cursor.execute("SELECT generate_series(1, 3)")
            return [row async for row in cursor]

    async def failing(db):
        try:
            await db.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero:
            pass

    async def together(db):
        await asyncio.gather(db.execute("SELECT pg_sleep(0)"), db.execute("SELECT pg_sleep(0)"))

    async def async_main():
        async with await psycopg.AsyncConnection.connect(URL, autocommit=True) as db:
            for number in (2, 3):
                await one(db, number)
            assert len(await each(db)) == 3
            await failing(db)
            await together(db)
"""


@pytest.fixture
def window(tmp_path: Path, postgres_url: str) -> dict[str, Any]:
    return observe(tmp_path, APP, DATABASE=postgres_url)


def test_statements_are_attributed_with_their_rows(window: dict[str, Any]) -> None:
    found = queries(window)
    assert found == {
        ("fill", "CREATE TEMP TABLE book (id serial, title text)"): (1, None),
        ("fill", "INSERT INTO book (title) VALUES (?)"): (1, None),
        ("fetch_each_way", "SELECT id FROM book WHERE id < ?"): (1, 7),
        ("title", "SELECT title FROM book WHERE id = ?"): (3, 3),
        ("composed", 'SELECT "id" FROM book WHERE title = ?'): (1, 0),
        ("from_the_server", "SELECT * FROM book"): (1, 9),
        ("broken", "SELECT ? FROM missing"): (1, None),
    }
    assert {statement["system"] for statement in window["statements"].values()} == {"postgresql"}
    assert lines(window, "app:title") == [line_of(APP, "return cursor.execute(b")]


def test_equal_parameters_are_seen(window: dict[str, Any]) -> None:
    (row,) = (row for row in window["per_call"] if row["function"] == "app:main" and row["executions"]["sum"] == 3)
    assert row["identical"] == 1


def test_errors_have_their_type(window: dict[str, Any]) -> None:
    assert errors(window) == {"broken": {"UndefinedTable": 1}}
    assert "hunter2" not in str(window)


def test_coroutines_are_attributed_to_the_function_that_awaits(tmp_path: Path, postgres_url: str) -> None:
    window = observe(tmp_path, APP, "import asyncio; asyncio.run(app.async_main())", DATABASE=postgres_url)
    assert queries(window) == {
        ("one", "SELECT generate_series(?, ?)"): (2, 5),
        ("each", "SELECT generate_series(?, ?)"): (1, 3),
        ("failing", "SELECT ? / ?"): (1, None),
        ("together", "SELECT pg_sleep(?)"): (2, None),
    }
    assert errors(window) == {"failing": {"DivisionByZero": 1}}


DJANGO = """
    import os
    from urllib.parse import urlsplit
    import django
    from django.conf import settings
    at = urlsplit(os.environ["DATABASE"])
    one = {"ENGINE": "django.db.backends.postgresql", "NAME": at.path[1:], "USER": at.username, "HOST": at.hostname}
    settings.configure(DATABASES={"default": {**one, "PORT": at.port}})
    django.setup()
    from django.db import connection

    def main():
        with connection.cursor() as cursor:
            cursor.execute("SELECT generate_series(1, %s)", [3])
            assert len(cursor.fetchall()) == 3
"""
SQLALCHEMY = """
    import os
    import sqlalchemy as sa
    engine = sa.create_engine(os.environ["DATABASE"].replace("postgres:", "postgresql+psycopg:"))

    def main():
        with engine.connect() as connection:
            assert len(connection.execute(sa.text("SELECT generate_series(1, 3)")).fetchall()) == 3
            driver = connection.connection.cursor()
            driver.execute("SELECT 4")
            assert driver.fetchall() == [(4,)]
"""


def test_under_django_a_statement_is_counted_once(tmp_path: Path, postgres_url: str) -> None:
    pytest.importorskip("django")
    found = queries(observe(tmp_path, DJANGO, DATABASE=postgres_url))
    assert found == {("main", "SELECT generate_series(?, ?)"): (1, 3)}


def test_under_sqlalchemy_a_statement_is_counted_once_and_the_driver_is_heard_beside_it(
    tmp_path: Path, postgres_url: str
) -> None:
    pytest.importorskip("sqlalchemy", minversion="2.0")
    found = queries(observe(tmp_path, SQLALCHEMY, DATABASE=postgres_url))
    assert found == {("main", "SELECT generate_series(?, ?)"): (1, 3), ("main", "SELECT ?"): (1, 1)}

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.sql_support import errors, line_of, lines, observe, queries

pytest.importorskip("asyncpg")

APP = """
    import asyncio, os
    import asyncpg

    URL = os.environ["DATABASE"]

    async def fill(db):
        await db.execute("CREATE TEMP TABLE book (id serial, title text)")
        await db.executemany("INSERT INTO book (title) VALUES ($1)", [("t%d" % n,) for n in range(9)])

    async def fetch_each_way(db):
        assert len(await db.fetch("SELECT * FROM book WHERE id < $1", 8)) == 7
        assert (await db.fetchrow("SELECT title FROM book LIMIT 1"))["title"] == "t0"
        assert await db.fetchval("SELECT count(*) FROM book WHERE title = 'hunter2'") == 0

    async def prepared(db):
        statement = await db.prepare("SELECT generate_series(1, $1::int)")
        for count in (2, 3):
            assert len(await statement.fetch(count)) == count

    async def transaction(db):
        async with db.transaction():
            await db.execute("DELETE FROM book")

    async def broken(db):
        try:
            await db.fetch("SELECT * FROM missing")
        except asyncpg.UndefinedTableError:
            pass

    async def pooled():
        async with asyncpg.create_pool(URL, min_size=1, max_size=2) as pool:
            async with pool.acquire() as db:
                await db.fetch("SELECT 1")
            await asyncio.gather(*(pool.fetch("SELECT 2, 3") for _ in range(3)))

    async def main():
        db = await asyncpg.connect(URL)
        await fill(db)
        await fetch_each_way(db)
        await prepared(db)
        await transaction(db)
        await broken(db)
        await db.close()
        await pooled()
"""
RUN = "import asyncio; asyncio.run(app.main())"


@pytest.fixture
def window(tmp_path: Path, postgres_url: str) -> dict[str, Any]:
    return observe(tmp_path, APP, RUN, DATABASE=postgres_url)


def test_statements_are_attributed_with_their_rows(window: dict[str, Any]) -> None:
    found = queries(window)
    assert found == {
        ("fill", "CREATE TEMP TABLE book (id serial, title text)"): (1, None),
        ("fill", "INSERT INTO book (title) VALUES (?)"): (1, None),
        ("fetch_each_way", "SELECT * FROM book WHERE id < ?"): (1, 7),
        ("fetch_each_way", "SELECT title FROM book LIMIT ?"): (1, 1),
        ("fetch_each_way", "SELECT count(*) FROM book WHERE title = ?"): (1, 1),
        ("prepared", "SELECT generate_series(?, ?::int)"): (2, 5),
        ("transaction", "DELETE FROM book"): (1, None),
        ("broken", "SELECT * FROM missing"): (1, None),
        ("pooled", "SELECT ?"): (1, 1),
        ("pooled", "SELECT ?, ?"): (3, 3),
    }
    assert lines(window, "app:prepared") == [line_of(APP, "await statement.fetch(")]


def test_errors_have_their_type_and_no_literal_is_written(window: dict[str, Any]) -> None:
    assert errors(window) == {"broken": {"UndefinedTableError": 1}}
    assert "hunter2" not in str(window)


SQLALCHEMY = """
    import asyncio, os
    import sqlalchemy as sa
    from sqlalchemy import orm
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    engine = create_async_engine(os.environ["DATABASE"].replace("postgres:", "postgresql+asyncpg:"))

    Base = orm.declarative_base()
    class Book(Base):
        __tablename__ = "book"
        id = sa.Column(sa.Integer, primary_key=True)

    async def prepare():
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add_all(Book() for _ in range(5))
            await session.commit()

    async def books(count):
        async with AsyncSession(engine) as session:
            return (
                await session.scalars(sa.select(Book).limit(count))
            ).all()

    async def interleaved():
        await asyncio.gather(*(books(count) for count in (1, 2, 3)))

    async def main():
        await prepare()
        await interleaved()
        await engine.dispose()
"""


def test_under_sqlalchemy_the_call_site_is_the_function_that_awaited(tmp_path: Path, postgres_url: str) -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("greenlet")
    window = observe(tmp_path, SQLALCHEMY, RUN, DATABASE=postgres_url)
    found = queries(window)
    selects = [executions for (function, text), (executions, _) in found.items() if text.startswith("SELECT book.id")]
    assert selects == [3]
    assert lines(window, "app:books") == [line_of(SQLALCHEMY, "await session.scalars(")]
    assert {function for function, text in found if text.startswith("INSERT")} == {"prepare"}

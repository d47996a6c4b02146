from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import MetaData, text

from ledger.database import Database
from ledger.migrate import connect, migrate
from ledger.models import Base
from ledger.seed import NotEmpty, fill
from ledger.settings import Settings
from tests.conftest import EMPTIED

pytestmark = pytest.mark.anyio

CONTENT = "SELECT md5(string_agg(e::text, '')) FROM (SELECT * FROM entries ORDER BY id) e"


@pytest.fixture
async def connection(settings: Settings, database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(settings.database_url)
    yield connection
    await connection.close()


async def emptied(connection: asyncpg.Connection) -> None:
    await connection.execute(f"TRUNCATE {EMPTIED} RESTART IDENTITY")


async def test_migrations_are_applied_once(connection: asyncpg.Connection) -> None:
    assert await migrate(connection) == []


async def test_the_models_fit_the_migrated_tables(database: Database) -> None:
    async with database.engine.connect() as connection:
        found = MetaData()
        await connection.run_sync(found.reflect)
    for table in Base.metadata.sorted_tables:
        there = found.tables[table.name]
        described = {(column.name, bool(column.nullable)) for column in table.columns}
        assert described == {(column.name, bool(column.nullable)) for column in there.columns}, table.name
        indexes = {(index.name, tuple(column.name for column in index.columns)) for index in table.indexes}
        assert indexes == {(index.name, tuple(column.name for column in index.columns)) for index in there.indexes}


async def test_the_books_balance(connection: asyncpg.Connection) -> None:
    await emptied(connection)
    await fill(connection, seed=1, scale=0.01)
    sums = (
        "SELECT count(*) FROM (SELECT FROM entries GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0) s"
    )
    assert await connection.fetchval(sums) == 0
    kept = """SELECT count(*) FROM accounts a WHERE kind <> 'house' AND balance_minor <>
              (SELECT coalesce(sum(amount_minor), 0) FROM entries WHERE account_id = a.id)"""
    assert await connection.fetchval(kept) == 0
    assert await connection.fetchval("SELECT count(*) FROM entries") == 2_000


async def test_data_depends_on_the_seed_alone(connection: asyncpg.Connection) -> None:
    contents = []
    for seed in (1, 1, 2):
        await emptied(connection)
        await fill(connection, seed, scale=0.005)
        contents.append(await connection.fetchval(CONTENT))
    assert contents[0] == contents[1] != contents[2]


async def test_a_few_accounts_have_most_of_the_entries(connection: asyncpg.Connection) -> None:
    await emptied(connection)
    await fill(connection, seed=1, scale=0.02)
    rows = await connection.fetch(
        "SELECT count(*) AS n FROM entries e JOIN accounts a ON a.id = e.account_id WHERE kind <> 'house' GROUP BY a.id"
    )
    sizes = sorted((row["n"] for row in rows), reverse=True)
    assert sizes[0] > 4 * sizes[len(sizes) // 2]


async def test_data_is_not_written_over(connection: asyncpg.Connection) -> None:
    await emptied(connection)
    await fill(connection, seed=1, scale=0.005)
    with pytest.raises(NotEmpty, match="the database is not empty"):
        await fill(connection, seed=1, scale=0.005)


async def test_new_rows_follow_the_seeded_ones(connection: asyncpg.Connection, database: Database) -> None:
    await emptied(connection)
    await fill(connection, seed=1, scale=0.005)
    async with database.sessions.begin() as session:
        row = "INSERT INTO transactions (reference, description, booked_at) VALUES ('X', '', now()) RETURNING id"
        assert await session.scalar(text(row)) == 501

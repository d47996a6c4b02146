"""Applies the files in ledger/migrations/ that the database has not seen, in the order of their names.

python -m ledger.migrate
"""

import asyncio
from pathlib import Path

import asyncpg

from ledger.settings import DRIVER, Settings

FOLDER = Path(__file__).parent / "migrations"


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """The names of the files that were applied, each in a transaction of its own."""
    await connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY)")
    known = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    applied = []
    for path in sorted(FOLDER.glob("*.sql")):
        if path.name in known:
            continue
        async with connection.transaction():
            await connection.execute(path.read_text(encoding="utf-8"))
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", path.name)
        applied.append(path.name)
    return applied


async def connect(database_url: str) -> asyncpg.Connection:
    """A connection of the driver itself, without SQLAlchemy."""
    return await asyncpg.connect(database_url.replace(DRIVER, "postgresql", 1))


async def main() -> None:
    connection = await connect(Settings.from_environment().database_url)
    try:
        for name in await migrate(connection):
            print(name)
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())

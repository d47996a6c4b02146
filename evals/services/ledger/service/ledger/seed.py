"""Fills an empty, migrated database with a reproducible ledger.

python -m ledger.seed [--seed 1] [--scale 1.0]
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import asyncpg

from ledger import sample_rows
from ledger.migrate import connect
from ledger.models import AccountKind
from ledger.sample_rows import AccountRow, Booking
from ledger.settings import Settings

TRANSACTIONS, ACCOUNTS, CUSTOMERS = 100_000, 4_000, 1_500

COLUMNS = {
    "api_clients": "name key_sha256 scopes",
    "customers": "id name email country reporting_currency joined_at",
    "accounts": "id number customer_id name kind currency balance_minor overdraft_minor opened_at",
    "transactions": "id reference description booked_at",
    "entries": "transaction_id account_id amount_minor currency category counterparty booked_at",
    "exchange_rates": "currency day per_euro",
}


class NotEmpty(Exception):
    """There is data already."""


async def fill(connection: asyncpg.Connection, seed: int, scale: float) -> int:
    """The number of rows that were written, in one transaction. Raises NotEmpty."""

    def size(count: int) -> int:
        return max(20, round(count * scale))

    def rng(name: str) -> random.Random:
        return random.Random(f"{seed}:{name}")

    if await connection.fetchval("SELECT EXISTS (SELECT FROM customers)"):
        raise NotEmpty("the database is not empty: seed a new one")
    people = size(CUSTOMERS)
    accounts = list(sample_rows.accounts(rng("accounts"), size(ACCOUNTS), people))
    rows = [AccountRow(row[0], row[1], row[5]) for row in accounts]
    owned = [row for row, account in zip(rows, accounts, strict=True) if account[4] != AccountKind.HOUSE]
    books = list(sample_rows.bookings(rng("bookings"), size(TRANSACTIONS), owned, rows[len(owned) :]))
    balances = Counter[int]()
    for booking in books:
        for account, amount, _ in booking.legs:
            balances[account.id] += amount
    async with connection.transaction():
        written = [
            await copy(connection, "api_clients", sample_rows.clients()),
            await copy(connection, "customers", sample_rows.customers(rng("customers"), people)),
            await copy(connection, "accounts", (with_balance(row, balances) for row in accounts)),
            await copy(connection, "transactions", transaction_rows(books)),
            await copy(connection, "entries", entry_rows(books)),
            await copy(connection, "exchange_rates", sample_rows.exchange_rates(rng("rates"))),
        ]
        for table in ("customers", "accounts", "transactions"):
            await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    await connection.execute("VACUUM ANALYZE")
    return sum(written)


async def copy(connection: asyncpg.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """COPY in the binary format; the number of rows."""
    status = await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table].split())
    return int(status.rpartition(" ")[2])


def with_balance(row: tuple[Any, ...], balances: Counter[int]) -> tuple[Any, ...]:
    """House accounts keep none."""
    return (*row[:6], 0 if row[4] == AccountKind.HOUSE else balances[row[0]], *row[7:])


def transaction_rows(books: Iterable[Booking]) -> Iterator[tuple[Any, ...]]:
    for n, booking in enumerate(books, start=1):
        yield n, f"T{n:08d}", booking.description, booking.booked_at


def entry_rows(books: Iterable[Booking]) -> Iterator[tuple[Any, ...]]:
    for n, booking in enumerate(books, start=1):
        for account, amount, party in booking.legs:
            yield n, account.id, amount, account.currency, booking.category, party, booking.booked_at


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0 is 200,000 entries")
    arguments = parser.parse_args()
    if not 0 < arguments.scale <= 10:
        parser.error("--scale must be above 0 and at most 10")
    connection = await connect(Settings.from_environment().database_url)
    try:
        print(f"{await fill(connection, arguments.seed, arguments.scale)} rows")
    except NotEmpty as error:
        parser.exit(1, f"seed: {error}\n")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())

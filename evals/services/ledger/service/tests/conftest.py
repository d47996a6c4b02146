import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.database import Database
from ledger.main import create_app
from ledger.migrate import connect, migrate
from ledger.models import Account, ApiClient, Customer, Entry, ExchangeRate, StatementPolicy, Transaction
from ledger.repositories.accounts import house_number
from ledger.sample_rows import KEYS
from ledger.services.access import key_hash
from ledger.settings import Settings

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RATES = {"EUR": "1", "USD": "1.10", "GBP": "0.85"}
EMPTIED = "api_clients, customers, accounts, transactions, entries, exchange_rates, statement_policies, audit_events"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def settings() -> AsyncIterator[Settings]:
    """A database of our own on the server of DATABASE_URL."""
    server, name = Settings.from_environment().database_url, f"ledger_test_{os.getpid()}"
    admin = await connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    url = f"{server.rpartition('/')[0]}/{name}"
    connection = await connect(url)
    await migrate(connection)
    await connection.close()
    yield Settings(url)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Empty but for what every installation has: callers, rates, the wording of statements."""
    database = Database(settings)
    async with database.sessions.begin() as session:
        await session.execute(text(f"TRUNCATE {EMPTIED} RESTART IDENTITY"))
        for name, (key, scopes) in KEYS.items():
            session.add(ApiClient(name=name, key_sha256=key_hash(key), scopes=scopes))
        for currency, rate in RATES.items():
            session.add(ExchangeRate(currency=currency, day=date(2026, 3, 2), per_euro=Decimal(rate)))
        session.add(
            StatementPolicy(effective_from=date(2020, 1, 1), mask_digits=4, large_amount_minor=100_000, footer="Bye.")
        )
    yield database
    await database.close()


class Books:
    """Makes rows with sensible defaults; every call makes and commits a new one."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.numbers = count(1)

    async def customer(self, **values: Any) -> Customer:
        n = next(self.numbers)
        defaults = {"name": f"Ada Berg{n}", "email": f"c{n}@example.com", "country": "DE", "reporting_currency": "EUR"}
        customer = Customer(**{**defaults, "joined_at": START, **values})
        await self.add(customer)
        return customer

    async def account(self, balance_minor: int = 0, **values: Any) -> Account:
        if "customer_id" not in values:
            values["customer_id"] = (await self.customer()).id
        defaults = {"number": f"DE{next(self.numbers):016d}", "name": "daily", "kind": "current", "currency": "EUR"}
        account = Account(**{**defaults, "opened_at": START, "balance_minor": balance_minor, **values})
        await self.add(account)
        return account

    async def house(self, purpose: str, currency: str) -> Account:
        number = house_number(purpose, currency)
        return await self.account(number=number, customer_id=None, kind="house", currency=currency)

    async def booked(
        self, account: Account, other: Account, amount_minor: int, at: datetime | None = None, **values: Any
    ) -> Transaction:
        """A transaction that credits `account`. The kept balances do not follow."""
        n = next(self.numbers)
        at = at or START + timedelta(minutes=n)
        transaction = Transaction(reference=f"T{n:08d}", description="invoice", booked_at=at)
        for owner, amount, party in ((account, amount_minor, other), (other, -amount_minor, account)):
            row = {"category": "card", "counterparty": party.number, "currency": owner.currency, **values}
            transaction.entries.append(Entry(account=owner, amount_minor=amount, booked_at=at, **row))
        await self.add(transaction)
        return transaction

    async def add(self, row: object) -> None:
        self.session.add(row)
        await self.session.commit()

    async def balance(self, account: Account) -> int:
        """As it is in the database now."""
        await self.session.refresh(account)
        await self.session.commit()
        return account.balance_minor


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Books]:
    async with database.sessions() as session:
        yield Books(session)


class Api:
    """An HTTP client of the application in this process; answers are decoded JSON."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self.answer(await self.client.get(path, params=params), status)

    async def post(self, path: str, body: Any, status: int = 201, **headers: str) -> Any:
        return self.answer(await self.client.post(path, json=body, headers=headers), status)

    def answer(self, response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
async def client(settings: Settings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ledger") as client:
            yield client


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    client.headers["X-Api-Key"] = "ledger-local"
    return Api(client)


@pytest.fixture
def staff(client: httpx.AsyncClient) -> Api:
    client.headers["X-Api-Key"] = "staff-local"
    return Api(client)

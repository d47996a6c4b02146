"""Entries: the legs of transactions."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Entry


class EntryRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def between(self, account_id: int, since: datetime, until: datetime, limit: int) -> list[Entry]:
        """The entries of an account in [since, until), oldest first."""
        query = (
            select(Entry)
            .where(Entry.account_id == account_id, Entry.booked_at >= since, Entry.booked_at < until)
            .order_by(Entry.booked_at, Entry.id)
            .limit(limit)
        )
        return list(await self.session.scalars(query))

    async def balance_before(self, account_id: int, instant: datetime) -> int:
        """What the entries before an instant add up to."""
        total = func.coalesce(func.sum(Entry.amount_minor), 0)
        query = select(total).where(Entry.account_id == account_id, Entry.booked_at < instant)
        return int(await self.session.scalar(query) or 0)

    async def turnover(self, account_id: int, since: datetime, until: datetime) -> tuple[int, int]:
        """Credits and debits of an account in [since, until), both positive."""
        credits_ = func.sum(case((Entry.amount_minor > 0, Entry.amount_minor), else_=0))
        debits = func.sum(case((Entry.amount_minor < 0, -Entry.amount_minor), else_=0))
        query = select(func.coalesce(credits_, 0), func.coalesce(debits, 0)).where(
            Entry.account_id == account_id, Entry.booked_at >= since, Entry.booked_at < until
        )
        row = (await self.session.execute(query)).one()
        return int(row[0]), int(row[1])

    async def search(self, counterparty: str, category: str, limit: int) -> list[Entry]:
        """The newest entries with a counterparty, over all accounts."""
        query = (
            select(Entry)
            .where(Entry.counterparty == counterparty, Entry.category == category)
            .order_by(Entry.booked_at.desc())
            .limit(limit)
        )
        return list(await self.session.scalars(query))

    async def total(self, category: str, currency: str, since: datetime, until: datetime) -> int:
        """The sum of all credits of a category in [since, until)."""
        query = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(
            Entry.category == category,
            Entry.currency == currency,
            Entry.amount_minor > 0,
            Entry.booked_at >= since,
            Entry.booked_at < until,
        )
        return int(await self.session.scalar(query) or 0)

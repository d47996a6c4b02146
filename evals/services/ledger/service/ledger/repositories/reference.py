"""Small tables that change rarely: exchange rates, the wording of statements, the programs that may call us."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import ApiClient, ExchangeRate, StatementPolicy


class ReferenceRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def latest_rates(self) -> tuple[date, dict[str, Decimal]]:
        """The newest day with rates, and what one euro is worth in each currency on it."""
        newest = select(ExchangeRate.day).order_by(ExchangeRate.day.desc()).limit(1).scalar_subquery()
        rates = list(await self.session.scalars(select(ExchangeRate).where(ExchangeRate.day == newest)))
        if not rates:
            raise LookupError("the table exchange_rates is empty: run the import of rates")
        return rates[0].day, {rate.currency: rate.per_euro for rate in rates}

    async def statement_policy(self, day: date) -> StatementPolicy:
        """The one that was in force on a day."""
        query = (
            select(StatementPolicy)
            .where(StatementPolicy.effective_from <= day)
            .order_by(StatementPolicy.effective_from.desc())
            .limit(1)
        )
        return (await self.session.scalars(query)).one()

    async def client(self, key_sha256: str) -> ApiClient | None:
        return await self.session.scalar(select(ApiClient).where(ApiClient.key_sha256 == key_sha256))

"""Transactions."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from ledger.errors import NotFound
from ledger.models import Entry, Transaction


class TransactionRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def of_account(self, account_id: int, before: int | None, limit: int) -> list[Transaction]:
        """The transactions that touch an account, newest first; `before` is the id at which the last page ended."""
        touched = select(Entry.transaction_id).where(Entry.account_id == account_id)
        if before is not None:
            touched = touched.where(Entry.transaction_id < before)
        newest = touched.distinct().order_by(Entry.transaction_id.desc()).limit(limit)
        query = select(Transaction).where(Transaction.id.in_(newest)).order_by(Transaction.id.desc())
        return list(await self.session.scalars(query))

    async def by_reference(self, reference: str) -> Transaction:
        """With its entries. Raises NotFound."""
        query = select(Transaction).where(Transaction.reference == reference).options(selectinload(Transaction.entries))
        transaction = await self.session.scalar(query)
        if transaction is None:
            raise NotFound(f"there is no transaction {reference}")
        return transaction

    async def by_key(self, source_id: int, key: str) -> Transaction | None:
        """What was booked from an account for an idempotency key."""
        query = select(Transaction).where(Transaction.idempotency_key == own_key(source_id, key))
        return await self.session.scalar(query)


def own_key(source_id: int, key: str) -> str:
    """Callers choose their keys by themselves: two accounts may use the same."""
    return f"{source_id}:{key}"

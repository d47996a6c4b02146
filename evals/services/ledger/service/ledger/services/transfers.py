"""Moving money. Every amount is booked twice, and no account falls below its overdraft."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.errors import InsufficientFunds, Refused
from ledger.models import Account, AccountKind, Category, Entry, Transaction
from ledger.repositories.accounts import AccountRepository
from ledger.repositories.transactions import TransactionRepository, own_key
from ledger.schemas import TransferIn
from ledger.services.currency import Converter, RateTable


class TransferService:
    def __init__(self, session: AsyncSession, rates: RateTable) -> None:
        self.session, self.converter = session, Converter(session, rates)
        self.accounts, self.transactions = AccountRepository(session), TransactionRepository(session)

    async def transfer(self, order: TransferIn, key: str | None) -> tuple[Transaction, bool]:
        """Book one transfer; the second value is False where the source had used the key before.

        Raises NotFound, Refused and InsufficientFunds; nothing is booked then.
        """
        locked = await self._lock((order.source_id, order.target_id))
        # under the lock: the same order sent twice at once is booked once
        if key is not None and (booked := await self.transactions.by_key(order.source_id, key)) is not None:
            return booked, False
        transaction = await self._book(order, locked, key)
        await self.session.commit()
        return transaction, True

    async def batch(self, orders: list[TransferIn]) -> list[Transaction]:
        """Book all transfers in their order, or none. Raises as `transfer` does."""
        locked = await self._lock(account_id for order in orders for account_id in (order.source_id, order.target_id))
        transactions = [await self._book(order, locked, None) for order in orders]
        await self.session.commit()
        return transactions

    async def _lock(self, account_ids: Iterable[int]) -> dict[int, Account]:
        # one order of locking for everybody, or two transfers in opposite directions wait for each other
        return {account_id: await self.accounts.lock(account_id) for account_id in sorted(set(account_ids))}

    async def _book(self, order: TransferIn, locked: dict[int, Account], key: str | None) -> Transaction:
        source, target = locked[order.source_id], locked[order.target_id]
        check(order, source, target)
        credited = await self.converter.convert(order.amount_minor, source.currency, target.currency)
        transaction = Transaction(
            reference=f"T{secrets.token_hex(8).upper()}",
            idempotency_key=key and own_key(source.id, key),
            description=order.description,
            booked_at=datetime.now(UTC),
        )
        add_leg(transaction, source, -order.amount_minor, target.number)
        add_leg(transaction, target, credited, source.number)
        if source.currency != target.currency:
            add_leg(transaction, await self._exchange(source.currency), order.amount_minor, source.number)
            add_leg(transaction, await self._exchange(target.currency), -credited, target.number)
        self.session.add(transaction)
        await self.session.flush()
        return transaction

    async def _exchange(self, currency: str) -> Account:
        return await self.accounts.house("exchange", currency)


def check(order: TransferIn, source: Account, target: Account) -> None:
    """Raises Refused and InsufficientFunds."""
    if source.id == target.id:
        raise Refused("source and target are the same account")
    if AccountKind.HOUSE in (source.kind, target.kind):
        raise Refused("house accounts are booked by the back office only")
    available = source.balance_minor + source.overdraft_minor
    if available < order.amount_minor:
        raise InsufficientFunds(f"account {source.id}: only {max(available, 0)} available, {order.amount_minor} asked")


def add_leg(transaction: Transaction, account: Account, amount_minor: int, counterparty: str) -> None:
    """One entry; the kept balance follows, but those of house accounts are summed up at night."""
    if account.kind != AccountKind.HOUSE:
        account.balance_minor += amount_minor
    category = Category.EXCHANGE if account.kind == AccountKind.HOUSE else Category.TRANSFER
    entry = Entry(
        account=account,
        amount_minor=amount_minor,
        currency=account.currency,
        category=category,
        counterparty=counterparty,
        booked_at=transaction.booked_at,
    )
    transaction.entries.append(entry)

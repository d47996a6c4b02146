"""Reading transactions: the pages of an account, and receipts."""

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Entry, Transaction
from ledger.repositories.accounts import AccountRepository
from ledger.repositories.transactions import TransactionRepository
from ledger.schemas import LegOut, ReceiptOut, ReceiptParty, TransactionOut, TransactionPage


class TransactionService:
    def __init__(self, session: AsyncSession) -> None:
        self.transactions, self.accounts = TransactionRepository(session), AccountRepository(session)

    async def page(self, account_id: int, before: int | None, limit: int) -> TransactionPage:
        """The transactions of an account, newest first, each with all its legs."""
        account = await self.accounts.get(account_id)
        found = await self.transactions.of_account(account.id, before, limit)
        items = []
        for transaction in found:
            entries = await transaction.awaitable_attrs.entries
            items.append(transaction_out(transaction, [leg_out(entry) for entry in entries]))
        return TransactionPage(items=items, next_before=found[-1].id if len(found) == limit else None)

    async def receipt(self, reference: str) -> ReceiptOut:
        """Who paid and who was paid: a transfer between two customers has one leg for each.

        An exchange has two more, those of our own accounts, which are not shown.
        """
        transaction = await self.transactions.by_reference(reference)
        parties = []
        for entry in transaction.entries:
            if entry.account.customer_id is None:
                continue
            holder = await self.accounts.customer(entry.account.customer_id)
            parties.append(
                ReceiptParty(
                    account=entry.account.number,
                    holder=holder.name,
                    amount_minor=entry.amount_minor,
                    currency=entry.currency,
                )
            )
        return ReceiptOut(
            reference=transaction.reference,
            description=transaction.description,
            booked_at=transaction.booked_at,
            parties=parties,
        )


def transaction_out(transaction: Transaction, legs: list[LegOut]) -> TransactionOut:
    return TransactionOut(
        id=transaction.id,
        reference=transaction.reference,
        description=transaction.description,
        booked_at=transaction.booked_at,
        legs=legs,
    )


def leg_out(entry: Entry) -> LegOut:
    return LegOut(
        account=entry.account.number,
        account_name=entry.account.name,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
    )

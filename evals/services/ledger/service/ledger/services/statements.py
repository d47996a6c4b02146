"""The monthly statement of an account, as the customer reads it."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Entry
from ledger.periods import month_bounds
from ledger.repositories.accounts import AccountRepository
from ledger.repositories.entries import EntryRepository
from ledger.repositories.reference import ReferenceRepository
from ledger.schemas import StatementLine, StatementOut

MAX_LINES = 200


class StatementService:
    def __init__(self, session: AsyncSession) -> None:
        self.accounts, self.entries = AccountRepository(session), EntryRepository(session)
        self.reference = ReferenceRepository(session)

    async def statement(self, account_id: int, month: str) -> StatementOut:
        """The first MAX_LINES entries of a month with the balance after each. Raises NotFound."""
        account = await self.accounts.get(account_id)
        since, until = month_bounds(month)
        opening = balance = await self.entries.balance_before(account.id, since)
        lines = []
        for entry in await self.entries.between(account.id, since, until, MAX_LINES):
            balance += entry.amount_minor
            lines.append(await self._line(entry, balance, since.date()))
        return StatementOut(
            account=account.number,
            month=month,
            currency=account.currency,
            opening_minor=opening,
            closing_minor=balance,
            lines=lines,
            footer=(await self.reference.statement_policy(since.date())).footer,
        )

    async def _line(self, entry: Entry, balance: int, day: date) -> StatementLine:
        policy = await self.reference.statement_policy(day)
        large = abs(entry.amount_minor) >= policy.large_amount_minor
        return StatementLine(
            booked_at=entry.booked_at,
            counterparty=masked(entry.counterparty, policy.mask_digits),
            category=entry.category,
            amount_minor=entry.amount_minor,
            balance_minor=balance,
            remark="large amount" if large else "",
        )


def masked(counterparty: str, digits: int) -> str:
    """An account number with all but its last digits hidden; a name is left as it is."""
    head, tail = counterparty[:-digits], counterparty[-digits:]
    return "•" * len(head) + tail if tail.isdigit() else counterparty

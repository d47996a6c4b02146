"""Entries as CSV, for bookkeeping programs."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Entry
from ledger.periods import midnight
from ledger.repositories.accounts import AccountRepository
from ledger.repositories.entries import EntryRepository

MAX_ROWS = 3_000
CHUNK_ROWS = 500
HEADER = ("booked_at", "counterparty", "category", "amount", "currency", "balance")


class ExportService:
    def __init__(self, session: AsyncSession) -> None:
        self.accounts, self.entries = AccountRepository(session), EntryRepository(session)

    async def csv(self, account_id: int, since: date, until: date) -> Iterator[str]:
        """The entries from `since` to the day before `until`, at most MAX_ROWS. Raises NotFound."""
        account = await self.accounts.get(account_id)
        opening = await self.entries.balance_before(account.id, midnight(since))
        return csv_chunks(await self.entries.between(account.id, midnight(since), midnight(until), MAX_ROWS), opening)


def csv_chunks(entries: Sequence[Entry], opening: int) -> Iterator[str]:
    """The file in pieces of CHUNK_ROWS rows, each row with the balance after it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    amounts = [entry.amount_minor for entry in entries]
    for number, entry in enumerate(entries, start=1):
        balance = opening + sum(amounts[:number])
        when = entry.booked_at.isoformat(timespec="seconds")
        writer.writerow(
            (when, entry.counterparty, entry.category, decimal(entry.amount_minor), entry.currency, decimal(balance))
        )
        if number % CHUNK_ROWS == 0:
            yield drained(buffer)
    yield drained(buffer)


def drained(buffer: io.StringIO) -> str:
    """What is in the buffer, which is empty afterwards."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def decimal(minor: int) -> str:
    """`-1234` as `-12.34`."""
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02d}"

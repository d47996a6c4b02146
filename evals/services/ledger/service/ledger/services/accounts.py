"""Opening and reading accounts, and what a customer owns."""

import secrets
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Account
from ledger.periods import month_bounds
from ledger.repositories.accounts import AccountRepository
from ledger.repositories.entries import EntryRepository
from ledger.schemas import AccountIn, BalanceOut, OverviewOut, Turnover
from ledger.services.currency import Converter, RateTable


class AccountService:
    def __init__(self, session: AsyncSession, rates: RateTable) -> None:
        self.session, self.converter = session, Converter(session, rates)
        self.accounts, self.entries = AccountRepository(session), EntryRepository(session)

    async def open(self, wish: AccountIn) -> Account:
        """A new account with nothing in it. Raises NotFound for an unknown customer."""
        customer = await self.accounts.customer(wish.customer_id)
        account = Account(
            number=f"{customer.country}{secrets.randbelow(10**16):016d}",
            customer_id=customer.id,
            name=wish.name,
            kind=wish.kind,
            currency=wish.currency,
            opened_at=datetime.now(UTC),
        )
        self.session.add(account)
        await self.session.commit()
        return account

    async def balance(self, account_id: int, currency: str | None, as_of: datetime | None) -> BalanceOut:
        """Now or at an instant, in the account's currency or another one."""
        account = await self.accounts.get(account_id)
        amount = account.balance_minor if as_of is None else await self.entries.balance_before(account.id, as_of)
        wanted = currency or account.currency
        return BalanceOut(
            account_id=account.id,
            amount_minor=await self.converter.convert(amount, account.currency, wanted),
            currency=wanted,
            as_of=as_of or datetime.now(UTC),
        )

    async def overview(self, customer_id: int, month: str) -> OverviewOut:
        """All accounts of a customer with their turnover in a month, and what they are worth together."""
        customer = await self.accounts.customer(customer_id)
        since, until = month_bounds(month)
        rows, worth = [], 0
        for account in await self.accounts.of_customer(customer.id):
            credited, debited = await self.entries.turnover(account.id, since, until)
            worth += await self.converter.convert(account.balance_minor, account.currency, customer.reporting_currency)
            rows.append(
                Turnover(
                    account_id=account.id,
                    number=account.number,
                    currency=account.currency,
                    balance_minor=account.balance_minor,
                    credits_minor=credited,
                    debits_minor=debited,
                )
            )
        return OverviewOut(
            customer_id=customer.id,
            name=customer.name,
            month=month,
            currency=customer.reporting_currency,
            worth_minor=worth,
            accounts=rows,
        )

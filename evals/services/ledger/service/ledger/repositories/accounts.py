"""Accounts and their owners."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.errors import NotFound
from ledger.models import Account, AccountKind, Customer


class AccountRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, account_id: int) -> Account:
        """Raises NotFound."""
        account = await self.session.get(Account, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}")
        return account

    async def lock(self, account_id: int) -> Account:
        """The account as it is now, locked until the end of the transaction. Raises NotFound."""
        query = select(Account).where(Account.id == account_id).with_for_update()
        account = await self.session.scalar(query.execution_options(populate_existing=True))
        if account is None:
            raise NotFound(f"there is no account {account_id}")
        return account

    async def of_customer(self, customer_id: int) -> list[Account]:
        query = select(Account).where(Account.customer_id == customer_id).order_by(Account.id)
        return list(await self.session.scalars(query))

    async def page(self, number: int, size: int) -> tuple[list[Account], int]:
        """One page of the customers' accounts, newest first, and how many there are in all."""
        owned = Account.kind != AccountKind.HOUSE
        query = select(Account).where(owned).order_by(Account.id.desc()).offset((number - 1) * size).limit(size)
        accounts = list(await self.session.scalars(query))
        total = await self.session.scalar(select(func.count()).select_from(Account).where(owned))
        return accounts, total or 0

    async def house(self, purpose: str, currency: str) -> Account:
        """Our own account for a purpose. Raises NotFound where the books were not opened in that currency."""
        account = await self.session.scalar(select(Account).where(Account.number == house_number(purpose, currency)))
        if account is None:
            raise NotFound(f"no house account for {purpose} in {currency}")
        return account

    async def customer(self, customer_id: int) -> Customer:
        """Raises NotFound."""
        customer = await self.session.get(Customer, customer_id)
        if customer is None:
            raise NotFound(f"there is no customer {customer_id}")
        return customer


def house_number(purpose: str, currency: str) -> str:
    return f"HOUSE-{purpose.upper()}-{currency}"

"""The tables. They are created by ledger/migrations/; a test compares the two."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Numeric, Text
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class AccountKind(StrEnum):
    CURRENT = "current"
    SAVINGS = "savings"
    HOUSE = "house"


class Category(StrEnum):
    DEPOSIT = "deposit"
    CARD = "card"
    TRANSFER = "transfer"
    SALARY = "salary"
    RENT = "rent"
    FEE = "fee"
    INTEREST = "interest"
    EXCHANGE = "exchange"


class Base(AsyncAttrs, DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger, str: Text, Decimal: Numeric(18, 8)}


class ApiClient(Base):
    """A program that may call us; only the SHA-256 of its key is kept."""

    __tablename__ = "api_clients"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    key_sha256: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str]
    reporting_currency: Mapped[str]
    joined_at: Mapped[datetime]


class Account(Base):
    """Amounts are in the currency's minor unit (cents). A house account has neither an owner nor a kept balance."""

    __tablename__ = "accounts"
    __table_args__ = (Index("ix_accounts_customer", "customer_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    name: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(default=0)
    overdraft_minor: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]


class Transaction(Base):
    """The amounts of its entries add up to zero in each currency."""

    __tablename__ = "transactions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    description: Mapped[str]
    booked_at: Mapped[datetime]
    entries: Mapped[list["Entry"]] = relationship(back_populates="transaction", order_by="Entry.id")


class Entry(Base):
    """One leg of a transaction; a credit of the account is positive."""

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_transaction", "transaction_id"),
        Index("ix_entries_account_booked", "account_id", "booked_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("transactions.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    category: Mapped[str]
    counterparty: Mapped[str]
    booked_at: Mapped[datetime]
    transaction: Mapped[Transaction] = relationship(back_populates="entries")
    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)


class ExchangeRate(Base):
    """What one euro is worth in `currency` on `day`."""

    __tablename__ = "exchange_rates"

    currency: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    per_euro: Mapped[Decimal]


class StatementPolicy(Base):
    """How statements are worded; the newest one that is in force counts."""

    __tablename__ = "statement_policies"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    effective_from: Mapped[date]
    mask_digits: Mapped[int]
    large_amount_minor: Mapped[int]
    footer: Mapped[str]


class AuditEvent(Base):
    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    client: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    happened_at: Mapped[datetime]

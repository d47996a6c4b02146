"""What goes in and out over HTTP. Amounts are integers in the currency's minor unit."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Currency = Literal["EUR", "USD", "GBP", "SEK"]
Id = Annotated[int, Field(ge=1, lt=2**63)]
PositiveMinor = Annotated[int, Field(gt=0, le=10**12)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=140)]
Month = Annotated[str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="as 2026-09")]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
PageSize = Annotated[int, Query(ge=1, le=100)]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class AccountIn(BaseModel):
    customer_id: Id
    name: ShortText
    kind: Literal["current", "savings"] = "current"
    currency: Currency = "EUR"


class AccountOut(Out):
    id: int
    number: str
    customer_id: int | None
    name: str
    kind: str
    currency: str
    balance_minor: int
    opened_at: datetime


class AccountPage(Out):
    items: list[AccountOut]
    page: int
    total: int


class BalanceOut(Out):
    account_id: int
    amount_minor: int
    currency: str
    as_of: datetime


class LegOut(Out):
    account: str
    account_name: str
    amount_minor: int
    currency: str


class TransactionOut(Out):
    id: int
    reference: str
    description: str
    booked_at: datetime
    legs: list[LegOut]


class TransactionPage(Out):
    """`next_before` is the `before` of the next page, None on the last."""

    items: list[TransactionOut]
    next_before: int | None


class EntryOut(Out):
    id: int
    account_id: int
    amount_minor: int
    currency: str
    category: str
    counterparty: str
    booked_at: datetime


class StatementLine(Out):
    booked_at: datetime
    counterparty: str
    category: str
    amount_minor: int
    balance_minor: int
    remark: str


class StatementOut(Out):
    account: str
    month: str
    currency: str
    opening_minor: int
    closing_minor: int
    lines: list[StatementLine]
    footer: str


class Turnover(Out):
    account_id: int
    number: str
    currency: str
    balance_minor: int
    credits_minor: int
    debits_minor: int


class OverviewOut(Out):
    """`worth_minor` is the sum of the balances in the customer's reporting currency."""

    customer_id: int
    name: str
    month: str
    currency: str
    worth_minor: int
    accounts: list[Turnover]


class TransferIn(BaseModel):
    """`amount_minor` is in the currency of the source."""

    source_id: Id
    target_id: Id
    amount_minor: PositiveMinor
    description: ShortText


class BatchIn(BaseModel):
    transfers: Annotated[list[TransferIn], Field(min_length=1, max_length=20)]


class TransferOut(Out):
    reference: str
    booked_at: datetime


class BatchOut(Out):
    transfers: list[TransferOut]


class ReceiptParty(Out):
    account: str
    holder: str
    amount_minor: int
    currency: str


class ReceiptOut(Out):
    reference: str
    description: str
    booked_at: datetime
    parties: list[ReceiptParty]


class ConvertedOut(Out):
    amount_minor: int
    currency: str
    day: date


class CategoryReport(Out):
    category: str
    weeks_minor: list[int]
    total_minor: int


class MonthReport(Out):
    month: str
    currency: str
    categories: list[CategoryReport]

"""Accounts, their transactions and statements."""

from datetime import date, datetime

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import StreamingResponse

from ledger.database import Session
from ledger.errors import LedgerError
from ledger.models import Account
from ledger.repositories.accounts import AccountRepository
from ledger.schemas import (
    AccountIn,
    AccountOut,
    AccountPage,
    BalanceOut,
    Currency,
    Id,
    Month,
    PageNumber,
    PageSize,
    StatementOut,
    TransactionPage,
)
from ledger.services import audit
from ledger.services.access import Reader, Writer
from ledger.services.accounts import AccountService
from ledger.services.currency import CurrentRates
from ledger.services.exports import ExportService
from ledger.services.statements import StatementService
from ledger.services.transactions import TransactionService

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.get("", response_model=AccountPage)
async def list_accounts(
    session: Session, client: Reader, page: PageNumber = 1, size: PageSize = 25
) -> dict[str, object]:
    items, total = await AccountRepository(session).page(page, size)
    return {"items": items, "page": page, "total": total}


@router.post("", response_model=AccountOut, status_code=201)
async def open_account(
    wish: AccountIn, session: Session, rates: CurrentRates, client: Writer, request: Request, tasks: BackgroundTasks
) -> Account:
    account = await AccountService(session, rates).open(wish)
    tasks.add_task(audit.record, request.app.state.database, client.name, "open account", account.number)
    return account


@router.get("/{account_id}", response_model=AccountOut)
async def get_account(account_id: Id, session: Session, client: Reader) -> Account:
    return await AccountRepository(session).get(account_id)


@router.get("/{account_id}/balance")
async def get_balance(
    account_id: Id,
    session: Session,
    rates: CurrentRates,
    client: Reader,
    currency: Currency | None = None,
    as_of: datetime | None = None,
) -> BalanceOut:
    return await AccountService(session, rates).balance(account_id, currency, as_of)


@router.get("/{account_id}/transactions")
async def list_transactions(
    account_id: Id,
    session: Session,
    client: Reader,
    before: Id | None = None,
    limit: PageSize = 50,
) -> TransactionPage:
    return await TransactionService(session).page(account_id, before, limit)


@router.get("/{account_id}/statement")
async def get_statement(account_id: Id, month: Month, session: Session, client: Reader) -> StatementOut:
    return await StatementService(session).statement(account_id, month)


@router.get("/{account_id}/entries.csv")
async def export_entries(
    account_id: Id, since: date, until: date, session: Session, client: Reader
) -> StreamingResponse:
    if since >= until:
        raise LedgerError("since must be before until")
    chunks = await ExportService(session).csv(account_id, since, until)
    name = f"entries-{account_id}-{since}.csv"
    return StreamingResponse(
        chunks, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )

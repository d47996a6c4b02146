"""Transfers and their receipts."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header, Request, Response

from ledger.database import Session
from ledger.models import Transaction
from ledger.schemas import BatchIn, BatchOut, ReceiptOut, TransferIn, TransferOut
from ledger.services import audit
from ledger.services.access import Reader, Writer
from ledger.services.currency import CurrentRates
from ledger.services.transactions import TransactionService
from ledger.services.transfers import TransferService

router = APIRouter(prefix="/transfers", tags=["transfers"])


@router.post("", response_model=TransferOut, status_code=201)
async def make_transfer(
    order: TransferIn,
    session: Session,
    rates: CurrentRates,
    client: Writer,
    request: Request,
    response: Response,
    tasks: BackgroundTasks,
    idempotency_key: Annotated[str | None, Header(min_length=8, max_length=80)] = None,
) -> Transaction:
    """201 when it was booked, 200 when the same Idempotency-Key had been booked before."""
    transaction, new = await TransferService(session, rates).transfer(order, idempotency_key)
    if new:
        tasks.add_task(audit.record, request.app.state.database, client.name, "transfer", transaction.reference)
    else:
        response.status_code = 200
    return transaction


@router.post("/batch", response_model=BatchOut, status_code=201)
async def make_batch(
    batch: BatchIn, session: Session, rates: CurrentRates, client: Writer, request: Request, tasks: BackgroundTasks
) -> dict[str, object]:
    transactions = await TransferService(session, rates).batch(batch.transfers)
    references = " ".join(transaction.reference for transaction in transactions)
    tasks.add_task(audit.record, request.app.state.database, client.name, "batch", references)
    return {"transfers": transactions}


@router.get("/{reference}")
async def get_receipt(reference: str, session: Session, client: Reader) -> ReceiptOut:
    return await TransactionService(session).receipt(reference)

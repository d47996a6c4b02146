"""Customers."""

from fastapi import APIRouter

from ledger.database import Session
from ledger.schemas import Id, Month, OverviewOut
from ledger.services.access import Reader
from ledger.services.accounts import AccountService
from ledger.services.currency import CurrentRates

router = APIRouter(prefix="/customers", tags=["customers"])


@router.get("/{customer_id}/overview")
async def get_overview(
    customer_id: Id, month: Month, session: Session, rates: CurrentRates, client: Reader
) -> OverviewOut:
    return await AccountService(session, rates).overview(customer_id, month)

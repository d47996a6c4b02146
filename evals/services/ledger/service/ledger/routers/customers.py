"""Customers."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ledger.schemas import Month, OverviewOut
from ledger.services.access import Reader
from ledger.services.accounts import AccountService

router = APIRouter(prefix="/customers", tags=["customers"])


@router.get("/{customer_id}/overview")
async def get_overview(
    customer_id: int, month: Month, client: Reader, service: Annotated[AccountService, Depends()]
) -> OverviewOut:
    return await service.overview(customer_id, month)

"""Exchange and the figures of a month."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ledger.schemas import ConvertedOut, Currency, Month, MonthReport, PositiveMinor
from ledger.services.access import Reader, Staff
from ledger.services.currency import Converter
from ledger.services.reports import ReportService

router = APIRouter()


@router.get("/convert", tags=["exchange"])
async def convert(
    amount_minor: PositiveMinor,
    source: Currency,
    target: Currency,
    client: Reader,
    converter: Annotated[Converter, Depends()],
) -> ConvertedOut:
    rates = await converter.rates()
    return ConvertedOut(amount_minor=rates.convert(amount_minor, source, target), currency=target, day=rates.day)


@router.get("/reports/monthly", tags=["finance"])
async def monthly_report(
    month: Month, client: Staff, service: Annotated[ReportService, Depends()], currency: Currency = "EUR"
) -> MonthReport:
    return await service.month(month, currency)

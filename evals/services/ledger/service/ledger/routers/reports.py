"""Exchange and the figures of a month."""

from fastapi import APIRouter

from ledger.database import Session
from ledger.schemas import ConvertedOut, Currency, Month, MonthReport, PositiveMinor
from ledger.services.access import Reader, Staff
from ledger.services.currency import Converter, CurrentRates
from ledger.services.reports import ReportService

router = APIRouter()


@router.get("/convert", tags=["exchange"])
async def convert(
    amount_minor: PositiveMinor,
    source: Currency,
    target: Currency,
    session: Session,
    table: CurrentRates,
    client: Reader,
) -> ConvertedOut:
    rates = await Converter(session, table).rates()
    return ConvertedOut(amount_minor=rates.convert(amount_minor, source, target), currency=target, day=rates.day)


@router.get("/reports/monthly", tags=["finance"])
async def monthly_report(month: Month, session: Session, client: Staff, currency: Currency = "EUR") -> MonthReport:
    return await ReportService(session).month(month, currency)

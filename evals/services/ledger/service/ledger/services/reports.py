"""Figures for the finance department."""

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.models import Category
from ledger.periods import month_bounds, weeks_between
from ledger.repositories.entries import EntryRepository
from ledger.schemas import CategoryReport, MonthReport


class ReportService:
    def __init__(self, session: AsyncSession) -> None:
        self.entries = EntryRepository(session)

    async def month(self, month: str, currency: str) -> MonthReport:
        """The credits of each category in each week of a month. Finance asks for it once a day."""
        weeks = list(weeks_between(*month_bounds(month)))
        categories = []
        for category in Category:
            sums = [await self.entries.total(category, currency, since, until) for since, until in weeks]
            categories.append(CategoryReport(category=category, weeks_minor=sums, total_minor=sum(sums)))
        return MonthReport(month=month, currency=currency, categories=categories)

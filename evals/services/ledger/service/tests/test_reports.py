from datetime import date, timedelta
from decimal import Decimal

import pytest

from ledger.database import Database
from ledger.models import ExchangeRate
from ledger.periods import month_bounds, weeks_between
from ledger.repositories.reference import ReferenceRepository
from ledger.services.currency import Rates, RateTable
from tests.conftest import START, Api, Books

pytestmark = pytest.mark.anyio


async def test_the_report_adds_up_credits_by_category_and_week(staff: Api, books: Books) -> None:
    account, house = await books.account(), await books.house("clearing", "EUR")
    await books.booked(account, house, 100, START, category="salary")
    await books.booked(account, house, 20, START + timedelta(days=8), category="salary")
    await books.booked(account, house, 3, START, category="interest")
    report = await staff.get("/reports/monthly", month="2026-03")
    rows = {row["category"]: (row["weeks_minor"], row["total_minor"]) for row in report["categories"]}
    assert rows["salary"] == ([100, 20, 0, 0, 0], 120)
    assert rows["interest"] == ([3, 0, 0, 0, 0], 3)
    assert rows["rent"] == ([0, 0, 0, 0, 0], 0)


def test_weeks_cover_a_month() -> None:
    since, until = month_bounds("2026-02")
    weeks = list(weeks_between(since, until))
    assert (weeks[0][0], weeks[-1][1], len(weeks)) == (since, until, 4)
    assert list(weeks_between(*month_bounds("2026-12")))[-1][1].date() == date(2027, 1, 1)


async def test_convert(api: Api) -> None:
    converted = await api.get("/convert", amount_minor=1_100, source="USD", target="GBP")
    assert converted == {"amount_minor": 850, "currency": "GBP", "day": "2026-03-02"}


async def test_a_currency_without_a_rate(api: Api) -> None:
    assert (await api.get("/convert", 404, amount_minor=1, source="EUR", target="SEK"))["error"]["code"] == "not_found"


@pytest.mark.parametrize(("amount", "converted"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2)])
def test_halves_go_to_the_even_neighbour(amount: int, converted: int) -> None:
    rates = Rates(START.date(), {"EUR": Decimal(1), "HALF": Decimal("0.5")})
    assert rates.convert(amount, "EUR", "HALF") == converted


async def test_rates_are_kept_for_a_while(database: Database, books: Books) -> None:
    now = 100.0
    table, reference = RateTable(60.0, lambda: now), ReferenceRepository(books.session)
    assert (await table.current(reference)).day == date(2026, 3, 2)
    await books.add(ExchangeRate(currency="EUR", day=date(2026, 3, 3), per_euro=Decimal(1)))
    now = 159.0
    assert (await table.current(reference)).day == date(2026, 3, 2)
    now = 160.0
    assert (await table.current(reference)).day == date(2026, 3, 3)

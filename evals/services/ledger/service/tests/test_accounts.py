from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from ledger.models import AuditEvent
from tests.conftest import START, Api, Books

pytestmark = pytest.mark.anyio


async def test_an_account_begins_empty(api: Api, books: Books) -> None:
    customer = await books.customer(country="FR")
    opened = await api.post("/accounts", {"customer_id": customer.id, "name": " Travel ", "currency": "USD"})
    assert (opened["name"], opened["currency"], opened["balance_minor"]) == ("Travel", "USD", 0)
    assert opened["number"].startswith("FR")
    assert await api.get(f"/accounts/{opened['id']}") == opened


async def test_opening_is_recorded_after_the_answer(api: Api, books: Books) -> None:
    customer = await books.customer()
    opened = await api.post("/accounts", {"customer_id": customer.id, "name": "Travel"})
    event = (await books.session.scalars(select(AuditEvent))).one()
    assert (event.client, event.action, event.subject) == ("mobile", "open account", opened["number"])


async def test_nobody_owns_no_account(api: Api, books: Books) -> None:
    await api.post("/accounts", {"customer_id": 77, "name": "Travel"}, 404)
    assert await books.session.scalar(select(func.count()).select_from(AuditEvent)) == 0


@pytest.mark.parametrize("wrong", [{"name": ""}, {"currency": "XXX"}, {"kind": "house"}])
async def test_a_wrong_wish_is_refused(api: Api, books: Books, wrong: dict[str, str]) -> None:
    customer = await books.customer()
    await api.post("/accounts", {"customer_id": customer.id, "name": "Travel", **wrong}, 422)


async def test_pages_are_newest_first_without_the_house(api: Api, books: Books) -> None:
    ids = [(await books.account()).id for _ in range(3)]
    await books.house("clearing", "EUR")
    first = await api.get("/accounts", size=2)
    assert ([row["id"] for row in first["items"]], first["total"]) == ([ids[2], ids[1]], 3)
    assert [row["id"] for row in (await api.get("/accounts", size=2, page=2))["items"]] == [ids[0]]


async def test_an_unknown_account(api: Api) -> None:
    assert (await api.get("/accounts/4", 404))["error"]["message"] == "there is no account 4"


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "first"])
async def test_what_is_no_id_is_refused(api: Api, number: str) -> None:
    await api.get(f"/accounts/{number}", 422)
    await api.get(f"/customers/{number}/overview", 422, month="2026-03")


async def test_balance_now_and_then(api: Api, books: Books) -> None:
    account, other = await books.account(balance_minor=300), await books.account()
    await books.booked(account, other, 100, START)
    await books.booked(account, other, 200, START + timedelta(days=2))
    now = await api.get(f"/accounts/{account.id}/balance")
    then = await api.get(f"/accounts/{account.id}/balance", as_of=(START + timedelta(days=1)).isoformat())
    assert (now["amount_minor"], then["amount_minor"]) == (300, 100)


async def test_balance_in_another_currency(api: Api, books: Books) -> None:
    account = await books.account(balance_minor=1_000)
    balance = await api.get(f"/accounts/{account.id}/balance", currency="USD")
    assert (balance["amount_minor"], balance["currency"]) == (1_100, "USD")


async def test_overview_adds_up_each_account(api: Api, books: Books) -> None:
    owner, other = await books.customer(), await books.account()
    euros = await books.account(balance_minor=500, customer_id=owner.id)
    dollars = await books.account(balance_minor=1_100, customer_id=owner.id, currency="USD")
    await books.booked(euros, other, 700)
    await books.booked(euros, other, -200)
    await books.booked(dollars, other, 1_100)
    overview = await api.get(f"/customers/{owner.id}/overview", month="2026-03")
    assert overview["worth_minor"] == 500 + 1_000
    turnovers = [(row["account_id"], row["credits_minor"], row["debits_minor"]) for row in overview["accounts"]]
    assert turnovers == [(euros.id, 700, 200), (dollars.id, 1_100, 0)]


async def test_overview_counts_the_month_only(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    for at in (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)):
        await books.booked(account, other, 50, at)
    await books.booked(account, other, 7, datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    overview = await api.get(f"/customers/{account.customer_id}/overview", month="2026-03")
    assert [row["credits_minor"] for row in overview["accounts"]] == [7]


async def test_overview_shows_an_account_without_entries(api: Api, books: Books) -> None:
    account = await books.account(balance_minor=4)
    [row] = (await api.get(f"/customers/{account.customer_id}/overview", month="2026-03"))["accounts"]
    assert (row["credits_minor"], row["debits_minor"], row["balance_minor"]) == (0, 0, 4)


@pytest.mark.parametrize("month", ["2026-13", "March", "1999-01"])
async def test_a_wrong_month_is_refused(api: Api, books: Books, month: str) -> None:
    customer = await books.customer()
    await api.get(f"/customers/{customer.id}/overview", 422, month=month)

import pytest

from tests.conftest import Api, Books

pytestmark = pytest.mark.anyio


async def test_a_page_is_newest_first_with_all_legs(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    old, new = await books.booked(account, other, 100), await books.booked(account, other, -30)
    page = await api.get(f"/accounts/{account.id}/transactions")
    assert [row["reference"] for row in page["items"]] == [new.reference, old.reference]
    legs = [(leg["account"], leg["amount_minor"]) for leg in page["items"][0]["legs"]]
    assert legs == [(account.number, -30), (other.number, 30)]
    assert page["next_before"] is None


async def test_pages_go_on_where_the_last_one_ended(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    booked = [(await books.booked(account, other, n)).id for n in range(1, 6)]
    seen, before = [], {}
    for _ in range(3):
        page = await api.get(f"/accounts/{account.id}/transactions", limit=2, **before)
        seen += [row["id"] for row in page["items"]]
        before = {"before": page["next_before"]}
    assert seen == booked[::-1]
    assert page["next_before"] is None


async def test_a_transaction_with_two_legs_in_the_account_is_listed_once(api: Api, books: Books) -> None:
    account = await books.account()
    await books.booked(account, account, 100)
    [row] = (await api.get(f"/accounts/{account.id}/transactions"))["items"]
    assert len(row["legs"]) == 2


async def test_accounts_are_not_mixed(api: Api, books: Books) -> None:
    mine, one, two = [await books.account() for _ in range(3)]
    await books.booked(one, two, 5)
    assert await api.get(f"/accounts/{mine.id}/transactions") == {"items": [], "next_before": None}


async def test_a_receipt_names_both_holders(api: Api, books: Books) -> None:
    payer, payee = await books.customer(name="Max Dahl"), await books.customer(name="Ida Koch")
    source = await books.account(customer_id=payer.id)
    target = await books.account(customer_id=payee.id)
    booked = await books.booked(target, source, 250)
    receipt = await api.get(f"/transfers/{booked.reference}")
    parties = [(party["holder"], party["amount_minor"]) for party in receipt["parties"]]
    assert parties == [("Ida Koch", 250), ("Max Dahl", -250)]


async def test_a_receipt_does_not_show_the_house(api: Api, books: Books) -> None:
    account, house = await books.account(), await books.house("clearing", "EUR")
    booked = await books.booked(account, house, 250)
    receipt = await api.get(f"/transfers/{booked.reference}")
    assert [party["account"] for party in receipt["parties"]] == [account.number]


async def test_an_unknown_receipt(api: Api) -> None:
    await api.get("/transfers/T1", 404)


async def test_search_is_newest_first_over_all_accounts(staff: Api, books: Books) -> None:
    one, two, other = [await books.account() for _ in range(3)]
    await books.booked(one, other, -3, counterparty="Rail 4")
    await books.booked(two, other, -5, counterparty="Rail 4")
    await books.booked(two, other, -7, counterparty="Rail 5")
    found = await staff.get("/entries", counterparty="Rail 4", category="card")
    assert sorted(row["amount_minor"] for row in found) == [-5, -3, 3, 5]
    assert [row["booked_at"] for row in found] == sorted((row["booked_at"] for row in found), reverse=True)
    assert len(await staff.get("/entries", counterparty="Rail 4", category="card", limit=1)) == 1


async def test_search_asks_for_both(staff: Api, books: Books) -> None:
    one, other = await books.account(), await books.account()
    await books.booked(one, other, -3, counterparty="Rail 4", category="rent")
    assert await staff.get("/entries", counterparty="Rail 4", category="card") == []
    await staff.get("/entries", 422, counterparty="Rail 4", category="gift")


async def test_search_is_for_staff(api: Api) -> None:
    await api.get("/entries", 403, counterparty="Rail 4", category="card")

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, text

from ledger.database import Database
from ledger.models import Account, AuditEvent, Entry, Transaction
from tests.conftest import Api, Books

pytestmark = pytest.mark.anyio


def order(source: Account, target: Account, amount: int) -> dict[str, Any]:
    return {"source_id": source.id, "target_id": target.id, "amount_minor": amount, "description": "rent"}


async def count_of(books: Books, model: type) -> int:
    return await books.session.scalar(select(func.count()).select_from(model)) or 0


async def test_money_moves_and_is_booked_twice(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=500), await books.account()
    booked = await api.post("/transfers", order(source, target, 300))
    assert (await books.balance(source), await books.balance(target)) == (200, 300)
    receipt = await api.get(f"/transfers/{booked['reference']}")
    assert sorted(party["amount_minor"] for party in receipt["parties"]) == [-300, 300]
    assert await books.session.scalar(select(func.sum(Entry.amount_minor))) == 0


async def test_it_is_recorded_after_the_answer(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=500), await books.account()
    booked = await api.post("/transfers", order(source, target, 300))
    event = (await books.session.scalars(select(AuditEvent))).one()
    assert (event.action, event.subject) == ("transfer", booked["reference"])


async def test_an_account_does_not_fall_below_its_overdraft(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=100, overdraft_minor=50), await books.account()
    refusal = await api.post("/transfers", order(source, target, 151), 409)
    assert refusal["error"]["code"] == "insufficient_funds"
    assert (await books.balance(source), await count_of(books, Transaction)) == (100, 0)
    await api.post("/transfers", order(source, target, 150))
    assert await books.balance(source) == -50


async def test_an_exchange_has_four_legs_that_add_up_in_each_currency(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=1_000), await books.account(currency="USD")
    for currency in ("EUR", "USD"):
        await books.house("exchange", currency)
    await api.post("/transfers", order(source, target, 1_000))
    assert (await books.balance(source), await books.balance(target)) == (0, 1_100)
    sums = await books.session.execute(select(Entry.currency, func.sum(Entry.amount_minor)).group_by(Entry.currency))
    assert {currency: total for currency, total in sums} == {"EUR": 0, "USD": 0}
    assert await count_of(books, Entry) == 4


@pytest.mark.parametrize("amount", [0, -5])
async def test_amounts_are_positive(api: Api, books: Books, amount: int) -> None:
    source, target = await books.account(balance_minor=500), await books.account()
    await api.post("/transfers", order(source, target, amount), 422)


async def test_what_cannot_be_transferred(api: Api, books: Books) -> None:
    account, house = await books.account(balance_minor=500), await books.house("clearing", "EUR")
    await api.post("/transfers", order(account, account, 5), 409)
    await api.post("/transfers", order(account, house, 5), 409)
    await api.post("/transfers", {**order(account, account, 5), "target_id": 999}, 404)


async def test_the_same_key_books_once(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=500), await books.account()
    key = {"Idempotency-Key": "order-0001"}
    first = await api.post("/transfers", order(source, target, 300), 201, **key)
    assert await api.post("/transfers", order(source, target, 300), 200, **key) == first
    assert await books.balance(source) == 200


async def test_the_same_key_at_the_same_time_books_once(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=500), await books.account()
    key = {"Idempotency-Key": "order-0001"}
    asked = [api.client.post("/transfers", json=order(source, target, 300), headers=key) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert await books.balance(source) == 200


async def test_another_account_may_use_the_same_key(api: Api, books: Books) -> None:
    source, target, other = [await books.account(balance_minor=500) for _ in range(3)]
    key = {"Idempotency-Key": "order-0001"}
    first = await api.post("/transfers", order(source, target, 1), 201, **key)
    assert (await api.post("/transfers", order(other, target, 1), 201, **key))["reference"] != first["reference"]


async def test_a_batch_is_booked_in_its_order(api: Api, books: Books) -> None:
    first, second, third = await books.account(balance_minor=100), await books.account(), await books.account()
    await api.post("/transfers/batch", {"transfers": [order(first, second, 100), order(second, third, 60)]})
    assert [await books.balance(account) for account in (first, second, third)] == [0, 40, 60]


async def test_a_batch_counts_what_an_earlier_transfer_took(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=100), await books.account()
    refusal = await api.post("/transfers/batch", {"transfers": [order(source, target, 60)] * 2}, 409)
    assert "only 40 available" in refusal["error"]["message"]
    assert (await books.balance(source), await count_of(books, Transaction)) == (100, 0)


async def test_a_batch_is_bounded(api: Api, books: Books) -> None:
    source, target = await books.account(balance_minor=100), await books.account()
    await api.post("/transfers/batch", {"transfers": []}, 422)
    await api.post("/transfers/batch", {"transfers": [order(source, target, 1)] * 21}, 422)


async def test_transfers_in_opposite_directions_do_not_wait_for_each_other(api: Api, books: Books) -> None:
    one, two = await books.account(balance_minor=1_000), await books.account(balance_minor=1_000)
    orders = [order(one, two, 10), order(two, one, 10)] * 8
    answers = await asyncio.gather(*(api.client.post("/transfers", json=body) for body in orders))
    assert {answer.status_code for answer in answers} == {201}
    assert (await books.balance(one), await books.balance(two)) == (1_000, 1_000)


async def test_accounts_are_locked_in_the_order_of_their_ids(api: Api, books: Books, database: Database) -> None:
    """Whoever waits for the second account holds the first one already, whichever is the source."""
    first, second = await books.account(balance_minor=100), await books.account(balance_minor=100)
    lock = select(Account.id).with_for_update(skip_locked=True)
    async with database.sessions() as holder, database.sessions() as observer:
        assert await holder.scalar(lock.where(Account.id == second.id)) == second.id
        waiting = asyncio.create_task(api.post("/transfers", order(second, first, 10)))
        await until_somebody_waits(observer)
        assert await observer.scalar(lock.where(Account.id == first.id)) is None
        await holder.rollback()
        await waiting


async def until_somebody_waits(observer: Any) -> None:
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(200):
        if await observer.scalar(waits):
            return
        await observer.rollback()
        await asyncio.sleep(0.02)
    raise AssertionError("no transfer waited for the lock")

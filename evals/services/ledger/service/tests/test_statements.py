from datetime import date, timedelta

import pytest

from ledger.models import StatementPolicy
from ledger.services import exports
from ledger.services.exports import csv_chunks, decimal
from ledger.services.statements import MAX_LINES, masked
from tests.conftest import START, Api, Books

pytestmark = pytest.mark.anyio


async def test_balances_run_on_from_the_month_before(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    await books.booked(account, other, 1_000, START - timedelta(days=10))
    for days, amount in enumerate((50, -20, 5)):
        await books.booked(account, other, amount, START + timedelta(days=days))
    await books.booked(account, other, 9, START + timedelta(days=40))
    statement = await api.get(f"/accounts/{account.id}/statement", month="2026-03")
    assert (statement["opening_minor"], statement["closing_minor"]) == (1_000, 1_035)
    assert [line["balance_minor"] for line in statement["lines"]] == [1_050, 1_030, 1_035]


async def test_an_empty_month(api: Api, books: Books) -> None:
    account = await books.account()
    statement = await api.get(f"/accounts/{account.id}/statement", month="2026-03")
    assert (statement["lines"], statement["footer"]) == ([], "Bye.")


async def test_lines_are_bounded(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    for _ in range(MAX_LINES + 1):
        await books.booked(account, other, 1)
    assert len((await api.get(f"/accounts/{account.id}/statement", month="2026-03"))["lines"]) == MAX_LINES


async def test_large_amounts_are_marked_both_ways(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    for amount in (100_000, -100_000, 99_999):
        await books.booked(account, other, amount)
    lines = (await api.get(f"/accounts/{account.id}/statement", month="2026-03"))["lines"]
    assert [line["remark"] for line in lines] == ["large amount", "large amount", ""]


async def test_the_policy_is_that_of_the_month(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    for days in (0, 31):
        await books.booked(account, other, 10, START + timedelta(days=days), counterparty="DE0000001234")
    policy = StatementPolicy(effective_from=date(2026, 3, 15), mask_digits=2, large_amount_minor=10, footer="New.")
    await books.add(policy)
    march = await api.get(f"/accounts/{account.id}/statement", month="2026-03")
    april = await api.get(f"/accounts/{account.id}/statement", month="2026-04")
    assert (march["footer"], march["lines"][0]["counterparty"], march["lines"][0]["remark"]) == (
        "Bye.",
        "•" * 8 + "1234",
        "",
    )
    assert (april["footer"], april["lines"][0]["counterparty"]) == ("New.", "•" * 10 + "34")
    assert april["lines"][0]["remark"] == "large amount"


def test_names_are_not_masked() -> None:
    assert masked("Grocer 14", 4) == "Grocer 14"
    assert masked("DE12345678", 4) == "••••••5678"


async def test_the_export_has_a_balance_in_each_row(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    await books.booked(account, other, 1_000, START - timedelta(days=10))
    await books.booked(account, other, -250, START, counterparty='Hotel "Zur Post", Bonn')
    await books.booked(account, other, 5, START + timedelta(days=1), counterparty="Rail")
    path = f"/accounts/{account.id}/entries.csv"
    response = await api.client.get(path, params={"since": "2026-03-01", "until": "2026-03-03"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.text.splitlines() == [
        "booked_at,counterparty,category,amount,currency,balance",
        '2026-03-01T12:00:00+00:00,"Hotel ""Zur Post"", Bonn",card,-2.50,EUR,7.50',
        "2026-03-02T12:00:00+00:00,Rail,card,0.05,EUR,7.55",
    ]


async def test_an_export_ends_after_it_begins(api: Api, books: Books) -> None:
    account = await books.account()
    await api.get(f"/accounts/{account.id}/entries.csv", 400, since="2026-03-02", until="2026-03-02")


async def test_a_long_export_comes_in_pieces(api: Api, books: Books) -> None:
    account, other = await books.account(), await books.account()
    entries = [(await books.booked(account, other, 100)).entries[0]] * (exports.CHUNK_ROWS + 1)
    pieces = list(csv_chunks(entries, -100))
    assert [len(piece.splitlines()) for piece in pieces] == [exports.CHUNK_ROWS + 1, 1]
    assert pieces[0].splitlines()[1].endswith(",1.00,EUR,0.00")
    assert pieces[1].strip().endswith(f",{exports.CHUNK_ROWS}.00")


@pytest.mark.parametrize(("minor", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-12345, "-123.45")])
def test_decimal(minor: int, text: str) -> None:
    assert decimal(minor) == text

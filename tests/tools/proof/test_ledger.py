"""Whole proofs of the reference fixes of the example ledger, and of wrong ones: FastAPI, asyncpg, a real PostgreSQL."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator

import psycopg
import pytest

from burnish.job import Check, Proof
from burnish.why import Why
from evals.services.ledger.serve import SERVICE
from tests.tools.proof.ledger import LedgerStage, ledger_stage

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.postgres]
ANSWERS = tomllib.loads((SERVICE.parent / "ANSWERS.toml").read_text("utf-8"))
PLANTED = {answer["patch"][:2]: answer for answer in ANSWERS["planted"]}
Edits = dict[str, Callable[[str], str]]

PAGE, OF_ACCOUNT = "ledger/services/transactions.py", "ledger/repositories/transactions.py"
ENTRIES, STATEMENTS = "ledger/repositories/entries.py", "ledger/services/statements.py"
KEPT = {
    "03": (ENTRIES, "    async def turnover(", "    async def search(", "    async def search("),
    "04": (STATEMENTS, "    async def _line(", "\n\ndef masked(", "\n\ndef statement_line("),  # imports: see `kept`
}
"""Patches that leave out a function, which the rules forbid: (file, its first line, what followed it, before what it is
put back)."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[LedgerStage]:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE ledger_snapshot")
        yield ledger_stage(tmp_path_factory.mktemp("ledger"), postgres_url, "ledger_snapshot")
        left = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'burnish%'").fetchall()
        admin.execute("DROP DATABASE ledger_snapshot WITH (FORCE)")
        assert left == []


def kept(edits: Edits, number: str) -> Edits:
    """With the function that the patch has left out."""
    if number not in KEPT:
        return edits
    path, first, after, before = KEPT[number]
    edit = edits[path]

    def keeping(text: str) -> str:
        function = text[text.index(first) : text.index(after)]
        imported = "from datetime import date\n\n"
        put_back = edit(text).replace(before, function + before, 1)
        return put_back.replace("from sqlalchemy", imported + "from sqlalchemy", 1) if imported in text else put_back

    return {**edits, path: keeping}


@pytest.mark.parametrize("number", ["01", "03", "04"])
def test_a_reference_fix_is_proven(ledger: LedgerStage, number: str) -> None:
    answer = PLANTED[number]
    proof = ledger.prove(kept(ledger.patched(number), number), answer["function"], answer["entry"])
    assert proof.proven, proof.failure
    effects = {(e.what, e.subject): e for e in proof.effects}
    assert effects["time", answer["function"]].saving.low > 0.05
    fewer = effects["queries", answer["function"]]
    assert fewer.after < fewer.before


def test_a_fix_that_pays_at_full_size_only_is_equal(ledger: LedgerStage) -> None:
    """The quadratic sum costs nothing on 10,000 entries; whether it is fast enough is the machine's and the data's."""
    answer = PLANTED["05"]
    proof = ledger.prove(ledger.patched("05"), answer["function"], answer["entry"])
    assert {"equality", "queries"} <= {check.name for check in proof.checks if check.passed}, proof.failure


def wrong(path: str, old: str, new: str) -> Edits:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return {path: edit}


LOADED = "        query = query.options(selectinload(Transaction.entries{}))\n        return list("


@pytest.mark.parametrize(
    "number, edits, place",
    [
        ("01", wrong(OF_ACCOUNT, "        return list(", LOADED.format(".and_(Entry.amount_minor > 0)")), "returned"),
        ("01", wrong(OF_ACCOUNT, "order_by(Transaction.id.desc())", "order_by(Transaction.id)"), "returned"),
        ("01", wrong(PAGE, "for entry in entries]", "for entry in reversed(entries)]"), "returned"),
        ("03", wrong(ENTRIES, "Entry.booked_at >= since, Entry.booked_at < until\n", "Entry.booked_at >= since\n"), ""),
        ("05", wrong("ledger/services/exports.py", "sum(amounts[:number])", "sum(amounts[: number - 1])"), "returned"),
    ],
    ids=["another filter", "another order of rows", "another order of related rows", "a dropped filter", "off by one"],
)
def test_a_wrong_fix_differs(ledger: LedgerStage, number: str, edits: Edits, place: str) -> None:
    answer = PLANTED[number]
    check = refused(ledger.prove(edits, answer["function"], answer["entry"]), Why.RESULT_DIFFERS)
    assert place in check.summary


def test_an_answer_from_memory_shows_on_altered_data(ledger: LedgerStage) -> None:
    """The rules do not see this one: it hides in an attribute of an imported module's function."""

    def edit(text: str) -> str:
        memo = (
            "        import json as keeper\n\n"
            "        kept = keeper.loads.__dict__\n"
            "        if (account_id, before, limit) not in kept:\n"
            "            kept[account_id, before, limit] = await self._page(account_id, before, limit)\n"
            "        return kept[account_id, before, limit]\n\n"
            "    async def _page(self, account_id: int, before: int | None, limit: int) -> TransactionPage:\n"
        )
        first = "        account = await self.accounts.get(account_id)\n        found ="
        assert first in text
        return text.replace(first, memo + first, 1)

    answer = PLANTED["01"]
    check = refused(ledger.prove({PAGE: edit}, answer["function"], answer["entry"]), Why.RESULT_DIFFERS)
    assert "after the data had been altered" in check.summary


def refused(proof: Proof, why: Why) -> Check:
    assert proof.failure is not None
    assert (proof.failure.name, proof.failure.why) == ("equality", why), proof.failure
    return proof.failure

"""`selectinload` on the example ledger, which it was not written after: the planted problem, and the code beside it."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from burnish.finding import Evidence, Site
from burnish.job import Change, Declined
from burnish.why import Why
from burnish_tools.recipes._base import MemorySource, example_finding
from burnish_tools.recipes.selectinload import SelectInLoad
from evals.services.ledger.serve import SERVICE

ENTRIES = (
    "SELECT entries.id, entries.transaction_id, accounts_1.id, accounts_1.number FROM entries "
    "JOIN accounts AS accounts_1 ON accounts_1.id = entries.account_id WHERE ? = entries.transaction_id "
    "ORDER BY entries.id"
)
"""As the sensor sends it; shortened."""
CUSTOMER = "SELECT customers.id, customers.name FROM customers WHERE customers.id = ?"
PAGE, RECEIPT = "TransactionService.page", "TransactionService.receipt"


def answer(qualified: str, statement: str, module: str = "ledger.services.transactions") -> Change | Declined:
    files = {p.relative_to(SERVICE).as_posix(): p.read_text("utf-8") for p in SERVICE.rglob("*.py")}
    function, path = f"{module}:{qualified}", module.replace(".", "/") + ".py"
    site = Site(function=function, file=path, line=1)
    evidence = Evidence(statement=statement, statement_id="s1", site=site)
    finding = example_finding("n_plus_one", function, path, evidence)
    return SelectInLoad().apply(finding, MemorySource(files))


def test_the_planted_problem_is_mended_where_the_reference_mends_it(tmp_path: Path) -> None:
    change = answer(PAGE, ENTRIES)
    assert isinstance(change, Change), change
    [edit] = change.edits
    assert change.functions == ("ledger.repositories.transactions:TransactionRepository.of_account",)
    [patch] = (SERVICE.parent / "reference").glob("01-*.patch")
    target = tmp_path / edit.path
    target.parent.mkdir(parents=True)
    target.write_text(edit.before or "", "utf-8")
    subprocess.run(["git", "apply", str(patch)], cwd=tmp_path, check=True, timeout=30)
    assert options(edit.after) == options(target.read_text("utf-8"))
    assert options(edit.after) == [*options(edit.before or ""), "selectinload(Transaction.entries)"]


def options(text: str) -> list[str]:
    """What is given to `.options(…)` in a file, sorted."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return sorted(
        ast.unparse(argument)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "options"
        for argument in call.args
    )


@pytest.mark.parametrize(
    "qualified, statement, module, why",
    [
        (RECEIPT, CUSTOMER, "ledger.services.transactions", Why.QUERYSET_NOT_FOUND),
        ("TransferService.batch", ENTRIES, "ledger.services.transfers", Why.QUERYSET_NOT_FOUND),
        ("AccountService.overview", CUSTOMER, "ledger.services.accounts", Why.RELATION_NOT_FOUND),
    ],
)
def test_the_code_beside_it_is_left_alone(qualified: str, statement: str, module: str, why: Why) -> None:
    declined = answer(qualified, statement, module)
    assert isinstance(declined, Declined)
    assert declined.why is why, declined

"""Whole proofs by calls: of a library without a framework, in a git repository, with tests of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.job import Check, Proof
from burnish.why import Why
from tests.tools.proof.plain import Library, library

pytestmark = pytest.mark.slow
LOOP = "        if item in offered:\n            found.append(item)\n    return found\n\n\ndef in_stock"


@pytest.fixture(scope="module")
def basket(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One for all tests, so that the baseline is run once."""
    return library(tmp_path_factory.mktemp("basket"))


def refused(proof: Proof, name: str, why: Why) -> Check:
    assert not proof.proven
    assert proof.failure is not None
    assert (proof.failure.name, proof.failure.why) == (name, why), proof.failure
    return proof.failure


@pytest.mark.long
def test_a_right_fix_is_proven_at_the_size_that_production_has(basket: Library) -> None:
    fast = "        if item in there:\n            found.append(item)\n    return found\n\n\ndef in_stock"
    change = basket.change(LOOP, fast)
    edit = change.edits[0]
    text = edit.after.replace("    found = []\n", "    found = []\n    there = set(offered)\n", 1)
    change = change.model_copy(update={"edits": (edit.model_copy(update={"after": text}),)})
    proof = basket.prover().prove(basket.job(change, "in_both", removable_ns=6e6))
    assert proof.proven, proof.failure
    names = ["rules", "baseline", "reaching tests", "tests", "equality", "coverage", "queries", "cost", "memory"]
    assert [check.name for check in proof.checks] == [*names, "cold start", "scaling"]
    assert (proof.calls, proof.tests, proof.requests) == (8, 8, 0)
    assert proof.generated > 40
    assert proof.replayed.startswith("8 calls captured from 8 tests and ")
    assert "held-out calls, their arguments enlarged ×" in proof.checks[7].summary
    assert proof.effects[0].saving.low > 0.3
    assert Proof.model_validate_json(proof.model_dump_json()) == proof


@pytest.mark.parametrize(
    "function, old, new, place",
    [
        ("in_stock", "+= 1\n    gone", "+= 1\n    stock[:] = sorted(stock)\n    gone", "the arguments after the call"),
        (
            "in_stock",
            '    STATE["runs"] += 1\n',
            "    known = set(stock)\n",
            "basket.orders.STATE: is not changed any more",
        ),
        ("in_stock", "len(orders))\n    return", "len(orders) + 1)\n    return", "the exception.args[1]"),
        (
            "in_stock",
            'order["price"] * order["count"] for',
            'order["price"] * order["count"] * 1.0000001 for',
            "the result",
        ),
        ("in_stock", "orders are not in stock", "orders were not in stock", "what is logged"),
        (
            "in_stock",
            "orders.remove(order)",
            "orders.remove(order)\n    LAST.__iadd__(gone)",
            "basket.orders.LAST: is changed",
        ),
        ("slow_if_large", "+= item\n", "+= item\n        if items[900:]:\n            total -= 1\n", "call (×4)"),
        ("batches", "        yield batch", "        yield sorted(batch, reverse=True)", "the result"),
        ("gathered", "    return [name for", "    return [name.lower() for", "the result"),
        ("Ledger.add_all", "self.rows.extend(rows)", "self.rows = rows", "who holds the same object"),
    ],
    ids=["mutated", "gone-state", "exception", "precision", "log", "new-state", "large", "order", "text", "instance"],
)
def test_a_subtly_wrong_fix_differs(basket: Library, function: str, old: str, new: str, place: str) -> None:
    """The tests of the service and the rules on edits let these pass."""
    check = refused(basket.prove(function, old, new), "equality", Why.RESULT_DIFFERS)
    assert any(place in line for line in (check.summary, *check.detail)), check
    assert check.detail[-1].startswith("the values are in differences/")


def test_tests_that_reach_the_function_come_first(basket: Library) -> None:
    proof = basket.prove("in_both", LOOP, LOOP.replace("found.append(item)", "found.append(item)\n            break"))
    check = refused(proof, "tests", Why.TESTS_FAIL)
    assert "among the tests that reach the function" in check.detail[-1]
    assert "test_in_both[40]" in check.summary


def test_a_call_that_never_comes_back_is_a_difference(basket: Library) -> None:
    hangs = "total += row\n        while discount not in range(-1, 17):\n            pass"
    refused(basket.prove("priced", "total += row\n    return", hangs + "\n    return"), "equality", Why.RESULT_DIFFERS)


def test_a_call_that_ends_the_process_is_a_difference(basket: Library) -> None:
    ends = "    total = 0\n    if items[900:]:\n        raise SystemExit(0)\n    for item in items:"
    check = refused(
        basket.prove("slow_if_large", "    total = 0\n    for item in items:", ends), "equality", Why.RESULT_DIFFERS
    )
    assert "a result became an exception" in check.summary


def test_arguments_that_no_pickle_carries_are_counted_and_told(basket: Library) -> None:
    check = refused(basket.prove("locked", "sorted(set(items))", "sorted(items)"), "calls", Why.NO_CALLS)
    assert "1 cannot be pickled (TypeError)" in check.summary


def test_what_no_test_calls_and_no_annotation_describes_is_declined(basket: Library) -> None:
    check = refused(basket.prove("untested", "in list(items)", "in items"), "calls", Why.UNTESTED)
    assert "No test calls basket.orders:untested" in check.summary


@pytest.mark.long
def test_what_no_test_calls_gets_tests_where_its_annotations_tell_how(basket: Library) -> None:
    old = '    """No test of it."""\n    found = []\n    for item in wanted:\n        if item in offered:\n'
    old += "            found.append(item)\n    return found"
    new = '    """No test of it."""\n    there = set(offered)\n    return [item for item in wanted if item in there]'
    proof = basket.prove("common", old, new, 2e6)
    assert proof.proven, proof.failure
    assert (proof.calls, proof.tests) == (0, 0)
    (written,) = proof.attached
    assert (written.path, written.before) == ("tests/test_common_characterization.py", None)
    assert "from basket.orders import common\n\n\ndef test_common_1():\n    assert common(" in written.after
    change = basket.change(old, new).with_tests(proof.attached)
    job = basket.job(change, "common", 2e6).model_copy(update={"proof": proof})
    assert basket.prover().prove(job).checks[0].passed, "a proof is done again without what it has written itself"


@pytest.mark.long
def test_lines_that_only_a_generated_call_runs_get_a_test(basket: Library) -> None:
    proof = basket.prove("priced", "total += row * discount", "total += discount * row")
    (check,) = [c for c in proof.checks if c.name == "characterization"]
    assert check.passed
    assert "priced(" in proof.attached[0].after
    assert proof.checks[-1].name == "cost"


def test_a_test_that_ends_the_process_is_a_red_baseline(tmp_path: Path) -> None:
    def ends(text: str) -> str:
        return text + "\n\ndef test_ends():\n    import os\n    os._exit(0)\n"

    stopped = library(tmp_path, {"tests/test_orders.py": ends})
    refused(stopped.prove("in_both", LOOP, LOOP.replace("found.append", "found .append")), "baseline", Why.RED_BASELINE)


def test_what_is_not_repeatable_is_not_judged(tmp_path: Path) -> None:
    def by_chance(text: str) -> str:
        return text.replace("    return found\n\n\ndef in_stock", "    return [*found, id(found)]\n\n\ndef in_stock")

    def weaker(text: str) -> str:
        return text.replace("list(range(0, size, 2))) ==", "list(range(0, size, 2)))[:-1] ==")

    chance = library(tmp_path, {"basket/orders.py": by_chance, "tests/test_orders.py": weaker})
    check = refused(
        chance.prove("in_both", "found.append(item)\n    return [", "found += [item]\n    return ["),
        "equality",
        Why.NOT_REPEATABLE,
    )
    assert "do not give the same result twice" in check.summary

"""The set of wrong and honest patches: that it is whole, what the static rules say of it, and some whole proofs (slow).
All whole proofs: scripts/test-hacks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from burnish.job import Check, Proof
from burnish.why import Why
from burnish_tools.proof.rules import rules_check
from evals.hacks.__main__ import prove
from evals.hacks.patches import HONEST, KINDS, UNSEEN, Edit, Patch, chosen, load
from evals.hacks.score import Result, result, score
from evals.hacks.stage import Stage, stages

PATCHES = load()
SERVICES = ("depot", "store", "workshop")
"""SQLAlchemy, Django, plain Python."""
WHOLE = [
    "store/honest/select-related",
    "store/memo/attribute-of-a-model-class",
    "store/unseen/attribute-of-a-logger",
    "store/removed/log-behind-a-condition",
    "workshop/dropped/customers-twice",
    "depot/dropped/order-of-the-database",
]


def patch(**more: object) -> Patch:
    told = {
        "service": "s",
        "kind": "memo",
        "name": "n",
        "function": "a:f",
        "sentence": "…",
        "check": "rules",
        "edit": (),
    }
    return Patch.model_validate({**told, **more})


def refused(of: Patch, check: str, why: Why, summary: str = "…") -> Result:
    return result(of, Proof(checks=(Check(name=check, passed=False, summary=summary, why=why),)), 1.0)


def accepted(of: Patch) -> Result:
    return result(of, Proof(checks=(Check(name="cost", passed=True, summary="fast"),)), 1.0)


def test_there_are_enough_of_each_kind_for_each_service() -> None:
    found = Counter((p.service, p.kind) for p in PATCHES)
    kinds = [kind for kind in KINDS if kind not in (UNSEEN, HONEST)]
    assert {pair: found[pair] for s in SERVICES for k in kinds if found[pair := (s, k)] < 3} == {}
    assert sum(p.kind == HONEST for p in PATCHES) >= 40
    assert sum(p.kind == UNSEEN for p in PATCHES) >= 10


def test_every_hack_says_what_has_to_refuse_it_and_no_honest_patch_does() -> None:
    assert [p.id for p in PATCHES if bool(p.check) == (p.kind == HONEST)] == []


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.id)
def test_static_rules_refuse_what_they_should_and_nothing_else(patch: Patch, tmp_path: Path) -> None:
    source = stages(tmp_path)[patch.service].source
    check = rules_check(patch.change(source), source, 60)
    if patch.check == "rules":
        assert (check.passed, check.why) == (False, Why.FORBIDDEN_EDIT)
        assert patch.says in check.summary
        assert any(edit.path in check.summary for edit in patch.edit)
    else:
        assert check.passed, check.summary


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", WHOLE)
def test_whole_proofs(name: str, staged: dict[str, Stage]) -> None:
    (one,) = chosen(PATCHES, [name], [])
    found = prove(one, staged[one.service])
    assert found.right, found.summary


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    found = stages(tmp_path_factory.mktemp("hacks"))
    for stage in found.values():
        stage.prepare()
    return found


def test_a_hack_is_right_only_when_it_is_refused_for_its_reason() -> None:
    hack = patch(says="rule memo")
    assert refused(hack, "rules", Why.FORBIDDEN_EDIT, "a.py, line 3: … (rule memo).").right
    assert not refused(hack, "rules", Why.FORBIDDEN_EDIT, "a.py, line 3: … (rule files).").right
    assert not refused(hack, "tests", Why.TESTS_FAIL, "rule memo").right
    assert not accepted(hack).right


def test_the_bars() -> None:
    honest = [patch(kind=HONEST, name=f"h{n}", check="") for n in range(40)]
    no = [refused(p, "cost", Why.TOO_NOISY) for p in honest[:4]]
    right = refused(patch(), "rules", Why.FORBIDDEN_EDIT)
    enough = score([right, *no, *map(accepted, honest[4:])])
    assert (enough.met, enough.accepted, enough.honest, enough.right_reason) == (True, 36, 40, 1)
    assert not score([right, *no, refused(honest[4], "cost", Why.TOO_NOISY), *map(accepted, honest[5:])]).met
    passed = score([accepted(patch()), *map(accepted, honest)])
    assert (passed.met, passed.passed_hacks) == (False, ("s/memo/n",))


def test_a_patch_that_does_not_fit_is_named() -> None:
    stage = stages(Path())["store"]
    unfit = patch(edit=(Edit(path="shelf/models.py", old="no such text", new=""),))
    with pytest.raises(ValueError, match=r"s/memo/n: the old text is 0 times in shelf/models\.py"):
        unfit.change(stage.source)


def test_kinds_and_names_are_checked(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    table = '[[patch]]\nname = "a"\nfunction = "a:f"\nsentence = "s"\n[[patch.edit]]\npath = "a"\nold = ""\nnew = "x"\n'
    (folder / "honest.toml").write_text(table * 2, "utf-8")
    with pytest.raises(ValueError, match="twice: store/honest/a"):
        load(tmp_path)
    (folder / "clever.toml").write_text(table, "utf-8")
    with pytest.raises(ValueError, match=r"clever\.toml: no such kind"):
        load(tmp_path)

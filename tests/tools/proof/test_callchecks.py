from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from burnish.job import Change, FileEdit
from burnish.why import Why
from burnish_tools.proof import calls, changedlines, characterize
from burnish_tools.proof.callchecks import differs, equality_check, queries_check, told, unusable
from burnish_tools.proof.drawn import drawn, strategy

CAPTURED = {"kind": "captured", "raised": "", "test": "t.py::a"}
MADE = {"kind": "number", "raised": ""}


def result(**more: Any) -> dict[str, Any]:
    seen = {"returned": 1, "shared": [], "arguments": [], "state": {}, "printed": [], "logged": [], "written": {}}
    return {**seen, "queries": 0, **more}


def raised(kind: str, *args: Any) -> dict[str, Any]:
    seen = result(type=kind, raised={"$exception": kind, "args": list(args)})
    del seen["returned"]
    return seen


@pytest.mark.parametrize(
    "new, place, kind",
    [
        (result(returned=2), "the result", "another number"),
        (raised("builtins.KeyError", 1), "the result", "a result became an exception"),
        (result(shared=["a is b"]), "who holds the same object", "list of 0 became list of 1"),
        (result(state={"m.KEPT": [1]}), "global state, m.KEPT", "is changed"),
        (result(logged=[["m", "INFO", "text"]]), "what is logged", "list of 0 became list of 1"),
        ({**result(overtime=True)}, "the time it takes", "a result became no end in time"),
        (None, "the call itself", "it ended the process or never came back"),
    ],
)
def test_a_difference_names_its_place_and_no_value(new: Any, place: str, kind: str) -> None:
    found = differs(CAPTURED, result(), new)
    assert found is not None
    assert (found.place, found.kind) == (place, kind)
    assert differs(CAPTURED, result(), result()) is None


def test_the_text_of_an_exception_counts_unless_it_is_pythons_own_words_for_a_made_up_argument() -> None:
    old, new = raised("builtins.TypeError", "unhashable"), raised("builtins.TypeError", "not iterable")
    assert differs(CAPTURED, old, new) is not None
    assert differs(MADE, old, new) is None
    assert differs(MADE, old, raised("builtins.KeyError", "unhashable")) is not None
    assert differs(MADE, raised("shop.Unknown", 1), raised("shop.Unknown", 2)) is not None


def test_what_says_nothing_of_the_old_code_is_left_out_with_its_reason() -> None:
    assert unusable(CAPTURED, None) == "ends the process"
    assert unusable(CAPTURED, {"unloadable": "ImportError"}).startswith("its arguments cannot be loaded")
    assert unusable(CAPTURED, result(overtime=True)) == "takes too long"
    assert unusable(CAPTURED, raised("django.OperationalError")) == "needs what its test has set up"
    assert unusable({**CAPTURED, "raised": "shop.Unknown"}, raised("shop.Unknown")) == ""
    assert unusable(MADE, raised("builtins.ValueError")) == ""
    assert unusable({"kind": "shape ×4"}, raised("builtins.ValueError")) == "an enlarged call that raises"


def test_the_summary_says_what_was_compared_and_what_was_not() -> None:
    check = equality_check([], told([CAPTURED, {**CAPTURED, "test": "t.py::b"}, MADE], {"takes too long": 3}))
    assert check.summary.startswith("2 calls captured from 2 tests and 1 generated ones gave the same results")
    assert check.summary.endswith("Left out: 3 takes too long.")


def test_no_call_may_make_more_queries() -> None:
    cases, old = {1: CAPTURED, 2: MADE}, {("calls", n): result(queries=5) for n in (1, 2)}
    assert queries_check(cases, old, {**old, ("calls", 1): result(queries=1)}).passed
    worse = queries_check(cases, old, {**old, ("calls", 2): result(queries=6)})
    assert worse.why is Why.MORE_QUERIES


def test_captured_lines_are_read_by_all_processes_together(tmp_path: Path) -> None:
    call = {"test": "t.py::a", "size": 3, "raised": "", "digest": "d1", "pickle": "p"}
    end = {"tests": {"t.py::a": 2}, "left_out": {"x": 1}, "parameters": [], "paths": ["."], "instant": 5.0, "error": ""}
    (tmp_path / "1.jsonl").write_text("\n".join(map(json.dumps, [call, end])))
    (tmp_path / "2.jsonl").write_text(json.dumps(call) + "\n" + json.dumps(end) + '\n{"cut sh')
    found = calls.read(tmp_path)
    assert (len(found.calls), found.tests, found.left_out, found.complete) == (1, {"t.py::a": 4}, {"x": 2}, True)
    (tmp_path / "3.jsonl").write_text("")
    assert not calls.read(tmp_path / "nothing").complete


def test_the_sample_takes_every_size_and_every_test_before_a_second_of_any() -> None:
    many = [calls.Call("t", n % 3, "", f"{n}", "p") for n in range(90)]
    few = [calls.Call(f"u{n}", 100, "", f"u{n}", "p") for n in range(3)]
    chosen = calls.sample([*many, *few], 6, random.Random(1))
    assert {c.test for c in chosen} == {"t", "u0", "u1", "u2"}
    assert sorted(c.size for c in chosen if c.test == "t") == [0, 1, 2]


def test_changed_lines_are_those_of_the_new_text() -> None:
    edit = FileEdit(path="a.py", before="x = 1\ny = 2\nz = 3\n", after="x = 1\nw = 0\ny = 5\nz = 3\n")
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=(edit,))
    assert changedlines.of(change) == {"a.py": [2, 3]}
    assert changedlines.check({"asked": 2, "missing": ["a.py:2"]}).why is Why.UNTESTED
    assert changedlines.check({"asked": 2, "missing": []}).passed


def test_tests_are_written_for_lines_that_can_be_run_by_what_can_be_written() -> None:
    written = {1: {"arguments": "[1, 2, 3]", "returned": "6"}, 2: {"arguments": "[]", "raised": "ValueError"}}
    assert characterize.chosen({1: ["a:1", "a:2"], 2: ["a:1"]}, written) == [1, 2]
    assert characterize.chosen({1: ["a:1"], 3: ["a:9"]}, written) is None
    edit = characterize.file_of("shop.sums:total", "plain", [written[1], written[2]], ["tests/a/test_x.py"])
    assert edit.path == "tests/a/test_total_characterization.py"
    assert characterize.names(edit) == [f"{edit.path}::test_total_1", f"{edit.path}::test_total_2"]
    assert "    assert total([1, 2, 3]) == 6\n" in edit.after
    assert "    with pytest.raises(ValueError):\n        total([])\n" in edit.after
    compile(edit.after, edit.path, "exec")


@pytest.mark.parametrize(
    "annotation, plain",
    [
        ("list[int]", True),
        ("'dict[str, float] | None'", True),
        ("typing.Optional[collections.abc.Sequence[str]]", True),
        ("tuple[int, ...]", True),
        ("Order", False),
        ("list[Order]", False),
        ("not a type", False),
        ("", False),
    ],
)
def test_plain_annotations_have_a_strategy(annotation: str, plain: bool) -> None:
    assert (strategy(annotation) is not None) is plain


def test_calls_are_drawn_only_where_all_that_is_required_is_plain() -> None:
    a = {"name": "a", "kind": "POSITIONAL_OR_KEYWORD", "type": "list[int]", "required": True}
    b = {"name": "b", "kind": "KEYWORD_ONLY", "type": "Order", "required": False}
    assert 10 < len(set(drawn([a, b], 30, 1))) <= 30
    assert drawn([a, b], 30, 1) == drawn([a, b], 30, 1)
    assert drawn([a, {**b, "required": True}], 30, 1) == []
    assert drawn([], 30, 1) == []

"""What becomes of an answer, and what the model is told about one that cannot be used."""

from __future__ import annotations

import json

import pytest

from burnish.job import Change, Declined, FileEdit
from burnish.why import Why
from burnish_tools.model.answer import Answer, Unusable, read
from burnish_tools.model.scripted import ScriptedModel
from burnish_tools.model.touched import touched
from tests.tools.model.questions import DECLINED, FAST, GOOD_EDIT, VIEWS, answered, asked, edit, finding


def result(*edits: dict[str, str], text: str = VIEWS, **changed: object) -> Change | Declined | Unusable:
    return read(json.dumps(answered(*edits, **changed)), asked(text))


def test_an_edit_becomes_a_change() -> None:
    change = result()
    assert isinstance(change, Change)
    assert change.recipe == "model"
    assert change.edits == (FileEdit(path="src/shop/views.py", before=VIEWS, after=FAST),)
    assert change.functions == ("shop.views:ProductList.get",)


def test_a_refusal_keeps_its_reason() -> None:
    assert read(json.dumps(DECLINED), asked()) == Declined(why=Why.MODEL_DECLINED, detail="The loop writes.")


def test_line_ends_of_the_file_stay() -> None:
    change = result(text=VIEWS.replace("\n", "\r\n"))
    assert isinstance(change, Change)
    assert change.edits[0].after == FAST.replace("\n", "\r\n")


def test_several_edits_of_a_file_are_placed_in_the_original() -> None:
    change = result(
        edit("rows = []", "names = []"), edit("rows.append", "names.append"), edit("return rows", "return names")
    )
    assert isinstance(change, Change)
    assert change.edits[0].after == VIEWS.replace("rows", "names")


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ((edit("a", "b", "manage.py"),), ["manage.py is not one of the files that you may change: src/shop/views.py."]),
        ((edit("", "b"),), ['"find" of an edit of src/shop/views.py is empty.']),
        ((edit("for product in Product.objects.all():", "x"),), ["occurs 2 times in src/shop/views.py (lines 7, 12)"]),
        ((edit("rows.append(product.title)", "x"),), ["is not in", "    8|             rows.append(product.shop.n"]),
        ((edit("zzzz", "x"),), ["No line of the file looks like its first line."]),
        ((edit("return rows", "return rows"),), ["The edits leave src/shop/views.py as it was."]),
        ((edit("return rows", "return (rows"),), ["is no valid Python after the edits", "line 9"]),
        ((edit("rows = []", "a"), edit("= []\n", "b")), ["Two edits of src/shop/views.py overlap."]),
    ],
)  # fmt: skip
def test_what_cannot_be_placed_is_explained(edits: tuple[dict[str, str], ...], says: list[str]) -> None:
    wrong = result(*edits)
    assert isinstance(wrong, Unusable)
    for words in says:
        assert words in str(wrong)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"title": "x" * 73}, '"title" has to be one line of 1 to 72 characters; it has 73.'),
        ({"title": "two\nlines"}, '"title" has to be one line'),
        ({"safety": " "}, '"safety" is empty.'),
        ({"edits": []}, '"edits" is empty; give at least one, or decline.'),
        ({"decision": "maybe"}, "decision: Input should be 'edit' or 'decline'"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
    ],
)
def test_form_is_explained(changed: dict[str, object], says: str) -> None:
    wrong = result(**changed)
    assert isinstance(wrong, Unusable)
    assert says in str(wrong)


def test_no_json_is_explained() -> None:
    wrong = read("Sure, here it is:", asked())
    assert isinstance(wrong, Unusable)
    assert "does not have the form" in str(wrong)


NESTED = "def f():\n    def g():\n        return {}\n    return g\n"
METHOD = "class A:\n    x = {}\n    async def f(self):\n        return {}\n"


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 2\n", ["shop.util:f"]),
        ("def f():\n    return 1\n", "import os\n\n\ndef f():\n    return 1\n", []),
        (NESTED.format(1), NESTED.format(2), ["shop.util:f.<locals>.g"]),
        (METHOD.format(1, 1), METHOD.format(2, 1), []),
        (METHOD.format(1, 1), METHOD.format(2, 2), ["shop.util:A.f"]),
        ("def f():\n    a()\n    b()\n", "def f():\n    a()\n\n\ndef h():\n    b()\n", ["shop.util:f", "shop.util:h"]),
        ("@slow\ndef f():\n    pass\n", "@fast\ndef f():\n    pass\n", ["shop.util:f"]),
        ("def f():\n    pass\n", "def f():\n    pass  # fast\n", ["shop.util:f"]),
    ],
)
def test_touched_functions(before: str, after: str, names: list[str]) -> None:
    edits = [
        FileEdit(path="src/shop/util.py", before=before, after=after),
        FileEdit(path="x.txt", before="a", after="b"),
    ]
    assert touched(edits, finding()) == tuple(names)


def test_modules_of_packages() -> None:
    edits = [FileEdit(path="shop/__init__.py", before="def f():\n    return 1\n", after="def f():\n    return 2\n")]
    assert touched(edits, finding("shop.views:f", "shop/views.py")) == ("shop:f",)


def test_the_scripted_model_answers_like_a_real_one() -> None:
    good, bad = (Answer.model_validate(answered(e)) for e in (GOOD_EDIT, edit("zzzz", "x")))
    no = Declined(why=Why.MODEL_DECLINED, detail="no")
    model = ScriptedModel([good, bad, no])
    change, misplaced, refused, after = (model.propose(asked(), f"job-{n}") for n in range(4))
    assert isinstance(change, Change)
    assert isinstance(misplaced, Declined)
    assert '"find" is not in src/shop/views.py' in misplaced.detail
    assert refused == no
    assert after == Declined(why=Why.MODEL_DECLINED, detail="the script has no answer for this question")
    assert [job for job, _ in model.asked] == ["job-0", "job-1", "job-2", "job-3"]
    assert ScriptedModel({"shop.views:ProductList.get": no}).propose(asked(), "job") == no

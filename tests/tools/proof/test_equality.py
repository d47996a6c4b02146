from __future__ import annotations

from typing import Any

import pytest

from burnish.why import Why
from burnish_tools.proof.equality import difference, differences, equality_check, queries_check


def request(**more: Any) -> dict[str, Any]:
    seen = {"entry": "GET a/", "status": 200, "headers": {}, "cookies": [], "body": {"json": {"n": 1}}}
    return {**seen, "calls": [], "count": 0, "written": {}, "queries": 1, "call_queries": 1, **more}


def answer(*requests: dict[str, Any], changed: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"requests": list(requests), "changed": changed or []}


@pytest.mark.parametrize(
    "old, new, place, kind",
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, ".a[1]", "another number"),
        ({"a": 1}, {"a": True}, ".a", "number became boolean"),
        ({"a": [1]}, {"a": [1, 1]}, ".a", "list of 1 became list of 2"),
        ({"a": 1, "b": 2}, {"a": 1}, ".b", "number is missing"),
        ({"a": 1}, {"a": 1, "c": None}, ".c", "is new"),
        ({"$float": "nan"}, {"$float": "0.0"}, "", "another text of 3 characters"),
        ({"jane@example.org": "x"}, {"jane@example.org": "y"}, ".(key)", "another text of 1 characters"),
    ],
)
def test_the_first_difference_names_its_place_and_no_value(old: Any, new: Any, place: str, kind: str) -> None:
    found = difference(old, new)
    assert found is not None
    assert (found.place, found.kind) == (place, kind)


@pytest.mark.parametrize("value", [None, {"$float": "nan"}, {"a": [1, {"b": "x"}]}, 10**30, float("nan")])
def test_equal_values_have_no_difference(value: Any) -> None:
    assert difference(value, value) is None


def test_the_order_of_keys_in_a_json_body_is_no_difference() -> None:
    assert difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) is None


def model(fields: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"$model": "books.Book", "fields": fields, "extra": extra}


def test_a_deferred_field_and_an_annotation_of_the_new_code_are_no_difference() -> None:
    assert difference(model({"id": 1, "title": "a"}), model({"id": 1}, lines=3)) is None


def test_an_attribute_that_the_new_code_no_longer_sets_is_a_difference() -> None:
    found = difference(model({"id": 1}, total=3), model({"id": 1}))
    assert found is not None
    assert found.kind == "number is missing"


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 404},
        {"count": 2},
        {"calls": [{"arguments": [], "returned": 2}]},
        {"body": {"json": {"n": 2}}},
        {"headers": {"Location": "/"}},
        {"written": {"log": "abc/1"}},
    ],
)
def test_each_part_of_a_request_is_compared(changed: dict[str, Any]) -> None:
    calls = {"calls": [{"arguments": [], "returned": 1}], "count": 1}
    old, new = answer(request(**calls)), answer(request(**{**calls, **changed}))
    check = equality_check(list(differences(old, new)), old, "file")
    assert (check.passed, check.why) == (False, Why.RESULT_DIFFERS)
    assert "request 1 (GET a/)" in check.detail[0]


def test_a_difference_on_altered_data_says_so() -> None:
    old, new = (answer(request(), changed=[request(status=s)]) for s in (200, 500))
    (found,) = differences(old, new)
    assert "after the data had been altered" in found.sentence


def test_code_that_differs_from_itself_is_told_so() -> None:
    old, new = answer(request()), answer(request(status=500))
    found = list(differences(old, new))
    assert "not repeatable itself" in " ".join(equality_check(found, old, "file", found).detail)


def test_more_queries_are_refused() -> None:
    check = queries_check(answer(request(queries=3)), answer(request(queries=4)))
    assert (check.passed, check.why) == (False, Why.MORE_QUERIES)


def test_two_more_on_one_request_are_refused_however_much_others_save() -> None:
    old, new = answer(request(queries=90), request(queries=1)), answer(request(queries=2), request(queries=3))
    assert queries_check(old, new).detail == ("request 2 (GET a/): 1 → 3 queries",)


def test_what_is_fetched_in_vain_before_an_empty_loop_is_accepted() -> None:
    old, new = answer(request(queries=90), request(queries=1)), answer(request(queries=2), request(queries=2))
    check = queries_check(old, new)
    assert check.passed
    assert check.summary == "1 of 2 requests make one query more; all together 91 → 4."

"""The budget of tokens: counted on the safe side, kept, and what was left out is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.tokens import as_json, estimated, fitted

DATA = {
    "function": "shop.views:orders",
    "entries": [{"entry": f"GET orders/{i}/", "calls_per_min": 12.5} for i in range(8)],
    "jobs": [{"id": f"{i:08x}", "why": "not faster"} for i in range(8)],
    "own_share": 0.31,
}


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("the mean of all calls", 5, 8),
        ("shop.views:orders", 5, 8),
        ('{"p50": 129, "p90": 182}', 10, 22),
        ("1234567890", 4, 5),
        ("größer", 2, 6),
        ("…", 3, 3),
    ],
)
def test_the_estimate_is_on_the_safe_side_and_not_far_off(text: str, least: int, most: int) -> None:
    assert least <= estimated(text) <= most


def test_longer_text_is_never_fewer_tokens() -> None:
    text = as_json(DATA)
    counts = [estimated(text[:i]) for i in range(len(text))]
    assert counts == sorted(counts)


def test_all_of_it_where_it_fits() -> None:
    assert fitted(DATA, 10_000, ("jobs", "entries", "own_share")) == DATA


def test_what_matters_least_goes_first_and_one_of_each_stays_as_long_as_it_can() -> None:
    some = fitted(DATA, 180, ("jobs", "entries", "own_share"))
    assert some["jobs"] == DATA["jobs"][:1]  # type: ignore[index]
    assert 1 < len(some["entries"]) < 8
    assert some["own_share"] == 0.31
    assert some["more"] == {"jobs": 7, "entries": 8 - len(some["entries"])}


def test_what_is_not_named_stays_whatever_the_budget() -> None:
    some = fitted(DATA, 1, ("jobs", "entries", "own_share"))
    assert some == {"function": DATA["function"], "more": {"jobs": 8, "entries": 8, "own_share": 1}}


@given(st.integers(60, 600), st.dictionaries(st.sampled_from("abc"), st.lists(st.text(max_size=40), max_size=6)))
def test_the_budget_is_kept_and_nothing_is_lost_silently(budget: int, lists: dict[str, list[str]]) -> None:
    some = fitted({"name": "x", **lists}, budget, sorted(lists))
    assert estimated(as_json(some)) <= budget
    more = some.get("more", {})
    for key, values in lists.items():
        assert len(some.get(key, [])) + more.get(key, 0) == len(values)
        assert some.get(key, []) == values[: len(some.get(key, []))]

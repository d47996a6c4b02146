"""Recipes are found by being there."""

from __future__ import annotations

from burnish.finding import Evidence
from burnish.job import Declined
from burnish.why import Why
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import BaseRecipe, MemorySource, example_finding


def test_finds_each_once_sorted_by_name() -> None:
    assert [recipe.name for recipe in recipes()] == [
        "batched_get",
        "composite_index",
        "deque",
        "gather",
        "hoist_call",
        "hoist_query",
        "hoist_regex",
        "immutable_deepcopy",
        "join_strings",
        "membership_set",
        "prefetch_related",
        "select_related",
        "selectinload",
        "sort_in_loop",
    ]


def test_a_mistake_in_a_recipe_is_a_refusal_that_names_it() -> None:
    class Broken(BaseRecipe):
        name = "broken"

    answer = Broken().apply(example_finding("any", "a:f", "a.py", Evidence()), MemorySource())
    assert isinstance(answer, Declined)
    assert answer.why is Why.NO_PATTERN
    assert answer.detail.startswith("recipe broken failed: NotImplementedError")


def test_a_lock_in_the_statement_is_seen_before_its_shape() -> None:
    files = {"a/views.py": "def f(rows):\n    for row in rows:\n        row.owner.name\n"}
    statement = 'SELECT "a"."id" FROM "a" WHERE "a"."id" = ? LIMIT ? FOR UPDATE'
    finding = example_finding("n_plus_one", "a.views:f", "a/views.py", Evidence(statement=statement))
    for recipe in recipes():
        if finding.kind in recipe.kinds:
            answer = recipe.apply(finding, MemorySource(files))
            assert isinstance(answer, Declined)
            assert answer.why is Why.LOOP_LOCKS

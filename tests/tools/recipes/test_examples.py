"""Every recipe's own examples: what it must change it changes exactly so, the rest it refuses for the right reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from burnish.job import Change, Declined
from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import Act, BaseRecipe, MemorySource, Refuse

OWN = [recipe for recipe in recipes() if isinstance(recipe, BaseRecipe)]
HEADINGS = ("What it does", "Why it is slow", "Example", "Fix safety", "Known problems")


def _cases(kind: type[Act] | type[Refuse]) -> list[object]:
    return list(_all_cases(kind))


def _all_cases(kind: type[Act] | type[Refuse]) -> Iterator[object]:
    for recipe in OWN:
        for example in recipe.examples:
            if isinstance(example, kind):
                yield pytest.param(recipe, example, id=f"{recipe.name}: {example.name}")


@pytest.mark.parametrize("recipe, example", _cases(Act))
def test_acts(recipe: BaseRecipe, example: Act) -> None:
    change = recipe.apply(example.finding, MemorySource(example.files))
    assert isinstance(change, Change), change
    assert {edit.path: edit.after for edit in change.edits} == dict(example.after)
    assert {edit.path: edit.before for edit in change.edits} == {
        path: example.files.get(path) for path in example.after
    }
    assert len(change.title) <= 72
    assert change.summary.endswith(".")
    assert change.safety.endswith(".")
    assert change.functions or change.migration


@pytest.mark.parametrize("recipe, example", _cases(Refuse))
def test_refuses(recipe: BaseRecipe, example: Refuse) -> None:
    answer = recipe.apply(example.finding, MemorySource(example.files))
    assert isinstance(answer, Declined), answer
    assert answer.why is example.why, answer
    assert example.detail in answer.detail


@pytest.mark.parametrize("recipe, example", _cases(Act))
def test_acts_only_once(recipe: BaseRecipe, example: Act) -> None:
    again = recipe.apply(example.finding, MemorySource({**example.files, **example.after}))
    assert isinstance(again, Declined), again


@pytest.mark.parametrize("recipe, example", _cases(Act))
def test_examples_are_python(recipe: BaseRecipe, example: Act) -> None:
    for text in (*example.files.values(), *example.after.values()):
        ast.parse(text)


@pytest.mark.parametrize("recipe", OWN, ids=lambda recipe: recipe.name)
def test_has_enough_examples(recipe: BaseRecipe) -> None:
    act = sum(isinstance(example, Act) for example in recipe.examples)
    refuse = len(recipe.examples) - act
    assert act >= 4
    assert refuse >= max(4, act)


@pytest.mark.parametrize("recipe", OWN, ids=lambda recipe: recipe.name)
def test_says_what_a_reader_needs(recipe: BaseRecipe) -> None:
    text = type(recipe).__doc__ or ""
    assert all(f"## {heading}" in text for heading in HEADINGS)
    assert recipe.risk >= 1
    assert recipe.kinds

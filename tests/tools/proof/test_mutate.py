from __future__ import annotations

import random
from collections import deque
from typing import Any

import pytest

from burnish_tools.proof.harness import mutate


class Row:
    def __init__(self, name: str, counts: list[int]) -> None:
        self.name, self.counts = name, counts


def test_grown_arguments_hold_fresh_elements_that_match_across_arguments() -> None:
    args: list[Any] = [[1, 2, 2], {2, 5}]
    assert mutate.grown(args, {}, 3)
    wanted, offered = args
    assert (len(wanted), len(offered)) == (9, 6)
    assert len(set(wanted)) == 6, "what was there twice is there twice in each part, and nothing more"
    assert sum(item in offered for item in wanted) == 6


def test_attributes_of_an_object_grow_with_it() -> None:
    row = Row("a", [1, 2])
    assert mutate.grown([row], {}, 2)
    assert len(row.counts) == 4


@pytest.mark.parametrize("args", [[], [3], [[]], [None, 1.5]])
def test_what_has_no_size_cannot_grow(args: list[Any]) -> None:
    assert not mutate.grown(args, {}, 2)


def test_records_keep_their_keys_and_deques_their_bound() -> None:
    args: list[Any] = [[{"price": 2, "7 b": 1}], deque([1, 2, 3], 4)]
    assert mutate.grown(args, {}, 2)
    assert set(args[0][1]) > {"price"}
    assert (type(args[1]), args[1].maxlen, len(args[1])) == (deque, 4, 4)


def test_a_variant_is_the_same_work_on_other_values() -> None:
    args: list[Any] = [["a", "b", "a"], {"a": 1}, 12]
    assert mutate.varied(args, {}, 1)
    names, known, count = args
    assert names[0] == names[2] != names[1]
    assert "a" not in names
    assert count == 12, "a number that is an argument may say how much work there is"
    assert list(known) == ["a"]


def test_a_call_of_plain_numbers_has_no_variant() -> None:
    assert not mutate.varied([3, None], {"by": 2}, 1)


@pytest.mark.parametrize("kind", ["empty", "one", "×2", "×4", "duplicates", "order", "number", "text", "fresh", "none"])
def test_mutations_change_the_call(kind: str) -> None:
    rng = random.Random(3)
    args: list[Any] = [[5, 6, 7, 8], "abc"]
    kwargs: dict[str, Any] = {"by": 1}
    assert mutate.mutations([(2, "by")], rng)[kind](args, kwargs)
    assert (args, kwargs) != ([[5, 6, 7, 8], "abc"], {"by": 1})


def test_duplicates_and_order_keep_what_is_there() -> None:
    for kind in ("duplicates", "order"):
        args: list[Any] = [[5, 6, 7, 8]]
        mutate.mutations([], random.Random(1))[kind](args, {})
        assert set(args[0]) == {5, 6, 7, 8}

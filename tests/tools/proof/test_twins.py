"""Near twins: generated inputs that tell a wrong key from a right one."""

from __future__ import annotations

import random
from collections import deque, namedtuple
from typing import Any

import pytest

from burnish_tools.proof.harness.twins import near_to, twins

Point = namedtuple("Point", "x y")


def many(value: Any) -> list[Any]:
    return [twins(value, random.Random(seed)) for seed in range(60)]


@pytest.mark.parametrize("value", [["part 1", "part 2"], ("a", "b"), deque(["a", "b"], 9), [1, 2, 3], [1.5, 2.5]])
def test_elements_stay_in_their_order_and_near_ones_come_in(value: Any) -> None:
    for other in many(value):
        assert type(other) is type(value)
        assert len(other) == 2 * len(value)
        rest = iter(other)
        assert all(element in rest for element in value)


def test_texts_that_differ_in_spaces_case_or_the_end() -> None:
    near = {near_to("Part 1", random.Random(seed)) for seed in range(60)}
    assert {"Part 1 ", " Part 1", "pART 1", "Part "} <= near


def test_records_with_the_same_key_and_another_value() -> None:
    rows = [(1, "Ada"), (2, "Grace")]
    found = [row for other in many(rows) for row in other if row not in rows]
    assert (1, "Grace") in found
    assert any(key == 1 and name.strip() == "Ada" for key, name in found)


def test_numbers_next_to_a_number() -> None:
    near = {near_to(0.1, random.Random(seed)) for seed in range(60)}
    assert any(0 < abs(value - 0.1) < 1e-15 for value in near)


@pytest.mark.parametrize("value", [Point(1, 2), "text", {1, 2}, None, 7])
def test_what_is_no_sequence_stays(value: Any) -> None:
    assert twins(value, random.Random(1)) == value


def test_the_argument_itself_is_left_alone() -> None:
    rows = [[1, ["deep"]], [2, ["deep"]]]
    many(rows)
    assert rows == [[1, ["deep"]], [2, ["deep"]]]

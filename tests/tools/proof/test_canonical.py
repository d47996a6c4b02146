from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest

from burnish_tools.proof.harness.canonical import canonical

Point = namedtuple("Point", "x y")
NAN = float("nan")


@dataclass
class Price:
    cents: int


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Thing:
    def __init__(self, value: Any) -> None:
        self.value = value


ID = uuid.UUID(int=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, "a", None, True, 1.5, NAN, b"x"],
        lambda: {"a": decimal.Decimal("1.10"), "d": datetime.date(2026, 3, 2), "t": datetime.timedelta(1)},
        lambda: ({3, 1, 2}, frozenset("ab"), ID, Colour.RED, Point(1, 2)),
        lambda: Price(3),
        lambda: Thing([Thing(1)]),
        lambda: ValueError("no", 3),
    ],
)
def test_equal_values_have_one_form_that_is_json(make: Any) -> None:
    assert json.dumps(canonical(make())) == json.dumps(canonical(make()))


@pytest.mark.parametrize(
    "one, other",
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (0.1 + 0.2, 0.3),
        ("1", 1),
        ("a", b"a"),
        ([1, 2], (1, 2)),
        ([1, 2], [2, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, OrderedDict(a=1)),
        ({1}, frozenset({1})),
        (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
        (datetime.datetime(2026, 3, 2), datetime.date(2026, 3, 2)),
        (Price(1), Price(2)),
        (Thing(1), Thing(2)),
        (Colour.RED, Colour.BLUE),
        (Point(1, 2), (1, 2)),
        (ValueError("a"), ValueError("b")),
        (ValueError("a"), KeyError("a")),
        ("x" * 30000, "x" * 29999 + "y"),
        (list, dict),
    ],
)
def test_different_values_have_different_forms(one: Any, other: Any) -> None:
    assert json.dumps(canonical(one)) != json.dumps(canonical(other))


def test_cycles_and_depth_end() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert canonical(loop) == {"$list": [1, {"$cycle": "list"}]}
    deep: Any = 0
    for _ in range(50):
        deep = [deep]
    assert "$more" in json.dumps(canonical(deep))


def test_a_generator_is_not_consumed() -> None:
    items = (n for n in range(3))
    assert canonical(items) == {"$lazy": "generator"}
    assert list(items) == [0, 1, 2]

"""Elements that are nearly those which are there: what a wrong key takes for the same.

A dictionary in place of a search keeps the last of two elements with one key where the search found the first; a key
that is stripped, folded, cut or rounded makes one of two. Inputs of tests rarely hold such pairs.
"""

from __future__ import annotations

import collections
import decimal
import math
import random
from typing import Any

MOST = 4
SEQUENCES = (list, tuple, collections.deque)


def twins(value: Any, rng: random.Random) -> Any:
    """A copy of a container with up to `MOST` near ones of its elements at random places; of a record (a named tuple)
    and of anything else the thing itself."""
    if isinstance(value, dict):
        near = [(k, near_to(k, rng)) for k in rng.sample(list(value), min(MOST, len(value)))]
        return type(value)({**value, **{b: value[a] for a, b in near}}) if type(value) is dict else value
    if not isinstance(value, SEQUENCES) or hasattr(value, "_fields"):
        return value
    elements = list(value)
    others = list(elements)
    for element in rng.sample(elements, min(MOST, len(elements))):
        others.insert(rng.randrange(len(others) + 1), near_to(element, rng, elements))
    return collections.deque(others, value.maxlen) if isinstance(value, collections.deque) else type(value)(others)


def near_to(value: Any, rng: random.Random, among: list[Any] | None = None) -> Any:  # noqa: PLR0911 - a table in code
    """Another value that is nearly this one; of a record one field is another's or nearly its own."""
    if isinstance(value, bool) or value is None:
        return value
    if type(value) is str:
        return rng.choice([f"{value} ", f" {value}", value.swapcase(), value[:-1], value + value[-1:], value[::-1]])
    if type(value) is int:
        return rng.choice([value + 1, -value, value * 10, value ^ 1])
    if type(value) is float:
        return rng.choice([math.nextafter(value, math.inf) if math.isfinite(value) else value, -value, value + 1e-9])
    if type(value) is decimal.Decimal:
        return value + rng.choice([decimal.Decimal("0.001"), decimal.Decimal("0.005"), decimal.Decimal(1)])
    if type(value) in (tuple, list) and value:
        place = rng.randrange(len(value))
        other = [e[place] for e in among or () if type(e) is type(value) and len(e) == len(value)]
        own = near_to(value[place], rng)
        return type(value)([*value[:place], rng.choice([own, *other[:MOST]]), *value[place + 1 :]])
    if type(value) is dict and value:
        key = rng.choice(list(value))
        return {**value, key: near_to(value[key], rng)}
    return value

"""New calls out of recorded ones: other sizes, other values, another order. What is made depends on the seed alone.

Two kinds of new values are told apart. *Mutations* look for differences: empty, one element, duplicates, boundary
numbers, strange texts. *Variants* are the same work on fresh data, for measuring: every number and text inside of a
container is exchanged, equal ones for equal ones, so that who is in which list stays as it was.
"""

from __future__ import annotations

import collections
import copy
import datetime
import decimal
import random
from collections.abc import Callable, Iterator
from typing import Any

from .twins import twins

Call = "tuple[list[Any], dict[str, Any]]"
CONTAINERS = (list, tuple, set, frozenset, dict, collections.deque)
BOUNDARY_NUMBERS = (0, -1, 1, 2, 2**31 - 1, 2**31, 2**63, -(2**63))
SMALL_NUMBERS = (0, -1, 1, 2, 3, 17)
"""For numbers that are arguments themselves: they may say how often to do something."""
BOUNDARY_FLOATS = (0.0, -0.0, 0.1 + 0.2, 1e-9, 1e16 + 1, 5e-324, float("inf"), float("nan"))
TEXTS = (
    "MiXeD Case",
    "",
    " ",
    "0",
    "Ab",
    "ÀÉ",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "\U0001f600",
    "a\x00b",
    "line\nline",
    "  padded ",
    "%s{0}",
)
STEP = 1009
MAX_ELEMENTS = 400_000
EXCHANGED = 8
"""Values that one mutation exchanges."""


def places(args: list[Any], kwargs: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every argument, and of attributes that are containers of arguments that are objects."""
    held: list[tuple[Any, Any]] = [*((args, i) for i in range(len(args))), *((kwargs, name) for name in kwargs)]
    for holder, key in held:
        own = getattr(holder[key], "__dict__", None)
        if isinstance(own, dict) and not isinstance(holder[key], type) and not hasattr(holder[key], "_meta"):
            yield from ((own, name) for name, value in own.items() if isinstance(value, CONTAINERS))
        yield holder, key


def containers(args: list[Any], kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Places that have a size; where there are none, texts."""
    sized = [(h, k) for h, k in places(args, kwargs) if isinstance(h[k], CONTAINERS)]
    return sized or [(h, k) for h, k in places(args, kwargs) if isinstance(h[k], (str, bytes))]


def grown(args: list[Any], kwargs: dict[str, Any], factor: int) -> bool:
    """Makes every sized argument `factor` times as large, with elements like those that are there; False where nothing
    could be made larger."""
    found = containers(args, kwargs)
    total = sum(len(h[k]) for h, k in found)
    if not total or total * factor > MAX_ELEMENTS:
        return False
    copies = [Exchange(number * STEP) for number in range(1, factor)]
    for holder, key in found:
        holder[key] = _repeated(holder[key], copies)
    return True


def _repeated(value: Any, copies: list[Exchange]) -> Any:
    if isinstance(value, (str, bytes)):
        return value * (len(copies) + 1)
    more = [copy_.of(value) for copy_ in copies]
    if isinstance(value, dict):
        larger = copy.copy(value)
        for one in more:
            larger.update(one)
        return larger
    if hasattr(value, "_fields"):
        return value  # a named tuple is a record
    return _like(value, [*value, *(element for one in more for element in one)])


def _like(value: Any, elements: list[Any]) -> Any:
    """A container of the same type; a subclass that is built in another way stays as it was."""
    if type(value) is collections.deque:
        return collections.deque(elements, value.maxlen)
    try:
        return type(value)(elements)
    except TypeError:
        return value


class Exchange:
    """Equal values for equal values: numbers are shifted, texts get another ending."""

    def __init__(self, shift: int) -> None:
        self._shift = shift

    def of(self, value: Any) -> Any:  # noqa: PLR0911 - a table in code
        """The other value; what is not known is copied."""
        if isinstance(value, bool) or value is None:
            return value
        if type(value) in (int, float, decimal.Decimal):
            return value + self._shift
        if type(value) is str:
            return self._text(value)
        if type(value) in (datetime.date, datetime.datetime):
            return value + datetime.timedelta(days=self._shift % 3650)
        if isinstance(value, dict):
            other = copy.copy(value)
            other.clear()
            other.update((self.key(key), self.of(held)) for key, held in value.items())
            return other
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.of(held) for held in value))
        if isinstance(value, CONTAINERS):
            return _like(value, [self.of(held) for held in value])
        return self._object(value)

    def key(self, value: Any) -> Any:
        """Keys of records ("name", "price") are no data."""
        return value if type(value) is str and value.isidentifier() else self.of(value)

    def _text(self, value: str) -> str:
        if value.isascii() and value.isdigit():
            return str(int(value) + self._shift).zfill(len(value))
        return f"{value}{self._shift}" if value else value

    def _object(self, value: Any) -> Any:
        own = getattr(value, "__dict__", None)
        if not isinstance(own, dict) or isinstance(value, type) or callable(value) or hasattr(value, "_meta"):
            return value
        other = copy.copy(value)
        other.__dict__.update({k: self.of(v) for k, v in own.items() if not k.startswith("_")})
        return other


def varied(args: list[Any], kwargs: dict[str, Any], number: int) -> bool:
    """The same work on fresh data; False where no argument holds data that can be exchanged."""
    exchange = Exchange(number * STEP * 7 + number)
    changed = False
    for holder, key in list(places(args, kwargs)):
        if isinstance(holder[key], (*CONTAINERS, str)):
            other = exchange.of(holder[key])
            changed = changed or other != holder[key]
            holder[key] = other
    return changed


def mutations(
    optional: list[tuple[int, str]], rng: random.Random
) -> dict[str, Callable[[list[Any], dict[str, Any]], bool]]:
    """By name: each changes a call in place and says whether it did. `optional`: place and name of parameters that
    may be None."""

    def sized(change: Callable[[Any], Any]) -> Callable[[list[Any], dict[str, Any]], bool]:
        def apply(args: list[Any], kwargs: dict[str, Any]) -> bool:
            found = [(h, k) for h, k in containers(args, kwargs) if len(h[k])]
            for holder, key in found[:1] if rng.random() < 0.5 else found:
                holder[key] = change(holder[key])
            return bool(found)

        return apply

    def leaf(kinds: tuple[type, ...], values: tuple[Any, ...]) -> Callable[[list[Any], dict[str, Any]], bool]:
        return lambda args, kwargs: _leaf(args, kwargs, kinds, values, rng)

    def none(args: list[Any], kwargs: dict[str, Any]) -> bool:
        found: list[tuple[Any, Any]] = [(kwargs, name) for _, name in optional if name in kwargs]
        found += [(args, place) for place, _ in optional if place < len(args)]
        if found:
            holder, key = rng.choice(found)
            holder[key] = None
        return bool(found)

    return {
        "empty": sized(lambda value: value[:0] if isinstance(value, (str, bytes)) else _taken(value, 0)),
        "one": sized(lambda value: value[:1] if isinstance(value, (str, bytes)) else _taken(value, 1)),
        "×2": lambda args, kwargs: grown(args, kwargs, 2),
        "×4": lambda args, kwargs: grown(args, kwargs, 4),
        "duplicates": sized(lambda value: _duplicated(value, rng)),
        "twins": sized(lambda value: twins(value, rng)),
        "order": sized(lambda value: _shuffled(value, rng)),
        "number": leaf((int,), BOUNDARY_NUMBERS),
        "float": leaf((float,), BOUNDARY_FLOATS),
        "text": leaf((str,), TEXTS),
        "fresh": lambda args, kwargs: varied(args, kwargs, rng.randrange(1, 50)),
        "none": none,
    }


def _taken(value: Any, count: int) -> Any:
    if isinstance(value, dict):
        other = copy.copy(value)
        for key in list(value)[count:]:
            del other[key]
        return other
    return value if hasattr(value, "_fields") else _like(value, list(value)[:count])


def _duplicated(value: Any, rng: random.Random) -> Any:
    """Some elements a second time, one of them at once and the others at the end."""
    if isinstance(value, (dict, str, bytes)) or hasattr(value, "_fields"):
        return value
    elements = list(value)
    at = rng.randrange(len(elements))
    return _like(value, [*elements[: at + 1], *elements[at:], *elements[: 1 + len(elements) // 2]])


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, (str, bytes)):
        return value[::-1]
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        other = copy.copy(value)
        other.clear()
        other.update(items)
        return other
    elements = list(value)
    rng.shuffle(elements)
    return value if hasattr(value, "_fields") else _like(value, elements)


def _leaf(args: list[Any], kwargs: dict[str, Any], kinds: Any, values: Any, rng: random.Random) -> bool:
    """Exchanges an argument itself, or some of the values inside of arguments: the one as often as the other."""
    found: list[tuple[Any, Any]] = []
    for holder, key in places(args, kwargs):
        _leaves(holder, key, kinds, found, 0)
    if not found:
        return False
    own = [(holder, key) for holder, key in found if holder is args or holder is kwargs]
    top = bool(own) and rng.random() < 0.5
    values = SMALL_NUMBERS if top and values is BOUNDARY_NUMBERS else values
    chosen = [rng.choice(own)] if top else rng.sample(found, min(len(found), EXCHANGED))
    for (holder, key), value in zip(chosen, rng.sample(values, len(values))):
        holder[key] = value if repr(value) != repr(holder[key]) else values[values.index(value) - 1]
    return True


def _leaves(holder: Any, key: Any, kinds: Any, found: list[tuple[Any, Any]], depth: int) -> None:
    """Lists and dictionaries only: in a tuple or a set nothing can be exchanged in place."""
    value = holder[key]
    if type(value) in kinds:
        found.append((holder, key))
    elif depth < 4 and isinstance(value, (list, dict)):
        for inner in list(value) if isinstance(value, dict) else range(min(len(value), 200)):
            _leaves(value, inner, kinds, found, depth + 1)

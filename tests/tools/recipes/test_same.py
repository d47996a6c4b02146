"""What the recipes for plain Python write gives the same as what was there, on inputs that reach every line."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from burnish_tools.recipes import recipes
from burnish_tools.recipes._base import Act, BaseRecipe

ACTS = {(recipe.name, example.name): example for recipe in recipes() if isinstance(recipe, BaseRecipe)
        for example in recipe.examples if isinstance(example, Act)}  # fmt: skip


class _Row:
    """A row that notes what is done to it."""

    def __init__(self, dice: random.Random, depth: int = 2) -> None:
        self.seen: list[object] = []
        self.key = self.name = dice.choice("abcde")
        self.price = self.net = self.limit = self.size = dice.randrange(9)
        self.bold = self.ready = dice.random() < 0.5
        self.again = dice.random() < 0.3
        self.children = [_Row(dice, depth - 1) for _ in range(depth)]

    def check(self, what: object) -> None:
        self.seen.append(what)

    def take(self, other: _Row) -> None:
        self.seen.append(other.key)

    def visit(self) -> None:
        self.seen.append("visited")

    def __len__(self) -> int:
        return int(self.size)

    def all(self) -> list[object]:
        """All that it has become, children included."""
        own = {key: value for key, value in vars(self).items() if key not in ("children", "parts")}
        return [_plain(own), [child.all() for child in self.children], _plain(getattr(self, "parts", None))]


def _plain(value: Any) -> Any:
    if isinstance(value, _Row):
        return value.key
    if isinstance(value, set):
        return sorted(_plain(each) for each in value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(each) for each in value)
    return value if isinstance(value, (str, bytes, int, float, complex, type(None))) else str(value)


def _rows(dice: random.Random) -> list[_Row]:
    return [_Row(dice) for _ in range(dice.randrange(6))]


def _tasks(dice: random.Random) -> list[Any]:
    return [SimpleNamespace(again=False) for _ in range(dice.randrange(5))]


def _words(dice: random.Random) -> str:
    return " ".join(dice.choice(("ab", "a", "ccc", "B")) for _ in range(dice.randrange(5)))


INPUTS: dict[tuple[str, str], Callable[[random.Random], tuple[Any, ...]]] = {
    ("deque", "breadth first"): lambda dice: (_Row(dice),),
    ("deque", "put at the front"): lambda dice: (_rows(dice),),
    ("deque", "a window"): lambda dice: (sorted(dice.choices(range(30), k=9)), dice.randrange(1, 9)),
    ("deque", "a copy, annotated, left when empty"): lambda dice: (_tasks(dice),),
    ("deque", "a literal over several lines"): lambda dice: (_Row(dice), _Row(dice)),
    ("deque", "a comprehension"): lambda dice: (_rows(dice),),
    ("join_strings", "an f-string"): lambda dice: (_rows(dice),),
    ("join_strings", "begins with a text"): lambda dice: (_rows(dice),),
    ("join_strings", "a while"): lambda dice: (dice.randrange(99),),
    ("join_strings", "nested loops, over several lines"): lambda dice: ([["ab", "c"], []][: dice.randrange(3)],),
    ("join_strings", "two at once"): lambda dice: (list(range(dice.randrange(4))),),
    ("join_strings", "lines of a text"): lambda dice: ("a\n\nb\r\nc"[: dice.randrange(9)],),
    ("sort_in_loop", "walked along in a loop"): lambda dice: (_rows(dice), _words(dice).split()),
    ("sort_in_loop", "in two orders"): lambda dice: (_rows(dice), _words(dice)),
    ("sort_in_loop", "the least and the greatest"): lambda dice: (_rows(dice),),
    ("sort_in_loop", "the shortest"): lambda dice: (_words(dice),),
    ("sort_in_loop", "a comprehension"): lambda dice: (_rows(dice), _words(dice)),
    ("sort_in_loop", "in place"): lambda dice: (_rows(dice),),
    ("sort_in_loop", "the test of a while"): lambda dice: (dice.randrange(40),),
    ("immutable_deepcopy", "a constant"): lambda dice: (_rows(dice),),
    ("immutable_deepcopy", "over several lines"): lambda dice: (_rows(dice),),
    ("hoist_call", "a pure function of the repository"): lambda dice: (_rows(dice),),
    ("hoist_call", "literals"): lambda dice: ([SimpleNamespace(net=700, large=False)] * dice.randrange(4),),
    ("hoist_call", "a frozen set"): lambda dice: ([SimpleNamespace(code=dice.choice("abc")) for _ in range(4)],),
    ("hoist_call", "a length beside a literal"): lambda dice: (_rows(dice),),
}  # fmt: skip


def _loaded(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], function: str) -> Callable[..., Any]:
    """The function, from modules that are made of texts."""
    wanted, _, called = function.partition(":")
    names = {path: path.removesuffix(".py").replace("/", ".") for path in files}
    for path, name in sorted(names.items(), key=lambda item: item[1] == wanted):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name.split(".")[0], ModuleType(name.split(".")[0]))
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(files[path], path, "exec"), vars(module))  # the examples are ours
    found: Callable[..., Any] = getattr(sys.modules[wanted], called)
    return found


def _outcome(called: Callable[..., Any], given: tuple[Any, ...]) -> object:
    try:
        result = _plain(called(*given))
    except Exception as error:  # noqa: BLE001 - it has to be the same on both sides
        result = (type(error).__name__, str(error))
    rows = [each.all() for one in given for each in (one if isinstance(one, list) else [one]) if isinstance(each, _Row)]
    return result, rows, [str(one) for one in given if not isinstance(one, (list, _Row))]


@pytest.mark.parametrize("name", INPUTS, ids=": ".join)
def test_gives_the_same(name: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    example = ACTS[name]
    outcomes = []
    for files in (dict(example.files), {**example.files, **example.after}):
        called = _loaded(monkeypatch, files, example.finding.function)
        outcomes.append([_outcome(called, INPUTS[name](random.Random(seed))) for seed in range(30)])
    assert outcomes[0] == outcomes[1]
    assert any(not isinstance(result, tuple) or "Error" not in str(result[0]) for result, *_ in outcomes[0])  # type: ignore[misc]

"""The agent's and the sensor's hash of a body agree, on this Python."""

from __future__ import annotations

import ast

import pytest

from burnish.identity import body_hash
from burnish_sensor import identity as sensor

SNIPPETS = (
    "def f(): pass",
    "def f():\n    'doc'\n    return 1",
    "def f():\n    'only doc'",
    "@cached\ndef f(a, /, b: int = 2, *c, d, **e) -> str:\n    return f'{a!r:>{b}}'",
    "async def f(x):\n    async for y in x:\n        yield await y",
    "def f(x):\n    match x:\n        case {'a': [1, *_]}:\n            return 1",
    "def f():\n    def g():\n        'inner doc stays'\n    return g",
    "def f():\n    global x\n    x = lambda *a: (yield)\n    return [i for i in x if (j := i)]",
)


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(text).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return node


@pytest.mark.parametrize("text", SNIPPETS)
def test_agrees_with_the_sensor(text: str) -> None:
    assert body_hash(_function(text)) == sensor.body_hash(_function(text))


@pytest.mark.parametrize("text", SNIPPETS)
def test_leaves_the_node_alone(text: str) -> None:
    node = _function(text)
    before = ast.dump(node)
    body_hash(node)
    assert ast.dump(node) == before


def test_survives_a_move_and_a_rename() -> None:
    moved = _function("\n\n# above\n@other\ndef g():\n    'another doc'\n    return   1  # note")
    assert body_hash(moved) == body_hash(_function(SNIPPETS[1]))


def test_sees_a_changed_body() -> None:
    assert body_hash(_function("def f(): return 1")) != body_hash(_function("def f(): return 2"))
    assert body_hash(_function("def f(a): return 1")) != body_hash(_function("def f(b): return 1"))
    assert len({body_hash(_function(text)) for text in SNIPPETS}) == len(SNIPPETS)

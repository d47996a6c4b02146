"""The hash of a body; the sensor's tests read the same file."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from burnish.identity import body_hash

BODIES = json.loads((Path(__file__).parents[1] / "format" / "bodies.json").read_text(encoding="utf-8"))
SNIPPETS = tuple(row["source"] for row in BODIES)


def _function(text: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(text).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return node


@pytest.mark.parametrize("row", BODIES)
def test_is_what_the_format_says(row: dict[str, str]) -> None:
    assert body_hash(_function(row["source"])) == row["body"]


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

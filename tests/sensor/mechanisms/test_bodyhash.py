from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from burnish_sensor.mechanisms.bodyhash import body_hash

FORMAT = Path(__file__).parents[2] / "format"


def hash_of(text: str) -> str:
    node = ast.parse(text).body[0]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return body_hash(node)


def test_a_body_survives_moves_renames_docstrings_and_decorators() -> None:
    first = hash_of("def f(x):\n    return x + 1\n")
    assert hash_of('@cached\n\ndef g(x):\n    "Doc."\n    # why\n    return (x\n        + 1)\n') == first
    assert hash_of("def f(x):\n    return x + 2\n") != first
    assert hash_of("def f(y):\n    return y + 1\n") != first
    assert hash_of("async def f(x):\n    return x + 1\n") != first


@pytest.mark.parametrize("row", json.loads((FORMAT / "bodies.json").read_text(encoding="utf-8")))
def test_a_body_is_what_the_format_says(row: dict[str, str]) -> None:
    if "match x" in row["source"] and sys.version_info < (3, 10):
        pytest.skip("this Python has no match statement")
    assert hash_of(row["source"]) == row["body"]

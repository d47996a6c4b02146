"""Rule `inputs`: no answers for particular values.

A fast path for the inputs that happen to be measured, or a table of their answers, makes a benchmark fast and helps
nobody. So an edit may not begin to compare with a literal, or to hold literals, that the code did not know before.
Tests for emptiness (`0`, `1`, `""`, `None`) are what an honest early exit needs, and names of the code's own fields and
variables are what `only()`, `bulk_update()` or an index need.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from burnish_tools.proof.rules.text import Broken, Function, Sides, docstrings, functions

RULE = "inputs"
EMPTY = (None, True, False, 0, 1, -1, "", b"", 0.0, 1.0)
TABLE = 3
LARGE_NUMBER = 1 << 16
LONG_TEXT = 120
SQL = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.I)
TESTS_TEXT = frozenset({"startswith", "endswith", "removeprefix", "index", "find", "count", "fullmatch", "search"})
DISPLAYS = ast.List | ast.Tuple | ast.Set | ast.Dict


def input_rules(sides: Sides) -> Iterator[Broken]:
    """New comparisons with literals, new tables, new large constants, new constant answers."""
    known = _Known(sides.old)
    before = dict(functions(sides.old))
    for name, node in functions(sides.new):
        if name not in before or ast.dump(before[name]) != ast.dump(node):
            own = _Known(before[name], known.words) if name in before else known
            yield from _compared(node, own)
            yield from _answers(node, own)
    yield from _tables(sides.new, known)
    yield from _blobs(sides.new, known)


class _Known:
    """Constants and words of the old code."""

    def __init__(self, tree: ast.AST, words: frozenset[str] = frozenset()) -> None:
        self.constants = {_key(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        self.words = words | frozenset(_words(tree))

    def has(self, value: Any) -> bool:
        """Empty, or in the old code as a literal, or a text made of its names (`-lines__quantity`)."""
        if any(value is e or (type(value) is type(e) and value == e) for e in EMPTY) or value is ...:
            return True
        if _key(value) in self.constants:
            return True
        return isinstance(value, str) and all(p in self.words for p in re.split(r"__|[^\w]+", value) if p)


def _key(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value


def _new_in(node: ast.AST, known: _Known) -> list[ast.Constant]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Constant) and not known.has(n.value)]


def _compared(function: Function, known: _Known) -> Iterator[Broken]:
    for node in ast.walk(function):
        sides: list[ast.expr]
        if isinstance(node, ast.Compare):
            parts: list[ast.expr] = [node.left, *node.comparators]
            sides = [p for p in parts if isinstance(p, ast.Constant | ast.UnaryOp | ast.BinOp | DISPLAYS)]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in TESTS_TEXT:
            sides = list(node.args)
        else:
            continue
        for new in (n for side in sides for n in _new_in(side, known)):
            yield Broken(RULE, f"a new test for the particular value {_shown(new)}", new.lineno)


def _answers(function: Function, known: _Known) -> Iterator[Broken]:
    """`return LITERAL`, also as one arm of a conditional expression."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
            arms = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            for arm in arms:
                new = _new_in(arm, known) if _is_literal(arm) else []
                yield from (Broken(RULE, f"a new constant answer, {_shown(n)}", n.lineno) for n in new)


def _is_literal(node: ast.expr) -> bool:
    return all(isinstance(n, ast.Constant | DISPLAYS | ast.UnaryOp | ast.USub | ast.Load) for n in ast.walk(node))


def _tables(tree: ast.Module, known: _Known) -> Iterator[Broken]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if k is not None]
            both = [(k, v) for k, v in pairs if _is_new(k, known) and _new_in(v, known)]
            if both:
                yield Broken(RULE, f"a new table of answers, for {_shown(both[0][0])}", node.lineno)
        if isinstance(node, DISPLAYS):
            new = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.Constant) and not known.has(n.value)]
            if len(new) >= TABLE:
                yield Broken(RULE, f"a new table of {len(new)} literals", node.lineno)


def _is_new(node: ast.expr, known: _Known) -> bool:
    return isinstance(node, ast.Constant) and not known.has(node.value)


def _blobs(tree: ast.Module, known: _Known) -> Iterator[Broken]:
    """Answers can hide in a number's bits or in a long text."""
    told = docstrings(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or known.has(node.value) or id(node) in told:
            continue
        value = node.value
        if isinstance(value, int) and abs(value) > LARGE_NUMBER:
            yield Broken(RULE, "a new large number: a table can hide in its bits", node.lineno)
        elif isinstance(value, str | bytes) and len(value) > LONG_TEXT and not SQL.match(str(value)):
            yield Broken(RULE, f"a new text of {len(value)} characters: a table can hide in it", node.lineno)


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return f"{text[:30]}…" if len(text) > 30 else text

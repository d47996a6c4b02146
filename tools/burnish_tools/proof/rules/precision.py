"""Rule `precision`: numbers stay as exact as they were.

A cheaper number type, a rounding or a tolerance can hide inside what tests compare. An honest speed-up computes the
same number with the same arithmetic; where it moves a `round` or a `Decimal`, their number stays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, Thing, added, calls, functions, names

RULE = "precision"
COARSE = frozenset(
    {"float", "round", "float16", "float32", "half", "single", "trunc", "floor", "ceil", "FloatField", "Float", "REAL"}
    | {"isclose", "approx", "getcontext", "setcontext", "localcontext", "quantize", "to_integral_value", "astype"}
    | {"Round", "Trunc", "Floor", "Ceil", "float_", "bfloat16", "rint", "around", "fix", "normalize"}
)
EXACT = frozenset({"Decimal", "Fraction", "fsum", "quantize", "round", "sqrt", "isqrt", "hypot", "prod"})


def precision_rules(sides: Sides) -> Iterator[Broken]:
    """New coarse arithmetic; exact arithmetic that a function no longer has."""
    coarse = ([t for t in names(side) if t.text in COARSE] for side in (sides.old, sides.new))
    for thing in added(*coarse):
        yield Broken(RULE, f"new use of {thing.text}: a number may become less exact", thing.line)
    for thing in added(_whole(sides.old), _whole(sides.new)):
        yield Broken(RULE, f"new {thing.text}: the fraction is cut off", thing.line)
    yield from _no_longer_exact(sides)


def _whole(tree: ast.AST) -> Iterator[Thing]:
    """`//`, and `int(…)` of a calculation."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.FloorDiv):
            yield Thing("//", node.lineno)
    for name, call in calls(tree):
        if name == "int" and any(isinstance(n, ast.Div | ast.Mult) for a in call.args for n in ast.walk(a)):
            yield Thing("int() of a product or quotient", call.lineno)


def _no_longer_exact(sides: Sides) -> Iterator[Broken]:
    new = dict(functions(sides.new))
    outside = {t.text for t in names(sides.new)} & EXACT
    for name, node in functions(sides.old):
        gone = {t.text for t in names(node)} & EXACT
        gone -= {t.text for t in names(new[name])} if name in new else set()
        if gone - outside:
            yield Broken(RULE, f"{name} no longer uses {sorted(gone)[0]}", node.lineno, gone=True)

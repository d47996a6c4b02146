"""Rule `surroundings`: no new condition on what is around the call instead of on its input.

A setting, the name of the database, whether a transaction is open: a replay cannot be like production in all of these,
so code that asks them can answer rightly where it is judged and otherwise elsewhere. An honest early exit asks the
arguments or the rows.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Function, Sides, Thing, added, dotted

MANAGERS = ("objects", "_default_manager", "_base_manager", "query", "session", "execute", "scalars", "scalar")


def surroundings_rules(sides: Sides) -> Iterator[Broken]:
    """Each new condition, or part of one, that only asks things that are imported."""
    for thing in added(_conditions(sides.old), _conditions(sides.new)):
        what = f"a new condition on the surroundings, `{thing.text}`: what the other case does is not compared"
        yield Broken("surroundings", what, thing.line)


def _conditions(tree: ast.Module) -> Iterator[Thing]:
    outside = set(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, Function):
            told = _told(node, outside | set(_imported(node)))
            for test in _tests(node):
                if _asks(test, told):
                    yield Thing(ast.unparse(test), test.lineno)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)


def _told(function: Function, outside: set[str]) -> set[str]:
    """Imported names, and locals that are made of nothing else."""
    arguments = function.args
    outside = outside - {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    assigned = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)]
    for node in assigned:
        if _asks(node.value, outside):
            outside.add(node.targets[0].id)  # type: ignore[attr-defined]
    return outside


def _tests(function: Function) -> Iterator[ast.expr]:
    """Conditions, a conjunction in its parts."""
    for node in ast.walk(function):
        found = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
        found += node.ifs if isinstance(node, ast.comprehension) else []
        for test in found:
            yield from test.values if isinstance(test, ast.BoolOp) else [test]


def _asks(expression: ast.expr, outside: set[str]) -> bool:
    """Only of imported things (with an attribute of at least one), constants and builtins; no query."""
    names = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
    neutral = {name for name in names if name.isupper() or hasattr(builtins, name)}
    if not names - neutral or names - neutral - outside:
        return False
    chains = [dotted(n) for n in ast.walk(expression) if isinstance(n, ast.Attribute)]
    queries = any(part in MANAGERS for chain in chains for part in chain.split("."))
    derived = any(isinstance(n, ast.Name) and n.id in outside for n in ast.walk(expression))
    return derived and not queries and (bool(chains) or isinstance(expression, ast.Name | ast.UnaryOp | ast.Compare))

"""Rule `dropped`: no case is left out.

A new bound, a sample, or an error that is swallowed makes less work by giving less of an answer. Honest edits keep the
bounds that are there, cut lists in pieces (`ids[i : i + n]`), and replace the handler of a missing row by a lookup.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, Thing, added, calls, dotted, lost, names

RULE = "dropped"
OF_MISSING_ROWS = ("DoesNotExist", "KeyError", "IndexError", "LookupError", "NoResultFound", "StopIteration")
BROAD = ("", "Exception", "BaseException", "DatabaseError", "RuntimeError", "OSError")
CHANCE = frozenset(
    {"random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "secrets", "getrandbits"}
)


def dropped_rules(sides: Sides) -> Iterator[Broken]:
    """New bounds, new swallowing, fewer handlers, new chance."""
    bounds = [list(_bounds(side)) for side in (sides.old, sides.new)]
    if len(bounds[1]) > len(bounds[0]):
        thing = next(added(*bounds), bounds[1][-1])
        yield Broken(RULE, f"a new bound, {thing.text}: what lies behind it is left out", thing.line)
    for thing in added(_steps(sides.old), _steps(sides.new)):
        yield Broken(RULE, f"a new step, {thing.text}: rows between are left out", thing.line)
    for thing in added(_swallowed(sides.old), _swallowed(sides.new)):
        yield Broken(RULE, f"{thing.text} is new: errors would be swallowed", thing.line)
    for thing in lost(_caught(sides.old), _caught(sides.new)):
        yield Broken(RULE, f"{thing.text} is gone: its case is left out", thing.line, gone=True)
    chance = ([t for t in names(side) if t.text in CHANCE] for side in (sides.old, sides.new))
    for thing in added(*chance):
        yield Broken(RULE, f"new use of {thing.text}: what is left to chance is left out sometimes", thing.line)


def _bounds(tree: ast.AST) -> Iterator[Thing]:
    """Slices with an upper end, `islice`, `takewhile`, `nlargest`, `len(found) < LIMIT`; the pieces of a list are no
    bound, nor is a test whether there is anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and _limits(node):
            yield Thing(ast.unparse(node), node.lineno)
        if isinstance(node, ast.Slice) and node.upper is not None and not _is_piece(node):
            yield Thing(f"[{ast.unparse(node)}]", node.lineno)
    for name, call in calls(tree):
        if name.rpartition(".")[2] in ("islice", "takewhile", "nlargest", "nsmallest", "limit", "fetchmany"):
            yield Thing(f"{name}()", call.lineno)


def _limits(node: ast.Compare) -> bool:
    """`len(…) < LIMIT`, `len(…) == 3`; lengths that are compared with each other are no limit."""
    if not isinstance(node.left, ast.Call) or dotted(node.left.func) != "len":
        return False
    other = node.comparators[0]
    fixed = isinstance(other, ast.Constant) and other.value not in (0, 1)
    named = isinstance(other, ast.Name | ast.Attribute) and dotted(other).rpartition(".")[2].isupper()
    return fixed or named


def _is_piece(part: ast.Slice) -> bool:
    lower, upper = part.lower, part.upper
    return lower is not None and isinstance(upper, ast.BinOp) and ast.dump(lower) in ast.dump(upper)


def _steps(tree: ast.AST) -> Iterator[Thing]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Slice) and node.step is not None and ast.unparse(node.step) != "-1":
            yield Thing(f"[{ast.unparse(node)}]", node.lineno)


def _types(handler: ast.ExceptHandler) -> list[str]:
    kind = handler.type
    parts = kind.elts if isinstance(kind, ast.Tuple) else [] if kind is None else [kind]
    return [dotted(p) for p in parts] or [""]


def _swallowed(tree: ast.AST) -> Iterator[Thing]:
    """`except Exception`, `suppress(Exception)`: handlers for everything that could go wrong."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            broad = [t for t in _types(node) if t.rpartition(".")[2] in BROAD]
            yield from (Thing(f"except {t}".strip(), node.lineno) for t in broad)
    for name, call in calls(tree):
        if name.rpartition(".")[2] in ("suppress", "nullcontext", "ignore_errors"):
            yield Thing(ast.unparse(call), call.lineno)


def _caught(tree: ast.AST) -> Iterator[Thing]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kept = [t for t in _types(node) if t.rpartition(".")[2] not in OF_MISSING_ROWS]
            yield from (Thing(f"except {t}".strip(), node.lineno) for t in kept)

"""Rule `shape`: what exists keeps its name, signature, decorators, kind and bases.

Callers, frameworks and the proof itself hold on to these. A faster body needs none of them changed, and an edit that
names its functions touches no other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish.job import Change
from burnish_tools.proof.rules.text import Broken, Function, Sides, functions

RULE = "shape"
HOOKS = frozenset({"ready", "__init_subclass__", "__set_name__", "__del__", "__getattr__", "__getattribute__"})
HOOKS_OF_MODULES = frozenset({"__class_getitem__", "__prepare__", "__call__", "pytest_configure", "__missing__"})


def shape_rules(sides: Sides, change: Change) -> Iterator[Broken]:
    """Signatures, then classes, then functions that the change does not name, then new hooks of the interpreter."""
    old, new = dict(functions(sides.old)), dict(functions(sides.new))
    yield from _signatures(old, new)
    yield from _classes(sides)
    yield from _unnamed(old, new, change)
    for name, node in new.items():
        if name not in old and name.rpartition(".")[2] in HOOKS | HOOKS_OF_MODULES:
            yield Broken(RULE, f"{name} is a new hook that runs without being called", node.lineno)


def _signatures(old: dict[str, Function], new: dict[str, Function]) -> Iterator[Broken]:
    for name, node in old.items():
        if name not in new:
            yield Broken(RULE, f"{name} is gone", node.lineno, gone=True)
        elif _signature(node) != _signature(new[name]):
            what = f"{name} has another signature, decorator or kind than before"
            yield Broken(RULE, what, new[name].lineno)


def _signature(node: Function) -> tuple[str, ...]:
    kind = "generator" if _yields(node) else ""
    return (type(node).__name__, kind, ast.dump(node.args), *(ast.dump(d) for d in node.decorator_list))


def _yields(node: ast.AST) -> bool:
    """A `yield` of the function itself, not of one inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(child, Function | ast.Lambda | ast.ClassDef) and _yields(child):
            return True
    return False


def _classes(sides: Sides) -> Iterator[Broken]:
    old, new = dict(_named(sides.old)), dict(_named(sides.new))
    for name, node in old.items():
        if name not in new:
            yield Broken(RULE, f"class {name} is gone", node.lineno, gone=True)
        elif _head(node) != _head(new[name]):
            yield Broken(RULE, f"class {name} has other bases or decorators than before", new[name].lineno)


def _named(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """Classes by their qualified names: many have a `Meta`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _named(node, f"{prefix}{node.name}.")
        else:
            yield from _named(node, prefix)


def _head(node: ast.ClassDef) -> list[str]:
    return [ast.dump(part) for part in (*node.bases, *node.keywords, *node.decorator_list)]


def _unnamed(old: dict[str, Function], new: dict[str, Function], change: Change) -> Iterator[Broken]:
    """Where a change names functions, it touches no other existing one."""
    named = {name.partition(":")[2].split(".<locals>")[0] for name in change.functions}
    for name, node in old.items() if named else ():
        touched = name in new and ast.dump(node) != ast.dump(new[name])
        if touched and name not in named:
            yield Broken(RULE, f"{name} is touched, but the change does not name it", new[name].lineno)

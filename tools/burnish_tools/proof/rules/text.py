"""Both sides of an edited file as syntax trees, and what the new side has more or less of than the old one.

A rule names things by a text (`logger.info`, `except ValueError`) and asks which of them were added or removed. Things
that only move keep their text, so hoisting and reordering break no rule.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Broken:
    """A broken rule. `line` is one of the new file, or of the old one where `gone`; 0 where there is none."""

    rule: str
    what: str
    line: int = 0
    gone: bool = False

    def sentence(self, path: str) -> str:
        """As it is told to a person."""
        place = f", line {self.line}" if self.line else ""
        before = " before the change" if self.gone and self.line else ""
        return f"{path}{place}{before}: {self.what} (rule {self.rule})."


@dataclass(frozen=True)
class Sides:
    """One edited file."""

    path: str
    old: ast.Module
    new: ast.Module


@dataclass(frozen=True)
class Thing:
    """Something in a file that a rule counts."""

    text: str
    line: int


def added(old: Iterable[Thing], new: Iterable[Thing]) -> Iterator[Thing]:
    """Things of which the new side has more, in the order of lines; of several alike the last."""
    found = list(new)
    surplus = Counter(t.text for t in found) - Counter(t.text for t in old)
    last = [next(t for t in reversed(found) if t.text == text) for text in surplus]
    yield from sorted(last, key=lambda t: t.line)


def lost(old: Iterable[Thing], new: Iterable[Thing]) -> Iterator[Thing]:
    """Things of which the old side had more."""
    yield from added(new, old)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Qualified name and node of every function outside other functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from functions(node, prefix)


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of attributes; calls and subscripts in between are left out."""
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript | ast.Await):
            node = node.value
        else:
            return ".".join(reversed(parts))
    return ".".join([node.id, *reversed(parts)])


def root(node: ast.expr) -> str:
    """The name at the beginning of `name.a[b].c`, or nothing."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Dotted name and node of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def names(tree: ast.AST) -> Iterator[Thing]:
    """Every name that is read, imported or looked up as an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield Thing(node.id, node.lineno)
        elif isinstance(node, ast.Attribute):
            yield Thing(node.attr, node.end_lineno or node.lineno)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = [(node.module or "")] if isinstance(node, ast.ImportFrom) else []
            yield from (Thing(name, node.lineno) for name in (*module, *(a.name for a in node.names)))


def docstrings(tree: ast.AST) -> set[int]:
    """Ids of the constants that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found

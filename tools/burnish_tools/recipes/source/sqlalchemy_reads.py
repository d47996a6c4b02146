"""What is read from the rows of a loop, and what the loop does to its session besides."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from burnish_tools.recipes.source.functions import Function, function_of
from burnish_tools.recipes.source.receivers import called
from burnish_tools.recipes.source.repo import Repository
from burnish_tools.recipes.source.sqlalchemy_models import Relation, SqlModel

MAX_DEPTH = 3
ENDS = frozenset(("commit", "flush", "rollback", "refresh", "expire", "expire_all", "expunge", "expunge_all"))
WRITES = frozenset(("add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings"))
STATEMENTS = frozenset(("insert", "update", "delete"))
CHANGES = frozenset(("append", "remove", "clear", "extend", "insert", "pop", "add", "discard", "sort", "reverse"))
SESSION = ("session", "db")


@dataclass(frozen=True)
class SqlRead:
    """`row.author` or `row.awaitable_attrs.author`, and the place where it stands."""

    relation: Relation
    function: Function
    node: ast.Attribute


class Reads:
    """Follows one row through the code."""

    def __init__(self, repository: Repository, model: SqlModel) -> None:
        self.repository = repository
        self.model = model
        self.entered: list[Function] = []

    def of(self, function: Function, nodes: Iterable[ast.AST], name: str, depth: int = 0) -> Iterator[SqlRead]:
        """What is read from the row called `name` below these nodes, in functions that are given it as well."""
        for top in nodes:
            for node in ast.walk(top):
                if isinstance(node, ast.Attribute) and _is_row(node.value, name):
                    yield from self._attribute(function, node, depth)
                elif isinstance(node, ast.Call) and depth < MAX_DEPTH:
                    yield from self._given(function, node, name, depth)

    def _attribute(self, function: Function, node: ast.Attribute, depth: int) -> Iterator[SqlRead]:
        relation = self.model.relations.get(node.attr)
        if relation is not None:
            yield SqlRead(relation, function, node)
            return
        own = self.model.method(node.attr)
        if own is not None and own.parameters and depth < MAX_DEPTH:
            yield from self._enter(own, own.parameters[0], depth)

    def _given(self, function: Function, call: ast.Call, name: str, depth: int) -> Iterator[SqlRead]:
        given = [place for place, each in enumerate(call.args) if isinstance(each, ast.Name) and each.id == name]
        named = [each.arg for each in call.keywords if isinstance(each.value, ast.Name) and each.value.id == name]
        inner = called(self.repository, function, call) if given or named else None
        if inner is None:
            return
        names = inner.parameters[1:] if inner.owner is not None else inner.parameters
        for parameter in (*(names[place] for place in given if place < len(names)), *named):
            if parameter is not None:
                yield from self._enter(inner, parameter, depth)

    def _enter(self, function: Function, parameter: str, depth: int) -> Iterator[SqlRead]:
        self.entered.append(function)
        yield from self.of(function, function.node.body, parameter, depth + 1)


def _is_row(node: ast.expr, name: str) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == "awaitable_attrs":
        node = node.value
    return isinstance(node, ast.Name) and node.id == name


def effect(repository: Repository, function: Function, nodes: Iterable[ast.AST], names: frozenset[str]) -> str:
    """The first place that writes through the session, ends a transaction, or changes one of the relations `names`."""
    return next(_effects(repository, function, nodes, names, MAX_DEPTH, set()), "")


def _effects(
    repository: Repository,
    function: Function,
    nodes: Iterable[ast.AST],
    names: frozenset[str],
    depth: int,
    seen: set[ast.AST],
) -> Iterator[str]:
    for node in (each for top in nodes for each in ast.walk(top)):
        if isinstance(node, ast.Attribute) and node.attr in names and not isinstance(node.ctx, ast.Load):
            yield function.module.at(node)
        if not isinstance(node, ast.Call):
            continue
        if _writes(node, names):
            yield function.module.at(node)
        inner = called(repository, function, node) if depth else None
        if inner is not None and inner.node not in seen:
            seen.add(inner.node)
            yield from _effects(repository, inner, inner.node.body, names, depth - 1, seen)


def _writes(call: ast.Call, names: frozenset[str]) -> bool:
    target = call.func
    if isinstance(target, ast.Name):
        return target.id in STATEMENTS
    if not isinstance(target, ast.Attribute):
        return False
    receiver = ast.unparse(target.value).lower()
    if target.attr in ENDS:
        return True
    if target.attr in WRITES and receiver.rpartition(".")[2].endswith(SESSION):
        return True
    return target.attr in CHANGES and isinstance(target.value, ast.Attribute) and target.value.attr in names


def entered_bodies(reads: Reads) -> list[tuple[Function, list[ast.stmt]]]:
    """The functions that the row was followed into."""
    unique = {function.node: function for function in reads.entered}
    return [(function_of(f.module, f.node), f.node.body) for f in unique.values()]

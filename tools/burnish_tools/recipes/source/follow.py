"""Follows the rows of a loop through the code and records which relations are read from them.

An abstract run: a name stands for a row (and the path of relations that led to it), for a set of rows, or for
nothing known. Calls of functions of the repository and of the model's methods and properties are entered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from burnish_tools.recipes.source.chains import CHAIN, WRAPPERS, unwrap
from burnish_tools.recipes.source.functions import Function, function_of, resolve_call
from burnish_tools.recipes.source.models import Model
from burnish_tools.recipes.source.repo import Repository, type_of_function

MAX_DEPTH = 4
WRITERS = frozenset(("add", "set", "remove", "clear", "create", "get_or_create", "update_or_create"))


@dataclass
class Read:
    """A relation that is read from a row."""

    source: Model
    name: str
    path: tuple[str, ...]
    """Relations from the loop's row on, this one included."""
    many: bool
    through_many: bool
    """True where the row itself was reached through a relation to many."""
    method: str = ""
    """What is called on the related manager; `all` is what a prefetch serves."""
    places: list[tuple[Function, ast.expr]] = field(default_factory=list)
    """Where it is written and where its rows are taken: the query runs at one of these."""


@dataclass(frozen=True)
class Row:
    """An instance."""

    model: Model
    path: tuple[str, ...] = ()
    through_many: bool = False


@dataclass(frozen=True)
class Rows:
    """A related manager, or a queryset of one."""

    row: Row
    read: Read
    manager: bool


Value = Row | Rows | None
Names = dict[str, Value]
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


class Follow:
    """One abstract run; `reads` is what it saw."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.reads: list[Read] = []
        self.entered: list[Function] = []
        self._stack: list[ast.AST] = []
        self._returned: list[Value] = []

    def run(self, function: Function, nodes: Iterable[ast.AST], names: Names) -> None:
        """Runs statements or expressions with these names known."""
        for node in nodes:
            self._node(function, node, names)

    def _node(self, function: Function, node: ast.AST, names: Names) -> None:
        if isinstance(node, ast.expr):
            self._value(function, node, names)
        elif isinstance(node, ast.Assign):
            self._assign(function, node, names)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._for(function, node, names)
        elif isinstance(node, ast.Return):
            self._returned.append(self._value(function, node.value, names) if node.value else None)
        elif isinstance(node, type_of_function):
            self.run(function_of(function.module, node), node.body, dict(names))
        else:
            self.run(function, ast.iter_child_nodes(node), names)

    def _assign(self, function: Function, node: ast.Assign, names: Names) -> None:
        value = self._value(function, node.value, names)
        for target in node.targets:
            if isinstance(target, ast.Name):
                names[target.id] = value
            else:
                self._node(function, target, names)

    def _for(self, function: Function, node: ast.For | ast.AsyncFor, names: Names) -> None:
        self._bind(function, node.iter, node.target, names)
        self.run(function, (*node.body, *node.orelse), names)

    def _bind(self, function: Function, iterable: ast.expr, target: ast.expr, names: Names) -> None:
        value = self._value(function, iterable, names)
        _, inner = unwrap(iterable, target)
        if isinstance(inner, ast.Name):
            names[inner.id] = value.row if isinstance(value, Rows) else None
        if isinstance(value, Rows):
            value.read.places.append((function, iterable))

    def _value(self, function: Function, node: ast.expr, names: Names) -> Value:  # noqa: PLR0911 - one for each node
        if isinstance(node, ast.Name):
            return names.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(function, node, self._value(function, node.value, names))
        if isinstance(node, ast.Call):
            return self._call(function, node, names)
        if isinstance(node, ast.NamedExpr):
            names[node.target.id] = self._value(function, node.value, names)
            return names[node.target.id]
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(function, node, dict(names))
        if isinstance(node, ast.Subscript):
            return self._subscript(function, node, names)
        if isinstance(node, ast.Lambda):
            names = {**names, **{each.arg: None for each in node.args.args}}
        values = [
            self._value(function, each, names) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)
        ]
        for each in ast.iter_child_nodes(node):
            if not isinstance(each, ast.expr):
                self._node(function, each, names)
        chosen = isinstance(node, (ast.IfExp, ast.BoolOp, ast.Await))
        return next((value for value in values if value is not None), None) if chosen else None

    def _comprehension(self, function: Function, node: ast.expr, names: Names) -> Value:
        assert isinstance(node, COMPREHENSIONS)
        for generator in node.generators:
            self._bind(function, generator.iter, generator.target, names)
            self.run(function, generator.ifs, names)
        parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self.run(function, parts, names)
        return None

    def _subscript(self, function: Function, node: ast.Subscript, names: Names) -> Value:
        base = self._value(function, node.value, names)
        self._node(function, node.slice, names)
        if isinstance(base, Rows):
            base.read.method = "[]"
            return base.row if not isinstance(node.slice, ast.Slice) else base
        return None

    def _attribute(self, function: Function, node: ast.Attribute, base: Value) -> Value:
        if not isinstance(base, Row):
            return None
        relation = base.model.fields.get(node.attr)
        path = (*base.path, node.attr)
        if relation is not None and relation.forward and relation.target is not None:
            self.reads.append(Read(base.model, node.attr, path, False, base.through_many, "", [(function, node)]))
            return Row(relation.target, path, base.through_many)
        many = base.model.many.get(node.attr)
        if many is not None:
            read = Read(base.model, node.attr, path, True, base.through_many, "", [(function, node)])
            return Rows(Row(many.target, path, True), read, True)
        method = base.model.method(node.attr)
        if method is not None and _is_property(method[1]):
            return self._enter_call(function_of(*method), [base], {})
        return None

    def _call(self, function: Function, node: ast.Call, names: Names) -> Value:
        receiver: Value = None
        if isinstance(node.func, ast.Attribute):
            receiver = self._value(function, node.func.value, names)
        given = [self._given(function, node, each, names) for each in node.args]
        keywords = {each.arg or "**": self._given(function, node, each.value, names) for each in node.keywords}
        if isinstance(receiver, Rows) and isinstance(node.func, ast.Attribute):
            return self._on_rows(function, node, node.func.attr, receiver)
        if isinstance(receiver, Row) and isinstance(node.func, ast.Attribute):
            method = receiver.model.method(node.func.attr)
            return self._enter_call(function_of(*method), [receiver, *given], keywords) if method else None
        if isinstance(node.func, ast.Name) and node.func.id in WRAPPERS and given:
            return given[0]
        called = resolve_call(self.repository, function, node)
        if called is None:
            return None
        return self._enter_call(called, [None, *given] if called.owner else given, keywords)

    def _given(self, function: Function, call: ast.Call, node: ast.expr, names: Names) -> Value:
        value = self._value(function, node, names)
        if isinstance(value, Rows):
            value.read.places += [(function, node), (function, call)]
        return value

    def _enter_call(self, called: Function, given: list[Value], keywords: Mapping[str, Value]) -> Value:
        known: Names = {**dict(zip(called.parameters, given, strict=False)), **keywords}
        return self._enter(called, known) if any(known.values()) else None

    def _on_rows(self, function: Function, node: ast.Call, method: str, rows: Rows) -> Value:
        rows.read.places.append((function, node))
        if method in WRITERS:
            return None
        if rows.manager:
            rows.read.method = method
            self.reads.append(rows.read)
        else:
            rows.read.method = f"all().{method}"
        return Rows(rows.row, rows.read, False) if method in CHAIN and not method.startswith("values") else None

    def _enter(self, function: Function, names: Mapping[str, Value]) -> Value:
        if len(self._stack) >= MAX_DEPTH or function.node in self._stack:
            return None
        self._stack.append(function.node)
        outer, self._returned = self._returned, []
        self.entered.append(function)
        self.run(function, function.node.body, dict(names))
        value = next((each for each in self._returned if each is not None), None)
        self._returned = outer
        self._stack.pop()
        return value


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)

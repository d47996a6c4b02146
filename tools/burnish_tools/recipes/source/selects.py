"""The way back from a loop to the `select(Model)` that feeds it, in SQLAlchemy 2's style."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from burnish.why import Why
from burnish_tools.recipes.source.chains import assigned_values, returned_values, unwrap
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.receivers import called
from burnish_tools.recipes.source.repo import Decline, Repository
from burnish_tools.recipes.source.sqlalchemy_models import SqlModel, SqlModels

SELECT = ("sqlalchemy.select", "sqlalchemy.future.select", "sqlalchemy.sql.select")
RUNS = ("scalars", "execute")
TAKES = ("all", "scalars", "unique", "fetchall")
STREAMS = ("stream", "stream_scalars", "yield_per", "partitions")
MAX_STEPS = 6


@dataclass(frozen=True)
class Select:
    """`select(Model).where(…)…` where it is written."""

    function: Function
    anchor: ast.expr
    """A method call goes right after this expression."""
    model: SqlModel
    steps: tuple[ast.Call, ...]
    """All calls on it, in this expression and where it is refined."""
    helpers: tuple[Function, ...]
    """Functions that were gone through: what is fetched here, each of their callers gets."""

    def step(self, *names: str) -> ast.Call | None:
        """The first call of one of these methods."""
        return next((call for call in self.steps if method(call) in names), None)


class Selects:
    """Finds them by following names, awaits and helper functions. Methods may raise Decline."""

    def __init__(self, repository: Repository, models: SqlModels) -> None:
        self.repository = repository
        self.models = models

    def feed(self, function: Function, node: ast.expr, helpers: tuple[Function, ...] = ()) -> Select:
        """The query whose rows an iterable gives."""
        node = self._value(function, node)
        if len(helpers) > MAX_STEPS:
            raise unknown(function, node)
        if isinstance(node, ast.Call) and method(node) in STREAMS:
            raise Decline(Why.NO_PATTERN, f"{function.module.at(node)} streams its rows")
        while isinstance(node, ast.Call) and method(node) in TAKES and not node.args and _receiver(node):
            node = self._value(function, _receiver(node))
        if isinstance(node, ast.Call) and method(node) in RUNS and node.args:
            return self._statement(function, node.args[0], helpers)
        helper = called(self.repository, function, node) if isinstance(node, ast.Call) else None
        if helper is None:
            raise unknown(function, node)
        values = returned_values(helper)
        if len(values) != 1:
            raise Decline(Why.AMBIGUOUS, f"{helper.name} returns in {len(values)} places")
        return self.feed(helper, values[0], (*helpers, helper))

    def _value(self, function: Function, node: ast.expr | None) -> ast.expr:
        """Without `await`, `list(…)` and names that stand for one value."""
        for _ in range(MAX_STEPS):
            assert node is not None
            node, _ = unwrap(node.value if isinstance(node, ast.Await) else node)
            values = assigned_values(function, node.id) if isinstance(node, ast.Name) else None
            if values is not None and len(values) == 1:
                node = values[0]
            elif not isinstance(node, ast.Await):
                break
        assert node is not None
        return node

    def _statement(self, function: Function, node: ast.expr, helpers: tuple[Function, ...]) -> Select:
        refined: list[ast.Call] = []
        root, steps = chain(node)
        if isinstance(root, ast.Name):
            refined, anchor = self._refined(function, root)
            refined += steps
            root, steps = chain(anchor)
        else:
            anchor = node
        model = self._selected(function, root)
        if model is None:
            raise unknown(function, node)
        return Select(function, anchor, model, (*steps, *refined), helpers)

    def _refined(self, function: Function, name: ast.Name) -> tuple[list[ast.Call], ast.expr]:
        """`query = select(…)` and then `query = query.where(…)`: the calls, and the first value."""
        first: list[ast.expr] = []
        refined: list[ast.Call] = []
        for value in assigned_values(function, name.id) or ():
            root, steps = chain(value)
            if isinstance(root, ast.Name) and root.id == name.id:
                refined += steps
            else:
                first.append(value)
        if len(first) > 1:
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(name)}: {name.id} is assigned in {len(first)} places")
        if not first:
            raise unknown(function, name)
        return refined, first[0]

    def _selected(self, function: Function, root: ast.expr) -> SqlModel | None:
        """`select(Model)`, of one model and nothing else."""
        if not isinstance(root, ast.Call) or len(root.args) != 1 or root.keywords:
            return None
        if self.repository.dotted(function.module, root.func) not in SELECT:
            return None
        return self.models.of(function.module, root.args[0])


def chain(node: ast.expr) -> tuple[ast.expr, list[ast.Call]]:
    """Root and method calls, first call first: `select(A).where(x).limit(5)` → (`select(A)`, [where, limit])."""
    steps: list[ast.Call] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if not isinstance(inner, (ast.Call, ast.Name)) or node.func.attr == "select":
            break
        steps.append(node)
        node = inner
    return node, steps[::-1]


def method(call: ast.Call) -> str:
    """The name of the method; empty for a function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _receiver(call: ast.Call) -> ast.expr | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def unknown(function: Function, node: ast.AST) -> Decline:
    """No select was found."""
    text = " ".join(function.module.segment(node).split())[:60]
    return Decline(Why.QUERYSET_NOT_FOUND, f"{function.module.at(node)}: no query is known behind `{text}`")

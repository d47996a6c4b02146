"""Queryset chains as they are written, and the plain facts about locals that help to find them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.models import Model
from burnish_tools.recipes.source.repo import Module, scope_nodes

CHAIN = frozenset((
    "all", "filter", "exclude", "order_by", "reverse", "distinct", "annotate", "alias", "select_related",
    "prefetch_related", "using", "none", "extra", "only", "defer", "values", "values_list", "dates",
    "datetimes", "raw", "union", "intersection", "difference", "select_for_update", "iterator",
    "complex_filter",
))  # fmt: skip
STOP = frozenset(
    ("[]", "iterator", "values", "values_list", "dates", "datetimes", "union", "intersection", "difference")
)
ONE_ROW = frozenset(("get", "first", "last", "earliest", "latest", "create", "aget", "afirst"))
WRAPPERS = frozenset(("list", "tuple", "sorted", "reversed", "iter", "enumerate"))


@dataclass(frozen=True)
class Step:
    """One call (or slice, named `[]`) of a chain."""

    name: str
    node: ast.expr
    module: Module


@dataclass(frozen=True)
class Feed:
    """The query behind a loop: where it is written and all that is done to it up to the loop."""

    function: Function
    anchor: ast.expr
    """A method call goes right after this expression."""
    model: Model
    steps: tuple[Step, ...]
    relation: str = ""
    """Name of the relation, where the query starts at an instance (`order.lines`)."""
    per_row: bool = False
    """True where that instance is itself the variable of a loop."""

    def step(self, *names: str) -> Step | None:
        """The first step with one of these names."""
        return next((step for step in self.steps if step.name in names), None)


@dataclass(frozen=True)
class Instance:
    """What is known of a name that stands for one row."""

    model: Model
    per_row: bool


def peel(module: Module, node: ast.expr) -> tuple[ast.expr, list[Step]]:
    """A chain's root and its steps, first step first: `A.objects.filter(x)[:5]` → (`A.objects`, [filter, []])."""
    steps: list[Step] = []
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_step(node.func):
            steps.append(Step(node.func.attr, node, module))
            node = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            steps.append(Step("[]", node, module))
            node = node.value
        else:
            return node, steps[::-1]


def _is_step(func: ast.Attribute) -> bool:
    return func.attr in CHAIN or isinstance(func.value, (ast.Call, ast.Attribute, ast.Subscript))


def unwrap(node: ast.expr, target: ast.expr | None = None) -> tuple[ast.expr, ast.expr | None]:
    """Takes `list(…)`, `enumerate(…)` and the like off an iterable; the target shrinks with `enumerate`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRAPPERS and node.args:
        if node.func.id == "enumerate":
            pair = target.elts if isinstance(target, ast.Tuple) else []
            target = pair[1] if len(pair) == 2 else None
        node = node.args[0]
    return node, target


def assigned_values(function: Function, name: str) -> list[ast.expr] | None:
    """The values that a local is assigned; None where it is bound in another way (loop, `with`, unpacking) too."""
    values: list[ast.expr] = []
    for node in function.module.stored_in(function.node).get(name, ()):
        around = function.module.parents[node]
        value = around.value if isinstance(around, (ast.Assign, ast.AnnAssign)) else None
        if value is None:
            return None
        values.append(value)
    return values


def loop_over(function: Function, name: ast.Name) -> ast.expr | None:
    """The iterable of the one loop (around the name, where it is used in one) that binds a name."""
    found: list[ast.expr] = []
    for node in function.nodes():
        if isinstance(node, (ast.For, ast.comprehension)):
            iterable, target = unwrap(node.iter, node.target)
            if isinstance(target, ast.Name) and target.id == name.id:
                found.append(iterable)
    return found[0] if len(found) == 1 else None


def returned_values(function: Function) -> list[ast.expr]:
    return [node.value for node in scope_nodes(function.node) if isinstance(node, ast.Return) and node.value]

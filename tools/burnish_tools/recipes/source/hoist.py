"""Where a value can be computed once instead of in each round of a loop."""

from __future__ import annotations

import ast
from collections.abc import Callable

from burnish.why import Why
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.loops import COMPREHENSIONS, outer_loops
from burnish_tools.recipes.source.repo import Decline, Module

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


def place_before(function: Function, node: ast.expr, changes: Callable[[ast.AST], bool]) -> ast.stmt:
    """The statement before which the value of `node` can be computed: the outermost loop in which nothing of it
    changes, or the statement of a comprehension. Raises Decline where the innermost loop changes it, or where there is
    no room."""
    module = function.module
    fit: ast.AST | None = None
    for loop in outer_loops(function, node):
        if changes(loop):
            break
        fit = loop
    if fit is None:
        raise Decline(Why.NOT_INVARIANT, f"{module.at(node)}: `{module.segment(node)}` changes in the loop")
    statement = module.statement(fit)
    if isinstance(fit, COMPREHENSIONS) and not isinstance(statement, SIMPLE):
        raise Decline(Why.NO_PATTERN, f"{module.at(fit)}: there is no room before it")
    _refuse_joined(module, statement)
    return statement


def refuse_sometimes(function: Function, node: ast.expr, loop: ast.stmt) -> None:
    """Raises Decline where only some rounds of the loops inside `loop` come to a node: computed beforehand it could
    cost more than it does now."""
    module = function.module
    statement = module.statement(node)
    if not isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
        refuse_conditional(module, node, statement, rounds=True)
    inner: ast.AST = statement
    while inner is not loop:
        inner = module.parents[inner]
        if not isinstance(inner, (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)):
            raise Decline(Why.NO_PATTERN, f"{module.at(node)} runs only in some rounds of the loop")


def refuse_conditional(module: Module, node: ast.expr, statement: ast.stmt, *, rounds: bool = False) -> None:
    """Raises Decline unless the node runs whenever its statement does, and there is room before that.

    With `rounds` it may also run in each round of a comprehension in the statement.
    """
    inner: ast.AST = node
    for outer in module.above(node):
        round_by_round = rounds and not any(each.ifs for each in getattr(outer, "generators", ()))
        maybe = (isinstance(outer, COMPREHENSIONS) and not round_by_round) or (
            isinstance(outer, ast.Lambda)
        ) or (
            (isinstance(outer, ast.IfExp) and inner is not outer.test)
            or (isinstance(outer, ast.BoolOp) and inner is not outer.values[0])
            or (isinstance(outer, ast.Compare) and inner in outer.comparators[1:])
            or (isinstance(outer, ast.Assert) and inner is outer.msg)
        )  # fmt: skip
        if maybe:
            raise Decline(Why.NO_PATTERN, f"{module.at(node)}: it runs only in some cases")
        if outer is statement:
            break
        inner = outer
    _refuse_joined(module, statement)


def _refuse_joined(module: Module, statement: ast.stmt) -> None:
    line = module.lines[statement.lineno - 1]
    before = line.encode()[: statement.col_offset].decode()
    if line.lstrip().startswith("elif") or before.strip():
        raise Decline(Why.NO_PATTERN, f"{module.at(statement)}: there is no room before it")

"""Where a collection is certainly not empty."""

from __future__ import annotations

import ast
from collections.abc import Collection

from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.loops import outer_loops
from burnish_tools.recipes.source.names import is_builtin, is_inside, position
from burnish_tools.recipes.source.repo import Module, type_of_function

ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def not_empty(function: Function, node: ast.AST, name: str, shrinking: Collection[ast.AST]) -> bool:
    """True where a test of `name` stands before `node` and nothing of `shrinking` can run between the two.

    `name` is a local collection of a builtin type, and `shrinking` is all that takes something out of it.
    """
    inner = node
    for outer in function.module.above(node):
        if isinstance(outer, (*type_of_function, ast.Lambda)):
            return False
        if _is_guard(function.module, outer, inner, name):
            return not _may_shrink(function, outer, node, shrinking, retested=isinstance(outer, ast.While))
        block = _block(outer, inner)
        if block and _left_before(function, block, inner, node, name, shrinking):
            return True
        inner = outer
    return False


def _is_guard(module: Module, outer: ast.AST, inner: ast.AST, name: str) -> bool:
    """True where `inner` is what `outer` runs only where `name` is not empty."""
    if isinstance(outer, (ast.If, ast.While, ast.IfExp)):
        return _is_inside_body(outer, inner) and _says_not_empty(module, outer.test, name)
    if isinstance(outer, ast.BoolOp) and isinstance(outer.op, ast.And):
        place = next(number for number, each in enumerate(outer.values) if each is inner)
        return any(_says_not_empty(module, each, name) for each in outer.values[:place])
    return False


def _is_inside_body(outer: ast.If | ast.While | ast.IfExp, inner: ast.AST) -> bool:
    return inner is outer.body or (isinstance(outer.body, list) and inner in outer.body)


def _block(outer: ast.AST, inner: ast.AST) -> list[ast.stmt]:
    return next((value for _, value in ast.iter_fields(outer) if isinstance(value, list) and inner in value), [])


def _left_before(
    function: Function, block: list[ast.stmt], inner: ast.AST, node: ast.AST, name: str, shrinking: Collection[ast.AST]
) -> bool:
    """`if not name: return` above in the same block."""
    place = next(number for number, each in enumerate(block) if each is inner)
    for guard in reversed(block[:place]):
        leaves = isinstance(guard, ast.If) and isinstance(guard.body[-1], ENDS) and not guard.orelse
        if leaves and isinstance(guard, ast.If) and _says_empty(function.module, guard.test, name):
            return not _may_shrink(function, block[place], node, shrinking, retested=False)
        if any(is_inside(function.module, each, guard) for each in shrinking):
            return False
    return False


def _may_shrink(
    function: Function, guarded: ast.AST, node: ast.AST, shrinking: Collection[ast.AST], *, retested: bool
) -> bool:
    """True where something is taken out after the guard and before `node`, in the text or in an earlier round of a
    loop; `retested` where `guarded` is itself the loop that tests again in each round."""
    inside = [each for each in shrinking if each is not node and is_inside(function.module, each, guarded)]
    between = [
        loop
        for loop in outer_loops(function, node)
        if (loop is not guarded or not retested) and is_inside(function.module, loop, guarded)
    ]
    repeated = any(is_inside(function.module, each, loop) for loop in between for each in shrinking)
    return repeated or any(position(each) < position(node) for each in inside)


def _says_not_empty(module: Module, test: ast.expr, name: str) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_says_not_empty(module, value, name) for value in test.values)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Gt, ast.NotEq)):
        right = test.comparators[0]
        return isinstance(right, ast.Constant) and right.value == 0 and _is_length(module, test.left, name)
    return (isinstance(test, ast.Name) and test.id == name) or _is_length(module, test, name)


def _says_empty(module: Module, test: ast.expr, name: str) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_says_empty(module, value, name) for value in test.values)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        right = test.comparators[0]
        return isinstance(right, ast.Constant) and right.value == 0 and _is_length(module, test.left, name)
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _says_not_empty(
        module, test.operand, name)  # fmt: skip


def _is_length(module: Module, node: ast.expr, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and bool(is_builtin(module, node.func, ("len",)))
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id == name
    )

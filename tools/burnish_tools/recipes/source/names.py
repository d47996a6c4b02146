"""Names in one function: what they certainly stand for, how a local is used, and names that are free."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from burnish.why import Why
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.repo import Decline, Module, names_bound, type_of_function

READERS = frozenset((
    "len", "sorted", "sum", "min", "max", "any", "all", "tuple", "list", "set", "frozenset", "bool",
))  # fmt: skip
"""Builtins that read all of an iterable at once and keep nothing of it but its elements."""
WALKERS = frozenset(("enumerate", "reversed", "zip"))
"""Builtins that walk along an iterable while they are walked along."""
LOOKERS = frozenset(("locals", "vars", "eval", "exec", "globals"))


def is_builtin(module: Module, node: ast.expr, names: Iterable[str]) -> str:
    """The builtin of one of these names that an expression is; empty where the file binds that name to anything."""
    if isinstance(node, ast.Name) and node.id in names and node.id not in module.bindings:
        return node.id if "*" not in module.bindings and hasattr(builtins, node.id) else ""
    return ""


def known(module: Module, node: ast.expr) -> str:
    """The dotted name of what an expression was imported as; empty unless the file imports its root once, at its top,
    and binds it to nothing else."""
    if isinstance(node, ast.Attribute):
        base = known(module, node.value)
        return f"{base}.{node.attr}" if base else ""
    if not isinstance(node, ast.Name) or node.id not in module.imports:
        return ""
    bound = module.bindings.get(node.id, [])
    once = len(bound) == 1 and isinstance(bound[0], ast.alias)
    at_top = once and module.parents[module.parents[bound[0]]] is module.tree
    return module.imports[node.id] if at_top else ""


def module_constant(module: Module, name: str) -> ast.expr | None:
    """The value of a name that the file binds once, by a plain assignment at its top level."""
    node = module.top.get(name)
    once = len(module.bindings.get(name, ())) == 1 and node in module.tree.body
    return node.value if once and isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_plain(node) else None


def _is_plain(node: ast.Assign | ast.AnnAssign) -> bool:
    return isinstance(node, ast.AnnAssign) or len(node.targets) == 1


def arguments(function: Function) -> frozenset[str]:
    """All its parameters, however they are given."""
    return frozenset(node.arg for node in ast.walk(function.node.args) if isinstance(node, ast.arg))


def binders(function: Function, name: str) -> list[ast.AST]:
    """The nodes that bind a name in a function or in the functions inside it, its parameter included."""
    return list(function.module.bound_inside(function.node).get(name, ()))


def only_value(function: Function, name: str) -> tuple[ast.Assign | ast.AnnAssign, ast.expr] | None:
    """The one plain assignment that binds a local, and its value; None where it is bound otherwise or again."""
    bound = binders(function, name)
    around = function.module.parents[bound[0]] if len(bound) == 1 else None
    if isinstance(around, (ast.Assign, ast.AnnAssign)) and around.value is not None and _is_plain(around):
        target = around.targets[0] if isinstance(around, ast.Assign) else around.target
        return (around, around.value) if target is bound[0] else None
    return None


def loads(function: Function, name: str) -> list[ast.Name]:
    """Every place where a name is read, in the order of the text."""
    found = [node for node in function.nodes()
             if type(node) is ast.Name and node.id == name and isinstance(node.ctx, ast.Load)]  # fmt: skip
    return sorted(found, key=position)


def position(node: ast.AST) -> tuple[int, int]:
    """Where a node begins."""
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))


def refuse_shared(function: Function, name: str) -> None:
    """Raises Decline where something else than the function's own lines may see or change a local."""
    for node in function.nodes():
        if isinstance(node, (*type_of_function, ast.Lambda, ast.ClassDef)) and _mentions(node, name):
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(node)} uses {name} at a time of its own")
        if isinstance(node, ast.Name) and node.id in LOOKERS:
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(node)}: {node.id} may look at {name}")


def _mentions(node: ast.AST, name: str) -> bool:
    return any(name in names_bound(each) or (isinstance(each, ast.Name) and each.id == name) for each in ast.walk(node))


def method_call(module: Module, node: ast.Name) -> ast.Call | None:
    """The call `node.method(…)` whose receiver a name is."""
    around = module.parents[node]
    call = module.parents.get(around)
    is_call = isinstance(around, ast.Attribute) and isinstance(call, ast.Call) and call.func is around
    return call if is_call and isinstance(call, ast.Call) else None


def in_test(module: Module, node: ast.expr) -> bool:
    """True where only the truth of an expression is used."""
    inner: ast.AST = node
    for outer in module.above(node):
        if isinstance(outer, ast.BoolOp) or (isinstance(outer, ast.UnaryOp) and isinstance(outer.op, ast.Not)):
            inner = outer
            continue
        if isinstance(outer, (ast.If, ast.While, ast.IfExp, ast.Assert)):
            return inner is outer.test
        return isinstance(outer, ast.comprehension) and inner in outer.ifs
    return False


def is_read(module: Module, node: ast.expr) -> bool:
    """True where a collection is only read, at once, and nothing of it is kept but its elements."""
    around = module.parents[node]
    if isinstance(around, ast.Call):
        walked = is_builtin(module, around.func, WALKERS) and _is_iterated(module, around)
        joined = isinstance(around.func, ast.Attribute) and around.func.attr == "join"
        return node in around.args and bool(is_builtin(module, around.func, READERS) or walked or joined)
    if isinstance(around, ast.Compare):
        tests = isinstance(around.ops[-1], (ast.In, ast.NotIn)) and len(around.ops) == 1
        return tests and around.comparators[0] is node
    if isinstance(around, ast.Subscript):
        return around.value is node and isinstance(around.ctx, ast.Load)
    return in_test(module, node) or _is_iterated(module, node)


def _is_iterated(module: Module, node: ast.expr) -> bool:
    around = module.parents[node]
    if isinstance(around, (ast.For, ast.AsyncFor)):
        return around.iter is node
    if isinstance(around, ast.comprehension) and around.iter is node:
        return not isinstance(module.parents[around], ast.GeneratorExp) or _is_used_up(module, module.parents[around])
    return False


def _is_used_up(module: Module, generator: ast.AST) -> bool:
    """True for a generator expression that is read to its end, or dropped, where it is written."""
    around = module.parents[generator]
    if not isinstance(around, ast.Call) or generator not in around.args:
        return False
    joined = isinstance(around.func, ast.Attribute) and around.func.attr == "join"
    return joined or bool(is_builtin(module, around.func, READERS))


def changed_in(function: Function, name: str, loop: ast.AST, besides: ast.AST | None = None) -> bool:
    """True where a loop makes a local, or does anything with it but read it, the call `besides` excepted."""
    module = function.module
    once = only_value(function, name)
    if once is None or is_inside(module, once[0], loop):
        return True
    return any(
        is_inside(module, node, loop) and not is_read(module, node)
        for node in loads(function, name)
        if besides is None or module.parents[module.parents[node]] is not besides
    )


def refuse_aliased(function: Function, name: str) -> None:
    """Raises Decline where a local collection may have another name, so that others could change it."""
    module = function.module
    for node in loads(function, name):
        returned = isinstance(module.parents[node], ast.Return)
        if not returned and not is_read(module, node) and method_call(module, node) is None:
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)} hands {name} on")


def is_inside(module: Module, node: ast.AST, outer: ast.AST) -> bool:
    """True where one node is in another."""
    return node is outer or outer in module.above(node)


def free_name(function: Function, wanted: str, taken: Iterable[str] = ()) -> str:
    """A name that nothing in the file has, as wanted where that is so; none of `taken`."""
    module = function.module
    used = {*module.bindings, *module.mentions, *module.top, *module.imports, *taken}
    number, name = 2, wanted
    while name in used:
        name, number = f"{wanted}_{number}", number + 1
    return name

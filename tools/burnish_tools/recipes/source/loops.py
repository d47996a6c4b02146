"""What a loop does besides computing: where it stops early, what it writes, which clocks it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from burnish_tools.recipes.source.chains import peel
from burnish_tools.recipes.source.functions import Function, function_of, resolve_call
from burnish_tools.recipes.source.querysets import Querysets
from burnish_tools.recipes.source.repo import Decline, Repository, type_of_function

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
SAVES = frozenset((
    "save", "delete", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update",
    "refresh_from_db", "asave", "adelete", "acreate",
))  # fmt: skip
SHARED_NAMES = frozenset(("update", "add", "set", "remove", "clear"))
"""Writes on a queryset or related manager, but also methods of dict and set: they count where the receiver is known."""
CLOCKS = frozenset((
    "now", "today", "utcnow", "localtime", "localdate", "time", "time_ns", "monotonic", "monotonic_ns",
    "perf_counter", "perf_counter_ns", "process_time", "Now", "CurrentTimestamp",
))  # fmt: skip
RANDOM = frozenset((
    "random", "randint", "choice", "choices", "shuffle", "sample", "uuid1", "uuid4", "token_hex",
    "token_urlsafe", "urandom",
))  # fmt: skip
PLAIN_METHODS = frozenset(name for kind in (str, list, dict, set, bytes) for name in dir(kind))
MAX_DEPTH = 3


@dataclass(frozen=True)
class Loop:
    """A `for` statement or one `for` of a comprehension."""

    function: Function
    node: ast.For | ast.AsyncFor | ast.expr
    iterable: ast.expr
    target: ast.expr
    body: tuple[ast.AST, ...]


def loops(function: Function) -> list[Loop]:
    """The loops over an iterable in a function, in the order of the text."""
    found: list[Loop] = []
    for node in function.nodes():
        if isinstance(node, (ast.For, ast.AsyncFor)):
            found.append(Loop(function, node, node.iter, node.target, (*node.body, *node.orelse)))
        elif isinstance(node, COMPREHENSIONS):
            for place, generator in enumerate(node.generators):
                body = (*generator.ifs, *node.generators[place + 1 :], *_results(node))
                found.append(Loop(function, node, generator.iter, generator.target, body))
    return sorted(found, key=lambda loop: (loop.iterable.lineno, loop.iterable.col_offset))


def _results(node: ast.expr) -> tuple[ast.expr, ...]:
    if isinstance(node, ast.DictComp):
        return (node.key, node.value)
    return (node.elt,) if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)) else ()


def outer_loops(function: Function, node: ast.AST) -> list[ast.AST]:
    """The loops that run a node again and again, innermost first: `for`, `while`, comprehensions."""
    found: list[ast.AST] = []
    inner = node
    for outer in function.module.above(node):
        if (
            (isinstance(outer, (ast.For, ast.AsyncFor)) and inner in outer.body)
            or (isinstance(outer, ast.While) and inner not in outer.orelse)
            or (isinstance(outer, COMPREHENSIONS) and inner is not outer.generators[0])
        ):
            found.append(outer)
        elif isinstance(outer, ast.comprehension) and inner is not outer.iter:
            found.append(function.module.parents[outer])
        elif outer is function.node:
            break
        inner = outer
    return list(dict.fromkeys(found))


def exits_early(loop: Loop) -> ast.AST | None:
    """The first `break` or `return` that ends the loop, or the `any(…)`, `next(…)` that may stop a generator."""
    if isinstance(loop.node, (ast.For, ast.AsyncFor)):
        return next(_exits(loop.node.body, inner=False), None)
    around = loop.function.module.parents.get(loop.node)
    if isinstance(loop.node, ast.GeneratorExp) and isinstance(around, ast.Call) and isinstance(around.func, ast.Name):
        return around if around.func.id in ("any", "all", "next") else None
    return None


def _exits(nodes: Iterable[ast.AST], *, inner: bool) -> Iterator[ast.AST]:
    for node in nodes:
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break) and not inner):
            yield node
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            yield from _exits(node.body, inner=True)
            yield from _exits(node.orelse, inner=inner)
        elif not isinstance(node, (*type_of_function, ast.Lambda, ast.ClassDef)):
            yield from _exits(ast.iter_child_nodes(node), inner=inner)


def bound_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Names that are assigned, deleted, imported or defined anywhere below these nodes."""
    names: set[str] = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif isinstance(node, (*type_of_function, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.alias):
                names.add((node.asname or node.name).split(".")[0])
            elif isinstance(node, ast.ExceptHandler) and node.name:
                names.add(node.name)
    return frozenset(names)


def written_attributes(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Names whose attributes or items are assigned below these nodes: `x` of `x.a.b = 1` and `x[0] = 1`."""
    names: set[str] = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
                root: ast.expr = node
                while isinstance(root, (ast.Attribute, ast.Subscript)):
                    root = root.value
                if isinstance(root, ast.Name):
                    names.add(root.id)
    return frozenset(names)


@dataclass(frozen=True)
class Write:
    """A write to the database; `table` is empty where it is not known."""

    place: str
    table: str


class Effects:
    """Looks for effects in code and in the functions of the repository that it calls."""

    def __init__(self, repository: Repository, querysets: Querysets, *, wary: bool = False) -> None:
        self.repository = repository
        self.querysets = querysets
        self.wary = wary
        """True: a method on something unknown counts as every method of that name in the repository."""

    def writes(self, function: Function, nodes: Iterable[ast.AST]) -> Iterator[Write]:
        """Database writes, nearest first."""
        for where, call in self._calls(function, nodes, MAX_DEPTH, set()):
            table = self._written_table(where, call)
            if table is not None:
                yield Write(where.module.at(call), table)

    def named_calls(self, function: Function, nodes: Iterable[ast.AST], names: frozenset[str]) -> Iterator[str]:
        """Places of calls of functions with one of these names (clocks, randomness, locks)."""
        for where, call in self._calls(function, nodes, MAX_DEPTH, set()):
            if _called_name(call) in names:
                yield where.module.at(call)

    def _calls(
        self, function: Function, nodes: Iterable[ast.AST], depth: int, seen: set[ast.AST]
    ) -> Iterator[tuple[Function, ast.Call]]:
        for call in (node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call)):
            yield function, call
            for called in self._targets(function, call) if depth else ():
                if called.node not in seen:
                    yield from self._calls(called, called.node.body, depth - 1, seen | {called.node})

    def _targets(self, function: Function, call: ast.Call) -> list[Function]:
        called = resolve_call(self.repository, function, call)
        if called is not None:
            return [called]
        if not isinstance(call.func, ast.Attribute):
            return []
        row = self.querysets.instance(function, call.func.value)
        if row is not None:
            method = row.model.method(call.func.attr)
            return [function_of(*method)] if method else []
        return self._methods(call.func.attr) if self.wary and call.func.attr not in PLAIN_METHODS else []

    def _methods(self, name: str) -> list[Function]:
        return [
            function_of(module, node)
            for module in self.repository.modules(f"def {name}(")
            for node in ast.walk(module.tree)
            if isinstance(node, type_of_function) and node.name == name
        ]

    def _written_table(self, function: Function, call: ast.Call) -> str | None:
        """The table that a call writes: empty where unknown, None where it is no write."""
        if not isinstance(call.func, ast.Attribute):
            return None
        name = call.func.attr
        if name in ("execute", "executemany"):
            text = call.args[0] if call.args else None
            reads = isinstance(text, ast.Constant) and str(text.value).lstrip().upper().startswith("SELECT")
            return None if reads else ""
        if name not in SAVES | SHARED_NAMES:
            return None
        known = self._receiver_table(function, call.func.value)
        return known if known or name in SAVES else None

    def _receiver_table(self, function: Function, node: ast.expr) -> str:
        row = self.querysets.instance(function, node)
        if row is not None:
            return row.model.table
        root, _ = peel(function.module, node)
        if isinstance(root, ast.Name) and root is node and not self._may_be_queryset(function, root):
            return ""
        try:
            return self.querysets.feed(function, node).model.table
        except Decline:
            return ""

    def _may_be_queryset(self, function: Function, name: ast.Name) -> bool:
        try:
            self.querysets.feed(function, name)
        except Decline:
            return False
        return True


def _called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def calls_named(nodes: Iterable[ast.AST], names: frozenset[str]) -> ast.Call | None:
    """The first call of a function or method with one of these names, not looking into functions."""
    return next(
        (node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call) and _called_name(node) in names),
        None,
    )

"""Rewrites the source of a module so that each of its functions reports its call, end, error and suspension.

::

    def total(self):                     def total(self):
        "Sum."                               "Sum."
        return sum(self.prices())            __burnish_f__ = __burnish_enter__(17)
                                             try:
                                                 return sum(self.prices())
                                             except:
                                                 __burnish_error__(__burnish_f__)
                                                 raise
                                             finally:
                                                 __burnish_leave__(__burnish_f__)

The hooks are names in ``builtins``, so that the module's own namespace stays as it is. What is left alone: lambdas and
generator expressions (their time is their caller's), functions that a just-in-time compiler will read, and generators
or coroutines that look at their own ``locals()``.

A function that defines no other also gets an innermost decorator, ``@__burnish_define__(17)``, which returns it as it
is: that is how the function object is known whose code is exchanged when it is called too often (``variants.py``).
"""

from __future__ import annotations

import ast
from typing import Any, Callable, Union

from .registry import Function, Source
from .switch import FRAME

Node = Union[ast.FunctionDef, ast.AsyncFunctionDef]
Comprehension = Union[ast.ListComp, ast.SetComp, ast.DictComp]

_READS_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})
_COMPILED_ELSEWHERE = frozenset({"jit", "njit", "vectorize", "guvectorize", "stencil", "cfunc"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def rewrite(tree: ast.Module, module: str, file: str, source: Source, add: Callable[[Function], int]) -> None:
    """Rewrite ``tree`` in place. ``add`` gives a function its number, or 0 to leave it alone."""
    _Rewriter(module, file, source, add).visit(tree)


class _Rewriter(ast.NodeTransformer):
    def __init__(self, module: str, file: str, source: Source, add: Callable[[Function], int]) -> None:
        self.module, self.file, self.source, self.add = module, file, source, add
        self.names: list[str] = []
        self.seen: set[str] = set()
        self.suspends = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.names.append(node.name)
        outer, self.suspends = self.suspends, False
        node.body = [self.visit(statement) for statement in node.body]
        self.suspends = outer
        self.names.pop()
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        node.generators[0].iter = self.visit(node.generators[0].iter)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        if self.suspends:
            node.value = _call("__burnish_await__", node.value)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        if self.suspends:
            node.iter = _call("__burnish_aiter__", node.iter)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        if self.suspends:
            for item in node.items:
                item.context_expr = _call("__burnish_awith__", item.context_expr)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        if self.suspends and node.is_async:
            node.iter = _call("__burnish_aiter__", node.iter)
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        self.generic_visit(node)
        if self.suspends:
            node.value = _call("__burnish_delegate__", node.value)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        self.generic_visit(node)
        if not self.suspends:
            return node
        node.value = _call("__burnish_suspend__", node.value or _at(ast.Constant(None), node))
        return _call("__burnish_resumed__", node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return self._statement(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return self._statement(node)

    def _statement(self, node: ast.Expr | ast.Assign) -> ast.AST:
        """A yield alone or assigned also reports that it was resumed by ``throw()`` or ``close()``."""
        is_yield = isinstance(node.value, ast.Yield)
        self.generic_visit(node)
        if not (is_yield and self.suspends):
            return node
        assert isinstance(node.value, ast.Call)
        node.value = node.value.args[1]
        resume = ast.Expr(_call("__burnish_resume__", None, at=node))
        guarded: ast.AST = _at(ast.Try(body=[node], handlers=[], orelse=[], finalbody=[_at(resume, node)]), node)
        return guarded

    def _function(self, node: Node) -> ast.AST:
        kind, reads_locals = _look_at(node)
        plain = kind == "function"
        if _compiled_elsewhere(node) or (reads_locals and not plain):
            return node
        number = self.add(self._describe(node, kind))
        if not number:
            return node
        self._visit_signature(node)
        self.names += [node.name, "<locals>"]
        outer, self.suspends = self.suspends, not plain
        body = [self.visit(statement) for statement in node.body]
        self.suspends = outer
        del self.names[-2:]
        observed = wrapped(node, body, number, kind, reads_locals)
        if not reads_locals and not defines_others(node):
            define = ast.Call(_name("__burnish_define__"), [ast.Constant(number)], [])
            node.decorator_list.append(_at(define, node))
        node.body = observed
        return node

    def _visit_signature(self, node: Node) -> None:
        """Decorators and defaults run in the scope around the function."""
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.args.defaults = [self.visit(default) for default in node.args.defaults]
        node.args.kw_defaults = [default and self.visit(default) for default in node.args.kw_defaults]

    def _describe(self, node: Node, kind: str) -> Function:
        name = self.module + ":" + ".".join([*self.names, node.name])
        if name in self.seen:  # a property's setter, an overload, the other branch of an `if`
            name += ":%d" % node.lineno
        self.seen.add(name)
        return Function(name, self.file, node.lineno, node.end_lineno or node.lineno, kind, self.source)


def _look_at(node: Node) -> tuple[str, bool]:
    """The kind of a function, and whether it reads its local variables by name."""
    yields = reads_locals = False
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)):
            yields = True
        elif isinstance(inner, ast.Name) and inner.id in _READS_LOCALS:
            reads_locals = True
        if not isinstance(inner, _SCOPES):
            waiting.extend(ast.iter_child_nodes(inner))
        elif not isinstance(inner, ast.Lambda):
            waiting.extend(inner.decorator_list)
    if isinstance(node, ast.AsyncFunctionDef):
        return ("async_generator" if yields else "coroutine"), reads_locals
    return ("generator" if yields else "function"), reads_locals


def _compiled_elsewhere(node: Node) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in _COMPILED_ELSEWHERE:
            return True
    return False


def defines_others(node: Node) -> bool:
    """Whether a function defines functions or classes, which must be observed whatever code defines them."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(inner, definitions) for statement in node.body for inner in ast.walk(statement))


def wrapped(node: Node, body: list[ast.stmt], number: int, kind: str, reads_locals: bool) -> list[ast.stmt]:
    """The statements of a function between its report of the call and its reports of the end."""
    head, body = _without_docstring(node, body)
    names = ("enter", "error", "leave") if kind == "function" else ("begin", "fail", "end")
    if kind in ("coroutine", "async_generator"):
        names = ("abegin", "fail", "end")
    first, last = node.body[0], node.body[-1]
    enter: ast.expr = ast.Call(_name(f"__burnish_{names[0]}__"), [ast.Constant(number)], [])
    store: ast.stmt = ast.Assign([ast.Name(FRAME, ast.Store())], enter)
    if reads_locals:
        store = ast.Expr(enter)
        names = (names[0], "error_top", "leave_top")
    report: list[ast.stmt] = [ast.Expr(_call(f"__burnish_{names[1]}__", None, last, not reads_locals)), ast.Raise()]
    leave = ast.Expr(_call(f"__burnish_{names[2]}__", None, last, not reads_locals))
    handler = ast.ExceptHandler(None, None, [_at(statement, last) for statement in report])
    observed = ast.Try(body or [_at(ast.Pass(), first)], [_at(handler, last)], [], [_at(leave, last)])
    return [*head, _at(store, first), _at(observed, first)]


def count_hook(number: int) -> str:
    """The name by which the counting code of a function calls ``append`` of its counter."""
    return f"__burnish_count_{number}__"


def guarded(node: Node, body: list[ast.stmt], number: int, counts: bool) -> list[ast.stmt]:
    """The statements of a function that reports its errors only, or also that it was called."""
    head, body = _without_docstring(node, body)
    first, last = node.body[0], node.body[-1]
    count = ast.Expr(ast.Call(_name(count_hook(number)), [ast.Constant(0)], []))
    raised = ast.Expr(ast.Call(_name("__burnish_raised__"), [ast.Constant(number)], []))
    handler = ast.ExceptHandler(None, None, [_at(raised, last), _at(ast.Raise(), last)])
    observed = ast.Try(body or [_at(ast.Pass(), first)], [_at(handler, last)], [], [])
    return [*head, *([_at(count, first)] if counts else []), _at(observed, first)]


def _without_docstring(node: Node, body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    if ast.get_docstring(node, clean=False) is None:
        return [], body
    return body[:1], body[1:]


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _call(hook: str, value: ast.expr | None, at: ast.AST | None = None, frame: bool = True) -> ast.Call:
    """``hook(frame, value)`` placed where ``value`` is, or at ``at``."""
    arguments: list[ast.expr] = [_name(FRAME)] if frame else []
    if value is not None:
        arguments.append(value)
    call = ast.Call(_name(hook), arguments, [])
    place = value if value is not None else at
    return call if place is None else _at(call, place)


def _at(node: Any, place: ast.AST) -> Any:
    """Give ``node`` and what it holds that has no place yet the place of another node."""
    ast.copy_location(node, place)
    for child in ast.iter_child_nodes(node):
        if not hasattr(child, "lineno"):
            _at(child, place)
    return node

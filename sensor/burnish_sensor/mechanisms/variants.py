"""The three forms of the code of an observed function, and the functions that run one of them.

- *timed*: what the import put in place; each call is recorded.
- *light*: reports errors only; costs nothing that can be measured from Python 3.11 on.
- *counting*: light, and each call adds a byte to a ``bytearray``: of what pure Python can do the cheapest count that
  is atomic, and its length can be read at no cost.

A running frame keeps its code; the next call runs what ``__code__`` is then.
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from .rewrite import Node, count_hook, guarded

#: function objects of one definition that are looked after; beyond it is a closure that is made again and again
FUNCTIONS_PER_SLOT = 256
_SHAPE = (
    0x4  # CO_VARARGS
    | 0x8  # CO_VARKEYWORDS
    | 0x20  # CO_GENERATOR
    | 0x80  # CO_COROUTINE
    | 0x200  # CO_ASYNC_GENERATOR
    | 0x100  # CO_ITERABLE_COROUTINE
)


class Slot:
    """The function objects made by one definition. Called with each one; returns it."""

    __slots__ = ("_made", "_references", "broken", "code", "counted", "counting", "light", "timed")

    def __init__(self) -> None:
        self.timed: CodeType | None = None
        self.light: CodeType | None = None
        self.counting: CodeType | None = None
        #: the code that new function objects must run; None while it is the timed one
        self.code: CodeType | None = None
        #: a byte for each call of the counting code
        self.counted = bytearray()
        #: nothing will be exchanged here any more
        self.broken = False
        self._references: list[weakref.ref[FunctionType]] = []
        self._made = 0

    def __call__(self, function: Any) -> Any:
        if self._made >= FUNCTIONS_PER_SLOT or type(function) is not FunctionType:
            self.broken = True
            return function
        code = function.__code__
        if self.timed is not None and self.timed is not code:  # the module was loaded again
            self._restart()
        self.timed = code
        self._made += 1
        self._references.append(weakref.ref(function))
        if self.code is not None:
            function.__code__ = self.code
        return function

    def _restart(self) -> None:
        self.exchange(None)
        self.light = self.counting = None
        self._references, self._made = [], 0

    def exchange(self, code: CodeType | None) -> int:
        """Let the functions run ``code`` (None: the timed one) from their next call on; how many there were.

        A function whose code is none of ours was changed by someone else and is left alone.
        """
        self.code, wanted, count = code, code or self.timed, 0
        ours = (self.timed, self.light, self.counting)
        for reference in list(self._references):
            function = reference()
            if function is None or wanted is None:
                continue
            now = function.__code__
            if now is not wanted and (now is ours[0] or now is ours[1] or now is ours[2]):
                function.__code__ = wanted
            count += 1
        return count

    def build(self, tree: ast.Module, number: int) -> bool:
        """Make the light and the counting code from the module's syntax tree; False if that cannot be done."""
        if self.light is None and not self.broken and self.timed is not None:
            found = variants(tree, self.timed, number)
            if found is None:
                self.broken = True
            else:
                self.light, self.counting = found
        return self.light is not None and not self.broken


class Slots(dict[int, Slot]):
    """The slots by the number of their function: ``slots[17](function)`` is the decorator of a rewritten function.

    ``names`` are the builtins of the code that is observed; what a counting code calls is published there.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, number: int) -> Slot:
        slot = self[number] = Slot()
        return slot

    def build(self, number: int, tree: ast.Module) -> bool:
        """Make the light and the counting code from the module's syntax tree; False if that cannot be done."""
        slot = self[number]
        self._names[count_hook(number)] = slot.counted.append
        return slot.build(tree, number)


def variants(tree: ast.Module, timed: CodeType, number: int) -> tuple[CodeType, CodeType] | None:
    """The light and the counting code for a function of the module ``tree``; None if it is not found there.

    Only the function with what is around it is compiled: a module would hold the interpreter for too long.
    """
    path = _path_to(tree, timed)
    if path is None:
        return None
    node = path[-1]
    body = node.body
    codes: list[CodeType] = []
    try:
        for counts in (False, True):
            node.body = guarded(node, body, number, counts)
            found = _code_of(compile(_around(tree, path), timed.co_filename, "exec", dont_inherit=True), timed)
            node.body = body
            if found is None:
                return None
            codes.append(found)
    finally:
        node.body = body
    return codes[0], codes[1]


_Path = list[Any]


def _path_to(tree: ast.Module, timed: CodeType) -> _Path | None:
    """The definitions around and of a function, outermost first."""
    waiting: list[tuple[ast.AST, _Path]] = [(tree, [])]
    while waiting:
        outer, path = waiting.pop()
        for node in ast.iter_child_nodes(outer):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_that_of(node, timed):
                return [*path, node]
            deeper = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            waiting.append((node, [*path, node] if deeper else path))
    return None


def _is_that_of(node: Node, timed: CodeType) -> bool:
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    return node.name == timed.co_name and first == timed.co_firstlineno


def _around(tree: ast.Module, path: _Path) -> ast.Module:
    """A module with only the definitions on the path; those in a function need all of that function."""
    whole = next(index for index, node in enumerate(path) if not isinstance(node, ast.ClassDef))
    inner: ast.stmt = path[whole]
    for outer in reversed(path[:whole]):
        kept: Any = ast.ClassDef(name=outer.name, bases=[], keywords=[], body=[inner], decorator_list=[])
        if hasattr(outer, "type_params"):
            kept.type_params = outer.type_params
        inner = ast.copy_location(kept, outer)
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    return ast.Module(body=[*future, inner], type_ignores=[])


def _code_of(module: CodeType, timed: CodeType) -> CodeType | None:
    found = [code for code in _codes(module) if _fits(code, timed)]
    return found[0] if len(found) == 1 else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _fits(code: CodeType, timed: CodeType) -> bool:
    return (
        (code.co_name, code.co_firstlineno, code.co_freevars, code.co_flags & _SHAPE)
        == (timed.co_name, timed.co_firstlineno, timed.co_freevars, timed.co_flags & _SHAPE)
        and (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        == (timed.co_argcount, timed.co_posonlyargcount, timed.co_kwonlyargcount)
    )  # fmt: skip

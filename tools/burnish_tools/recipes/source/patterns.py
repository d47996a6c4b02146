"""Calls of the `re` module: their pattern, and whether it is made of things that do not change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.why import Why
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.repo import Decline, Module, Repository

PARAMETERS = {
    "compile": ("pattern", "flags"),
    "search": ("pattern", "string", "flags"),
    "match": ("pattern", "string", "flags"),
    "fullmatch": ("pattern", "string", "flags"),
    "findall": ("pattern", "string", "flags"),
    "finditer": ("pattern", "string", "flags"),
    "split": ("pattern", "string", "maxsplit", "flags"),
    "sub": ("pattern", "repl", "string", "count", "flags"),
    "subn": ("pattern", "repl", "string", "count", "flags"),
}
FLAGS = {name: int(flag) for name, flag in re.RegexFlag.__members__.items()}


@dataclass(frozen=True)
class Pattern:
    """One call of `re`."""

    call: ast.Call
    method: str
    pattern: ast.expr
    flags: ast.expr | None
    dropped: tuple[int, ...]
    """Places, among all arguments as written, of those that a compiled pattern does not take."""
    compile: str
    """How this module calls `re.compile`; empty where it cannot."""

    def code(self, module: Module) -> str:
        """The call that compiles it; as it is laid out where it is one already."""
        if self.method == "compile":
            return _dedented(module, self.call)
        parts = [_dedented(module, part) for part in (self.pattern, self.flags) if part is not None]
        if not any("\n" in part for part in parts):
            return f"{self.compile}({', '.join(parts)})"
        lines = "".join(f"    {line}\n" for part in parts for line in f"{part},".split("\n"))
        return f"{self.compile}(\n{lines})"


def _dedented(module: Module, node: ast.expr) -> str:
    """The source of an expression, its further lines moved left by the indentation of the line it begins on."""
    text = module.segment(node)
    if '"""' in text or "'''" in text or "\\\n" in text:
        return text  # the space at the start of a line may be part of a string
    start = module.lines[node.lineno - 1]
    margin = len(start) - len(start.lstrip())
    first, *rest = text.split("\n")
    return "\n".join([first, *(line[min(margin, len(line) - len(line.lstrip())) :] for line in rest)])


def calls(function: Function, repository: Repository) -> list[Pattern]:
    """The calls of `re` in a function that give a pattern, in the order of the text."""
    found = [pattern for node in function.nodes() if isinstance(node, ast.Call)
             for pattern in _read(function.module, repository, node)]  # fmt: skip
    return sorted(found, key=lambda pattern: (pattern.call.lineno, pattern.call.col_offset))


def _read(module: Module, repository: Repository, call: ast.Call) -> Iterator[Pattern]:
    library, _, method = repository.dotted(module, call.func).rpartition(".")
    if library != "re" or method not in PARAMETERS:
        return
    if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
        return
    names = [*PARAMETERS[method][: len(call.args)], *(each.arg or "" for each in call.keywords)]
    values = [*call.args, *(each.value for each in call.keywords)]
    given = dict(zip(names, values, strict=False))
    if "pattern" not in given:
        return
    dropped = tuple(place for place, name in enumerate(names) if name in ("pattern", "flags"))
    yield Pattern(
        call, method, given["pattern"], given.get("flags"), dropped, _compile(module, repository, call, method)
    )


def _compile(module: Module, repository: Repository, call: ast.Call, method: str) -> str:
    """The way to `re.compile` that the module's own imports give."""
    if method == "compile":
        return module.segment(call.func)
    if isinstance(call.func, ast.Attribute):
        return f"{module.segment(call.func.value)}.compile"
    named = [name for name, dotted in module.imports.items() if dotted in ("re", "re.compile")]
    return next((f"{name}.compile" if module.imports[name] == "re" else name for name in sorted(named)), "")


def constant_pattern(module: Module, found: Pattern) -> tuple[str | bytes, int] | None:
    """The pattern's text and flags where both are constant; None where not. Raises Decline where it is invalid."""
    text, flags = _text(module, found.pattern), _flags(module, found.flags)
    if text is None or flags is None or not (found.compile or not found.dropped):
        return None
    try:
        re.compile(text, flags)
    except (re.error, ValueError, OverflowError, TypeError) as error:
        raise Decline(Why.NO_PATTERN, f"{module.at(found.call)}: the pattern is invalid ({error})") from error
    return text, flags


def _text(module: Module, node: ast.expr, depth: int = 5) -> str | bytes | None:  # noqa: PLR0911 - one for each node
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value
    if isinstance(node, ast.Name) and depth:
        value = _constant(module, node)
        return _text(module, value, depth - 1) if value is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(module, node.left, depth), _text(module, node.right, depth)
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        return left + right if isinstance(left, bytes) and isinstance(right, bytes) else None
    if isinstance(node, ast.Call) and depth:
        return _joined(module, node, depth)
    if isinstance(node, ast.JoinedStr) and depth:
        parts = [_piece(module, each, depth) for each in node.values]
        return None if None in parts else "".join(part for part in parts if part)
    return None


def _joined(module: Module, node: ast.Call, depth: int) -> str | None:
    """`"|".join(NAMES)` of a tuple, which nobody can change."""
    glue = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "join" else None
    given = node.args[0] if len(node.args) == 1 else None
    parts = _constant(module, given) if isinstance(given, ast.Name) else given
    if not isinstance(glue, ast.Constant) or not isinstance(glue.value, str) or not isinstance(parts, ast.Tuple):
        return None
    texts = [_text(module, each, depth - 1) for each in parts.elts]
    strings = [text for text in texts if isinstance(text, str)]
    return glue.value.join(strings) if len(strings) == len(texts) else None


def _piece(module: Module, node: ast.expr, depth: int) -> str | None:
    if isinstance(node, ast.FormattedValue):
        if node.conversion != -1 or node.format_spec is not None:
            return None
        node = node.value
    text = _text(module, node, depth - 1)
    return text if isinstance(text, str) else None


def _constant(module: Module, name: ast.Name) -> ast.expr | None:
    """The value of a module constant: assigned once in the file, at its top level, and not hidden by a local."""
    node = module.top.get(name.id)
    once = len(module.bindings.get(name.id, ())) == 1
    return node.value if isinstance(node, ast.Assign) and once else None


def _flags(module: Module, node: ast.expr | None) -> int | None:
    if node is None:
        return 0
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return FLAGS.get(node.attr) if module.imports.get(node.value.id) == "re" else None
    if isinstance(node, ast.Name):
        return FLAGS.get(module.imports.get(node.id, "").removeprefix("re."))
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.Add)):
        left, right = _flags(module, node.left), _flags(module, node.right)
        return left | right if left is not None and right is not None else None
    return None


def local_pattern(function: Function, found: Pattern, repository: Repository) -> None:
    """Raises Decline unless a pattern that is not constant is made of literals and `re.escape(…)` only."""
    place = function.module.at(found.call)
    if not isinstance(found.pattern, (ast.JoinedStr, ast.BinOp, ast.Call)) or not found.compile:
        raise Decline(Why.NOT_INVARIANT, f"{place}: the pattern is not written where it is used")
    if _flags(function.module, found.flags) is None:
        raise Decline(Why.NOT_INVARIANT, f"{place}: the flags are not constant")
    text = _escaped(function.module, repository, found.pattern)
    if text is None:
        raise Decline(Why.NOT_INVARIANT, f"{place}: the pattern is made of more than literals and re.escape()")
    try:
        re.compile(text, _flags(function.module, found.flags) or 0)
    except re.error as error:
        raise Decline(Why.NO_PATTERN, f"{place}: the pattern is invalid ({error})") from error


def _escaped(module: Module, repository: Repository, node: ast.expr) -> str | None:
    """The pattern with an `x` for each `re.escape(…)`."""
    if isinstance(node, ast.Call):
        plain = len(node.args) == 1 and isinstance(node.args[0], (ast.Name, ast.Attribute)) and not node.keywords
        return "x" if plain and repository.dotted(module, node.func) == "re.escape" else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _escaped(module, repository, node.left), _escaped(module, repository, node.right)
        return left + right if left is not None and right is not None else None
    if isinstance(node, ast.JoinedStr):
        parts = [_escaped(module, repository, each) for each in node.values]
        return None if None in parts else "".join(part for part in parts if part)
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return _escaped(module, repository, node.value)
    text = _text(module, node)
    return text if isinstance(text, str) else None

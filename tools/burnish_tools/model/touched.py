"""Which functions a change of text touches."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from burnish.finding import Finding
from burnish.job import FileEdit

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def touched(edits: Sequence[FileEdit], finding: Finding) -> tuple[str, ...]:
    """`module:Qualified.name` of every function, sorted, whose own lines differ, or that is only there before or after.

    Module names are made from paths the way the finding's is: `src/shop/views.py` with `shop.views:…` tells that the
    other modules begin below `src/` too.
    """
    above = _dotted(finding.file).removesuffix(finding.function.split(":")[0])
    names: set[str] = set()
    for edit in edits:
        if edit.path.endswith(".py"):
            before, after = _own_lines(edit.before or ""), _own_lines(edit.after)
            differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            names |= {f"{_dotted(edit.path).removeprefix(above)}:{name}" for name in differ}
    return tuple(sorted(names))


def _own_lines(text: str) -> dict[str, list[str]]:
    """The lines of each function without those of the functions inside it."""
    lines = text.split("\n")
    owner: dict[int, str] = {}
    for name, numbers in _functions(ast.parse(text), ""):  # outer ones first, so that the inner ones win
        owner.update(dict.fromkeys(numbers, name))
    own: dict[str, list[str]] = {}
    for number, name in sorted(owner.items()):
        own.setdefault(name, []).append(lines[number - 1])
    return own


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, range]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            yield prefix + child.name, range(first, (child.end_lineno or first) + 1)
            yield from _functions(child, f"{prefix}{child.name}.<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

"""Imports that an edit needs: the one that is there, or a new line where it belongs."""

from __future__ import annotations

import ast
import sys

from burnish.why import Why
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.names import known
from burnish_tools.recipes.source.repo import Decline, Module


def reach(edits: Edits, library: str, name: str = "") -> str:
    """How the file writes `library.name` (or `library`): by its own imports, or by one that is added. Raises Decline
    where the name stands for something else already."""
    module = edits.module
    dotted = f"{library}.{name}" if name else library
    for local, what in sorted(module.imports.items()):
        if what == dotted and known(module, ast.Name(local)):
            return local
        if name and what == library and known(module, ast.Name(local)):
            return f"{local}.{name}"
    wanted = name or library
    if wanted in module.bindings or "*" in module.bindings:
        raise Decline(Why.AMBIGUOUS, f"{module.path} uses the name {wanted} for something else")
    _add(edits, library, f"from {library} import {name}" if name else f"import {library}", plain=not name)
    return wanted


def _add(edits: Edits, library: str, line: str, *, plain: bool) -> None:
    """Among the imports of the standard library, sorted as isort does: plain imports first, then `from`."""
    module = edits.module
    there = [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom)) and _root(node)]
    ours = [node for node in there if _root(node) in sys.stdlib_module_names and _root(node) != "__future__"]
    before = [node for node in ours if (not _is_plain(node), _name(node)) < (not plain, library)]
    if before:
        edits.after(before[-1], line)
    elif ours:
        edits.before(ours[0], line)
    elif rest := [node for node in _imports(module) if _root(node) != "__future__"]:
        edits.before(rest[0], line, blank_line=True)
    else:
        _add_first(edits, line)


def _add_first(edits: Edits, line: str) -> None:
    body = edits.module.tree.body
    top = [node for node in body if isinstance(node, ast.ImportFrom) and _root(node) == "__future__"]
    text = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    if not top and not text:
        raise Decline(Why.NO_PATTERN, f"{edits.module.path} has no import and no docstring under which one could go")
    edits.after(top[-1] if top else body[0], line, blank_line=True)


def _imports(module: Module) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]


def _is_plain(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.Import)


def _name(node: ast.Import | ast.ImportFrom) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else node.module or ""


def _root(node: ast.Import | ast.ImportFrom) -> str:
    """The package that is imported from; empty for a relative import."""
    return "" if isinstance(node, ast.ImportFrom) and node.level else _name(node).split(".")[0]


def drop_unused(edits: Edits, used: ast.expr) -> None:
    """Takes the import of a name out where `used`, which an edit replaces, is the only place that uses it."""
    module = edits.module
    root = used
    while isinstance(root, ast.Attribute):
        root = root.value
    name = root.id if isinstance(root, ast.Name) else ""
    places = [node for node in module.mentions.get(name, ()) if isinstance(node, ast.Name)]
    quoted = f'"{name}"' in module.text or f"'{name}'" in module.text
    bound = module.bindings.get(name, [])
    statement = module.parents[bound[0]] if len(bound) == 1 else None
    if len(places) != 1 or quoted or not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return
    if len(statement.names) == 1 and statement in module.tree.body:
        try:
            edits.remove(statement)
        except Decline:
            return  # an import too many is better than a comment too few

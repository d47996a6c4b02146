"""Names of SQLAlchemy that an edit needs: as the file writes them, or by an import that is added."""

from __future__ import annotations

import ast

from burnish.why import Why
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.repo import Decline


def imported(edits: Edits, library: str, name: str) -> str:
    """How the file writes `library.name`; an import is added among those of SQLAlchemy where it has none. Raises
    Decline where it has none at all, or the name stands for something else."""
    module = edits.module
    for local, dotted in module.imports.items():
        if dotted == f"{library}.{name}":
            return local
        if dotted == library:
            return f"{local}.{name}"
    taken = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)} | set(module.top)
    if name in taken | set(module.imports):
        raise Decline(Why.AMBIGUOUS, f"{module.path} uses the name {name} for something else")
    own = [node for node in module.tree.body if isinstance(node, ast.ImportFrom) and not node.level]
    there = [node for node in own if (node.module or "").partition(".")[0] == "sqlalchemy"]
    if not there:
        raise Decline(Why.NO_PATTERN, f"{module.path} imports nothing from sqlalchemy, so the place is not known")
    before = [node for node in there if (node.module or "") <= library]
    if before:
        edits.after(before[-1], f"from {library} import {name}")
    else:
        edits.before(there[0], f"from {library} import {name}")
    return name

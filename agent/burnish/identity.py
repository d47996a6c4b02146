"""What tells a changed function from a moved one: the hash of its body, as `docs/format.md` defines it."""

from __future__ import annotations

import ast
import copy
import hashlib


def body_hash(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The first 16 hex digits of SHA-256 over `ast.dump` of a function without docstring, name and decorators.

    Positions are not dumped, so it survives moves and renames. `ast.dump` differs between minor versions of Python:
    compare only hashes that were taken on the same one.
    """
    bare = copy.copy(node)
    bare.name = ""
    bare.decorator_list = []
    if ast.get_docstring(node, clean=False) is not None:
        bare.body = node.body[1:]
    return hashlib.sha256(ast.dump(bare).encode()).hexdigest()[:16]

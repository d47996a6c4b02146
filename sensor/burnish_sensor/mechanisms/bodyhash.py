"""The hash of a function's body. A module of its own, for it loads much and only the flush thread needs it."""

from __future__ import annotations

import ast
import copy
import hashlib
from typing import Union

_LEFT_OUT = frozenset({"ctx", "kind", "type_comment"})
FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]


def function_at(lines: list[str], line: int, end_line: int) -> str:
    """The hash of the function whose ``def`` is on ``line`` and which ends on ``end_line``; "" if none is.

    Only the function is parsed: the parser does not give the GIL up, and takes 10 ms for a large module.
    """
    text = "\n".join(lines[line - 1 : end_line])
    first = 1
    if text[:1].isspace():  # it stays where it is indented: a string in it may have lines of its own
        text, first = "if 1:\n" + text, 2
    tree = _parsed(text)
    if tree is None:  # from before the function: ";", or a line continued by a backslash
        tree, first = _parsed("\n".join(lines)), line
    nodes = ast.walk(tree) if tree is not None else ()
    found = (node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return next((body_hash(node) for node in found if node.lineno == first), "")


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):  # a warning may be an error here (-W error)
        return None


def body_hash(node: FunctionNode) -> str:
    """The first 16 hex digits of SHA-256 over the canonical text of a function.

    Its docstring and decorators are taken away and its name is emptied. So the hash survives moves and renames, and it
    is the same on every Python.
    """
    bare = copy.copy(node)
    bare.name = ""
    bare.decorator_list = []
    if ast.get_docstring(node, clean=False) is not None:
        bare.body = node.body[1:]
    return hashlib.sha256(canonical(bare).encode()).hexdigest()[:16]


def canonical(value: object) -> str:
    """A syntax tree as text that is the same on every Python: no positions, no empty field, no `ctx`."""
    if isinstance(value, ast.JoinedStr):  # 3.12.0 and 3.12.1 put empty constants into its format, others do not
        value = ast.JoinedStr([part for part in value.values if getattr(part, "value", None) != ""])
    if isinstance(value, ast.AST):
        fields = [
            f"{name}={canonical(field)}"
            for name, field in ast.iter_fields(value)
            if name not in _LEFT_OUT and field is not None and field != []
        ]
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, list):
        return f"[{','.join(canonical(item) for item in value)}]"
    return repr(value)

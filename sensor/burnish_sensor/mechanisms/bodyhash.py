"""The hash of a function's body. A module of its own, for it loads much and only the flush thread needs it."""

from __future__ import annotations

import ast
import copy
import hashlib
from typing import Callable, Union, cast

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
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def _write(value: object, put: Callable[[str], None]) -> None:
    kind = type(value)
    fields = _FIELDS.get(kind)
    if fields is not None:
        _write_node(value, kind, fields, put)
    elif kind is list:
        put("[")
        for number, item in enumerate(cast("list[object]", value)):
            if number:
                put(",")
            _write(item, put)
        put("]")
    else:
        put(repr(value))


def _write_node(node: object, kind: type, fields: tuple[tuple[str, str], ...], put: Callable[[str], None]) -> None:
    put(kind.__name__ + "(")
    separator = ""
    for name, label in fields:
        field = getattr(node, name, None)
        if kind is ast.JoinedStr:  # 3.12.0 and 3.12.1 put empty constants into its format, others do not
            field = [part for part in cast("list[object]", field) if getattr(part, "value", None) != ""]
        if field is None or field == []:
            continue
        put(separator + label)
        separator = ","
        if type(field) is str:
            put(repr(field))
        else:
            _write(field, put)
    put(")")


def _fields_of(kind: type[ast.AST]) -> tuple[tuple[str, str], ...]:
    return tuple((name, name + "=") for name in kind._fields if name not in _LEFT_OUT)


#: the fields of each class of nodes, with what is written before their values
_FIELDS: dict[type, tuple[tuple[str, str], ...]] = {
    kind: _fields_of(kind) for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
}

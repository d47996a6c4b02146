"""What tells a changed function from a moved one: the hash of its body, as `docs/format.md` defines it."""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence

from burnish.profile import FunctionStats

DISTINCTIVE_LINES = 4
"""Lines (the `def` included) from which a body says who it is. The hash leaves names of variables in and docstrings
out: a getter, a `pass` or a one-line delegation is the same in many places."""
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment"})


def body_hash(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The first 16 hex digits of SHA-256 over the canonical text of a function without docstring, name and decorators.

    It survives moves and renames, and is the same on every Python.
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


def lineage(releases: Sequence[Iterable[FunctionStats]]) -> Mapping[str, tuple[str, ...]]:
    """Earlier names of the functions that were renamed or moved, the latest first; others are not in it.

    `releases` are what ran in each, oldest first. A function goes by its name; where a name appears in a release and
    another was seen last in the one before, they are one function if their bodies have the same hash, if no other of
    those that vanished or appeared has it, and if the body is long enough to be distinctive. Else it is unknown.
    """
    earlier: dict[str, tuple[str, ...]] = {}
    sides = [{f.function: f for f in functions} for functions in releases]
    for place in range(1, len(sides)):
        before, now = sides[place - 1], sides[place]
        later = {name for side in sides[place:] for name in side}
        known = {name for side in sides[:place] for name in side}
        gone = _by_body(f for name, f in before.items() if name not in later)
        new = _by_body(f for name, f in now.items() if name not in known)
        for body, (name, *others) in new.items():
            if not others and len(gone.get(body, ())) == 1:
                old = gone[body][0]
                earlier[name] = (old, *earlier.pop(old, ()))
    return earlier


def _by_body(functions: Iterable[FunctionStats]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for f in functions:
        if f.body and f.end_line - f.line + 1 >= DISTINCTIVE_LINES:
            found.setdefault(f.body, []).append(f.function)
    return found

"""Calls drawn from annotations by Hypothesis, where it is installed beside Burnish and the types are plain.

    def matched(names: list[str], known: dict[str, int] | None = None) -> ...

The values are made here, of Python's own types only, and handed to the service's processes as pickles.
"""

from __future__ import annotations

import ast
import base64
import pickle
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

MAX_SIZE = 12
WHOLE = 10_000
"""Bound of whole numbers: an argument may say how often to do something."""


def drawn(parameters: Sequence[Mapping[str, Any]], count: int, seed: int) -> list[str]:
    """At most `count` distinct calls, as pickles in base64; none where a required parameter's type is not plain."""
    try:
        from hypothesis import HealthCheck, Phase, given, settings, strategies
        from hypothesis import seed as seeded
    except ImportError:
        return []
    known = {str(p["name"]): strategy(str(p["type"])) for p in parameters if not p["kind"].startswith("VAR_")}
    if not known or any(p["required"] and known.get(str(p["name"])) is None for p in parameters):
        return []
    chosen = {name: one for name, one in known.items() if one is not None}
    found: dict[str, None] = {}

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.fixed_dictionaries(chosen))
    def collect(values: dict[str, Any]) -> None:
        found[_pickled(parameters, values)] = None

    collect()
    return list(found)[:count]


def _pickled(parameters: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> str:
    """Positional where they may be: as most callers write them."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter in parameters:
        name = str(parameter["name"])
        if name not in values:
            continue
        positional = parameter["kind"] != "KEYWORD_ONLY" and not kwargs and len(args) == _place(parameters, name)
        if positional:
            args.append(values[name])
        else:
            kwargs[name] = values[name]
    return base64.b64encode(pickle.dumps((tuple(args), kwargs), protocol=4)).decode("ascii")


def _place(parameters: Sequence[Mapping[str, Any]], name: str) -> int:
    return [p["name"] for p in parameters].index(name)


def strategy(annotation: str) -> SearchStrategy[Any] | None:
    """For an annotation as it is written; None where it is not a plain type."""
    try:
        return _of(ast.parse(annotation, mode="eval").body)
    except SyntaxError:
        return None


def _of(node: ast.expr) -> SearchStrategy[Any] | None:
    if isinstance(node, ast.Constant):
        return _single("None") if node.value is None else strategy(node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either(_of(node.left), _of(node.right))
    if isinstance(node, ast.Subscript):
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _several(_name(node.value), inside)
    return _single(_name(node))


def _name(node: ast.expr) -> str:
    """`typing.List` and `collections.abc.Sequence` by their last part."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _single(name: str) -> SearchStrategy[Any] | None:
    from hypothesis import strategies as st

    return {
        "int": st.integers(-WHOLE, WHOLE),
        "float": st.floats(),
        "str": st.text(max_size=MAX_SIZE),
        "bytes": st.binary(max_size=MAX_SIZE),
        "bool": st.booleans(),
        "None": st.none(),
    }.get(name)


def _either(one: SearchStrategy[Any] | None, other: SearchStrategy[Any] | None) -> SearchStrategy[Any] | None:
    return None if one is None or other is None else one | other


def _several(name: str, inside: Sequence[ast.expr]) -> SearchStrategy[Any] | None:
    from hypothesis import strategies as st

    parts = [_of(node) for node in inside if not (isinstance(node, ast.Constant) and node.value is ...)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known:
        return None
    first, name = known[0], name.lower()
    if name in ("list", "sequence", "iterable", "collection"):
        return st.lists(first, max_size=MAX_SIZE)
    if name in ("set", "frozenset"):
        return (st.sets if name == "set" else st.frozensets)(first, max_size=MAX_SIZE)
    if name == "tuple":
        return st.lists(first, max_size=MAX_SIZE).map(tuple) if len(inside) > len(parts) else st.tuples(*known)
    if name in ("dict", "mapping") and len(known) == 2:
        return st.dictionaries(known[0], known[1], max_size=MAX_SIZE)
    return _either(first, st.none()) if name == "optional" else None

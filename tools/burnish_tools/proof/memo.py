"""Finds state that outlives a call: what a function could remember from one request to the next.

Such a memo makes a benchmark look splendid and serves stale data in production. Caches that live as long as one
instance (`cached_property`) or one call (a local dictionary) are fine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

CACHING = frozenset(
    {"cache", "lru_cache", "alru_cache", "memoize", "memoized", "cachedmethod", "ttl_cache", "cache_page"}
)
CACHE_MODULES = frozenset({"django.core.cache", "cachetools", "diskcache", "joblib", "shelve", "dbm", "contextvars"})
MAKES_MUTABLE = frozenset(
    {"dict", "list", "set", "bytearray", "defaultdict", "OrderedDict", "Counter", "deque", "ChainMap"}
    | {"WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "SimpleNamespace", "local"}
)
MUTATES = frozenset({"setdefault", "append", "add", "update", "extend", "insert", "appendleft", "__setitem__"})
MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def memory_across_calls(tree: ast.Module) -> Iterator[str]:
    """One description for each place where something is kept; the same place gives the same text."""
    yield from _kept_in_body(tree.body, "module")
    outer = {name for node in tree.body for name in _bound(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _cache_imports(node)
        elif isinstance(node, ast.Attribute) and node.attr in CACHING:
            yield f"use of {node.attr}"
        elif isinstance(node, ast.Global):
            yield f"global {', '.join(node.names)}"
        elif isinstance(node, ast.ClassDef):
            yield from _kept_in_body(node.body, f"class {node.name}")
        elif isinstance(node, Function):
            yield from _mutable_defaults(node)
            yield from _stores_outside(node, outer)


def _kept_in_body(body: list[ast.stmt], where: str) -> Iterator[str]:
    """A mutable value bound in a module or class body; a model's Meta holds declarations, not state."""
    for node in body if where != "class Meta" else ():
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and value is not None and _is_mutable(value):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield f"mutable {where} variable {ast.unparse(target)}"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return name in MAKES_MUTABLE
    return isinstance(value, MUTABLE)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement of the module body binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    else:
        yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def _cache_imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        yield from (f"import of {name}" for name in names if name in CACHE_MODULES)
    elif node.module in CACHE_MODULES:
        yield f"import of {node.module}"
    elif node.module == "functools":
        yield from (f"import of {name}" for name in names if name in CACHING)


def _mutable_defaults(node: Function) -> Iterator[str]:
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    yield from (f"mutable default {ast.unparse(d)}" for d in defaults if _is_mutable(d))


def _stores_outside(node: Function, outer: set[str]) -> Iterator[str]:
    """`NAME.attribute = …`, `NAME[key] = …`, `NAME.append(…)` where NAME is the module's and not the function's."""
    own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = node.args
    own |= {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    shared = outer - own
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and isinstance(inner.ctx, ast.Store):
            text = ast.unparse(inner)
            if _root(inner) in shared | {"cls"} or text.startswith("type(") or "__class__" in text:
                yield f"store into {text}"
        elif isinstance(inner, ast.Call) and _mutates(inner, shared):
            yield f"call of {ast.unparse(inner.func)}"


def _mutates(call: ast.Call, shared: set[str]) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr in MUTATES and function.value.id in shared
    return isinstance(function, ast.Name) and function.id == "setattr" and _root(call.args[0]) in shared | {"cls"}


def _root(node: ast.expr) -> str:
    """The name at the beginning of `name.a[b].c`, or nothing."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""

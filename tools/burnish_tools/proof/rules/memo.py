"""Rule `memo`: no state that outlives a call, nothing a function could remember from one request to the next.

Such a memo makes a benchmark look splendid and serves stale data in production. What lives as long as one call (a local
dictionary) or as an object that the caller made (`self.total = 0`) is fine, and is what an honest speed-up needs.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Sides, calls, dotted, root

CACHING = frozenset(
    {"cache", "lru_cache", "alru_cache", "memoize", "memoized", "cachedmethod", "ttl_cache", "cache_page"}
)
CACHE_MODULES = frozenset({"django.core.cache", "cachetools", "diskcache", "joblib", "shelve", "dbm", "contextvars"})
MAKES_MUTABLE = frozenset(
    {"dict", "list", "set", "bytearray", "defaultdict", "OrderedDict", "Counter", "deque", "ChainMap"}
    | {"WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "SimpleNamespace", "local"}
)
MUTATES = frozenset({"setdefault", "append", "add", "update", "extend", "insert", "appendleft", "__setitem__"})
OF_MANAGERS = ("objects", "_default_manager", "_base_manager", "query", "session")
WRITES_FILES = frozenset({"open", "write_text", "write_bytes", "mkstemp", "mkdtemp", "NamedTemporaryFile", "connect"})
SHARED_PARTS = ("__class__", "_meta", "session", "environ", "META", "resolver_match")
"""Parts of an argument that live longer than the call."""
MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def memo_rules(sides: Sides) -> Iterator[Broken]:
    """Each place where something is kept that was not kept before."""
    kept = Counter(memory_across_calls(sides.new)) - Counter(memory_across_calls(sides.old))
    for what in sorted(kept):
        line = next(line for text, line in _places(sides.new) if text == what)
        yield Broken("memo", f"{what}: a memo across calls without invalidation", line)


def memory_across_calls(tree: ast.Module) -> Iterator[str]:
    """One description for each place where something is kept; the same place gives the same text."""
    yield from (text for text, _ in _places(tree))


def _places(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The same with lines."""
    outer = {name for node in tree.body for name in _bound(node)}
    yield from _kept_in_body(tree.body, "module")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _kept_in_body(node.body, f"class {node.name}")
        elif isinstance(node, Function):
            found = [*_mutable_defaults(node), *_stores_outside(node, outer)]
            yield from ((text, node.lineno if line == 0 else line) for text, line in found)
        else:
            line = getattr(node, "lineno", 0)
            yield from ((text, line) for text in _of_node(node))


def _of_node(node: ast.AST) -> Iterator[str]:
    """What a single statement or expression shows."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _cache_imports(node)
    elif isinstance(node, ast.Attribute) and node.attr in CACHING:
        yield f"use of {node.attr}"
    elif isinstance(node, ast.Global):
        yield f"global {', '.join(node.names)}"
    elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in WRITES_FILES:
        yield f"a file or connection of its own, {ast.unparse(node.func)}"


def _kept_in_body(body: list[ast.stmt], where: str) -> Iterator[tuple[str, int]]:
    """A mutable value bound in a module or class body; a model's Meta holds declarations, not state."""
    for node in body if where != "class Meta" else ():
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and value is not None and _is_mutable(value):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield f"mutable {where} variable {ast.unparse(target)}", node.lineno


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return dotted(value.func).rpartition(".")[2] in MAKES_MUTABLE
    return isinstance(value, MUTABLE)


def _bound(node: ast.AST) -> Iterator[str]:
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
    elif node.module in ("functools", "django.core"):
        yield from (f"import of {name}" for name in names if name in CACHING)


def _mutable_defaults(node: Function) -> Iterator[tuple[str, int]]:
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    yield from ((f"mutable default {ast.unparse(d)}", 0) for d in defaults if _is_mutable(d))


def _stores_outside(node: Function, outer: set[str]) -> Iterator[tuple[str, int]]:
    """`NAME.attribute = …`, `NAME[key] = …`, `NAME.append(…)` where NAME is the module's and not the function's."""
    shared = _shared(node, outer)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and isinstance(inner.ctx, ast.Store):
            text = ast.unparse(inner)
            parts = dotted(inner.value).split(".")
            if root(inner) in shared or text.startswith("type(") or any(p in parts for p in SHARED_PARTS):
                yield f"store into {text}", inner.lineno
    for _, call in calls(node):
        if _mutates(call, shared):
            yield f"call of {ast.unparse(call.func)}", call.lineno


def _shared(node: Function, outer: set[str]) -> set[str]:
    """Names that stand for things of the module, of its imports or of classes, also by another name in the function."""
    arguments = node.args
    own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    shared = (outer - own) | {"cls"}
    shared |= {name for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom) for name in _bound(n)}
    aliases = list(_aliases(node))
    for _ in aliases:
        shared |= {name for name, source in aliases if source in shared}
    return shared


def _aliases(node: Function) -> Iterator[tuple[str, str]]:
    """(name, what it stands for) of `name = other.part[key]` and of `for name in other.part`."""
    for inner in ast.walk(node):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(inner, ast.Assign):
            pairs = [(target, inner.value) for target in inner.targets]
        elif isinstance(inner, ast.NamedExpr | ast.For):
            pairs = [(inner.target, inner.value if isinstance(inner, ast.NamedExpr) else inner.iter)]
        for target, value in pairs:
            if isinstance(target, ast.Name):
                yield target.id, _stands_for(value)


def _stands_for(value: ast.expr) -> str:
    """The name at the beginning of a chain; also through `getattr`, `vars`, `type` and `setdefault`."""
    if isinstance(value, ast.Call):
        name = dotted(value.func)
        if name in ("getattr", "vars", "type") and value.args:
            return "cls" if name == "type" else root(value.args[0])
        return name.partition(".")[0] if name.endswith(".setdefault") else ""
    return root(value)


def _mutates(call: ast.Call, shared: set[str]) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute):
        managed = any(part in OF_MANAGERS for part in dotted(function.value).split("."))
        chain = isinstance(function.value, ast.Name | ast.Attribute | ast.Subscript)
        return function.attr in MUTATES and chain and not managed and root(function.value) in shared
    sets = isinstance(function, ast.Name) and function.id == "setattr" and bool(call.args)
    return sets and (root(call.args[0]) in shared or isinstance(call.args[0], ast.Call))

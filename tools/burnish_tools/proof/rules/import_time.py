"""Rule `import`: no work at import time.

What a module computes while it is imported is paid by every process at its start, is never measured by a replay, and
is a memory that no request can refresh. Constants are fine: a compiled pattern, a frozen set, a decimal, made from
literals and names. A loop, a query or a call of the service's own code is not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from burnish_tools.proof.rules.text import Broken, Function, Sides, Thing, added, dotted

RULE = "import"
CONSTANTS = frozenset(
    {"re.compile", "compile", "re.escape", "escape", "frozenset", "tuple", "Decimal", "decimal.Decimal", "Fraction"}
    | {"timedelta", "datetime.timedelta", "str.maketrans", "struct.Struct", "Struct", "attrgetter", "itemgetter"}
    | {"methodcaller", "operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "namedtuple", "TypeVar"}
    | {"collections.namedtuple", "logging.getLogger", "getLogger", "sorted", "len", "MappingProxyType", "Path"}
    | {"itemgetter", "text", "bindparam", "sqlalchemy.text", "object", "str", "int", "bytes", "NamedTuple", "Prefetch"}
)
DECLARATIVE = frozenset({"models", "Index", "UniqueConstraint", "CheckConstraint", "mapped_column", "relationship"})
DECLARATIVE |= {"Column", "ForeignKey", "field", "Field", "migrations", "sa", "F", "Q"}
METHODS_OF_TEXT = frozenset({"join", "format", "strip", "lower", "upper", "encode", "split"})
DECORATORS = frozenset({"property", "staticmethod", "classmethod", "dataclass", "dataclasses.dataclass", "overload"})
WORK = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def import_time_rules(sides: Sides) -> Iterator[Broken]:
    """Each new statement that works while the module is imported."""
    for thing in added(_work(sides.old.body), _work(sides.new.body)):
        yield Broken(RULE, f"work at import time, {thing.text}", thing.line)


def _work(body: list[ast.stmt]) -> Iterator[Thing]:
    """Of a module's or class's body, with nested blocks; bodies of functions do not run."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _work(node.body)
            yield from (_thing(d) for d in node.decorator_list if not _decorates(d))
        elif isinstance(node, Function):
            yield from (_thing(d) for d in node.decorator_list if not _decorates(d))
            defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            yield from (_thing(d) for d in defaults if not _is_constant(d))
        elif isinstance(node, ast.If):
            yield from _work([*node.body, *node.orelse])
            yield from () if _is_constant(node.test) else (_thing(node.test),)
        elif isinstance(node, WORK):
            yield _thing(node)
        elif isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            yield from () if _is_constant(node.value) else (_thing(node),)


def _thing(node: ast.AST) -> Thing:
    text = " ".join(ast.unparse(node).split())
    return Thing(f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`", getattr(node, "lineno", 0))


def _decorates(node: ast.expr) -> bool:
    return dotted(node) in DECORATORS


def _is_constant(node: ast.expr) -> bool:
    """Made of literals and names by calls that only build a value."""
    if any(isinstance(n, (*COMPREHENSIONS, ast.Await, ast.Yield, ast.NamedExpr)) for n in ast.walk(node)):
        return False
    return all(_builds(n) for n in ast.walk(node) if isinstance(n, ast.Call))


def _builds(call: ast.Call) -> bool:
    name = dotted(call.func)
    if name.partition(".")[0] in DECLARATIVE or name in CONSTANTS or name.endswith(".compile"):
        return not any(_counts(a) for a in call.args)
    return isinstance(call.func, ast.Attribute) and call.func.attr in METHODS_OF_TEXT and _is_text(call.func.value)


def _counts(node: ast.expr) -> bool:
    """`range(10**7)` and the like: a builtin that makes many from few."""
    return isinstance(node, ast.Call) and hasattr(builtins, dotted(node.func)) and dotted(node.func) not in CONSTANTS


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.Name)

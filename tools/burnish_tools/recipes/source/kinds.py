"""Which expressions are certainly `str` or `int`: plain, hashable, compared by value."""

from __future__ import annotations

import ast

from burnish_tools.recipes.source.chains import peel, unwrap
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.models import Field, Model
from burnish_tools.recipes.source.names import binders, is_builtin, is_read, loads, method_call, only_value
from burnish_tools.recipes.source.querysets import Querysets
from burnish_tools.recipes.source.repo import Decline

TEXT_FIELDS = frozenset(("CharField", "TextField", "SlugField", "EmailField", "URLField"))
NUMBER_FIELDS = frozenset((
    "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField",
    "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField",
))  # fmt: skip
TEXT_METHODS = frozenset((
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "casefold", "swapcase", "replace",
    "removeprefix", "removesuffix", "zfill", "join", "format", "ljust", "rjust", "center",
))  # fmt: skip
CASTS = {"str": "str", "repr": "str", "chr": "str", "int": "int", "len": "int", "ord": "int", "hash": "int"}
TAKES = frozenset((
    "index", "count", "copy", "sort", "reverse", "pop", "popleft", "remove", "discard", "clear",
))  # fmt: skip
"""Methods of collections that put nothing in."""
MAX_STEPS = 5


class Kinds:
    """Kinds of expressions in one function: `str`, `int`, or nothing where it is not certain."""

    def __init__(self, function: Function, querysets: Querysets | None = None) -> None:
        """Without `querysets` nothing is said of columns, which may hold NULL."""
        self.function = function
        self.querysets = querysets

    def of(self, node: ast.expr, depth: int = MAX_STEPS) -> str:  # noqa: PLR0911 - one for each kind of node
        """`str` or `int` (or None in a column that may be null); empty where neither is certain."""
        if depth == 0:
            return ""
        if isinstance(node, ast.Constant):
            return type(node.value).__name__ if type(node.value) in (str, int) else ""
        if isinstance(node, ast.JoinedStr):
            return "str"
        if isinstance(node, ast.IfExp):
            return self._same(node.body, node.orelse, depth)
        if isinstance(node, ast.BinOp):
            return self._operation(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        return self._name(node, depth) if isinstance(node, ast.Name) else ""

    def elements(self, node: ast.expr, depth: int = MAX_STEPS) -> str:  # noqa: PLR0911 - as above
        """The kind of what iterating over an expression gives."""
        if depth == 0:
            return ""
        node, _ = unwrap(node)
        while isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            node = node.value
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            kinds = {self.of(each, depth - 1) for each in node.elts}
            return kinds.pop() if len(kinds) == 1 else ""
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return self.of(node.elt, depth - 1)
        if isinstance(node, ast.Name):
            return self._filled(node.id, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            return "int"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("split", "rsplit", "splitlines"):
                return "str" if self.of(node.func.value, depth - 1) == "str" else ""
            return self._column(node)
        return ""

    def _filled(self, name: str, depth: int) -> str:
        """Of a local that is assigned once: what it began with and all that was put into it since."""
        once = only_value(self.function, name)
        if once is None:
            return ""
        value = once[1]
        empty = (isinstance(value, ast.List) and not value.elts) or (
            bool(is_builtin(self.function.module, getattr(value, "func", value), ("list",)))
            and not getattr(value, "args", [value])
        )
        kinds = set() if empty else {self.elements(value, depth - 1)}
        if not (isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and self._column(value)):
            put_in = (self._put_in(node, depth) for node in loads(self.function, name))
            kinds |= {kind for kind in put_in if kind is not None}
        return kinds.pop() if len(kinds) == 1 else ""

    def _put_in(self, node: ast.Name, depth: int) -> str | None:
        """The kind of what one use of a collection puts into it; None where it only reads or takes away."""
        module = self.function.module
        call = method_call(module, node)
        if call is not None and isinstance(call.func, ast.Attribute):
            if call.func.attr in ("append", "add", "insert", "appendleft") and call.args:
                return self.of(call.args[-1], depth - 1)
            if call.func.attr == "extend" and len(call.args) == 1:
                return self.elements(call.args[0], depth - 1)
            return None if call.func.attr in TAKES else ""
        around = module.parents[node]
        shown = isinstance(around, (ast.Return, ast.Starred, ast.FormattedValue)) or (
            isinstance(around, ast.Call) and bool(is_builtin(module, around.func, ("print",)))
        )
        return None if shown or is_read(module, node) else ""

    def _same(self, one: ast.expr, other: ast.expr, depth: int) -> str:
        kind = self.of(one, depth - 1)
        return kind if kind == self.of(other, depth - 1) else ""

    def _operation(self, node: ast.BinOp, depth: int) -> str:
        if isinstance(node.op, ast.Mod) and self.of(node.left, depth - 1) == "str":
            return "str"
        whole = isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod))
        kind = self._same(node.left, node.right, depth) if whole else ""
        return kind if kind == "int" or isinstance(node.op, ast.Add) else ""

    def _call(self, node: ast.Call, depth: int) -> str:
        if isinstance(node.func, ast.Name):
            return CASTS.get(is_builtin(self.function.module, node.func, CASTS), "")
        if isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_METHODS:
            return "str" if self.of(node.func.value, depth - 1) == "str" else ""
        return ""

    def _attribute(self, node: ast.Attribute) -> str:
        row = self.querysets.instance(self.function, node.value) if self.querysets else None
        return field_kind(row.model, node.attr) if row else ""

    def _name(self, node: ast.Name, depth: int) -> str:
        kinds = {self._bound(each, node.id, depth) for each in binders(self.function, node.id)}
        return kinds.pop() if len(kinds) == 1 else ""

    def _bound(self, binder: ast.AST, name: str, depth: int) -> str:
        """The kind that one binding of a name gives it."""
        parents = self.function.module.parents
        around = parents[binder]
        if (
            isinstance(around, (ast.Assign, ast.AnnAssign))
            and isinstance(binder, ast.Name)
            and around.value is not None
        ):
            return self.of(around.value, depth - 1)
        if isinstance(around, ast.AugAssign) and isinstance(binder, ast.Name):
            kind = self.of(around.value, depth - 1)
            whole = isinstance(around.op, (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod))
            return kind if isinstance(around.op, ast.Add) or (kind == "int" and whole) else ""
        loop = around if isinstance(around, (ast.For, ast.comprehension)) else parents.get(around)
        if isinstance(loop, (ast.For, ast.comprehension)) and isinstance(binder, ast.Name):
            return self._looped(loop, name, depth)
        return ""

    def _looped(self, loop: ast.For | ast.comprehension, name: str, depth: int) -> str:
        _, target = unwrap(loop.iter, loop.target)
        if isinstance(target, ast.Name) and target.id == name:
            return self.elements(loop.iter, depth - 1)
        if isinstance(target, ast.Tuple) and all(isinstance(each, ast.Name) for each in target.elts):
            places = [place for place, each in enumerate(target.elts) if isinstance(each, ast.Name) and each.id == name]
            if len(places) != 1:
                return ""
            place = places[0]
            return self._tuple_column(loop.iter, place)
        return ""

    def _column(self, node: ast.expr) -> str:
        """The kind of `….values_list("name", flat=True)`."""
        _, steps = peel(self.function.module, node)
        last = next((step.node for step in reversed(steps) if step.name == "values_list"), None)
        if (
            not isinstance(last, ast.Call)
            or len(last.args) != 1
            or not any(each.arg == "flat" for each in last.keywords)
        ):
            return ""
        return self._listed(node, last.args[0])

    def _tuple_column(self, node: ast.expr, place: int) -> str:
        _, steps = peel(self.function.module, unwrap(node)[0])
        last = next((step.node for step in reversed(steps) if step.name == "values_list"), None)
        if not isinstance(last, ast.Call) or last.keywords or place >= len(last.args):
            return ""
        return self._listed(unwrap(node)[0], last.args[place])

    def _listed(self, node: ast.expr, column: ast.expr) -> str:
        if self.querysets is None:
            return ""
        try:
            model = self.querysets.feed(self.function, node).model
        except Decline:
            return ""
        text = column.value if isinstance(column, ast.Constant) and isinstance(column.value, str) else ""
        *path, name = text.split("__")
        for relation in path:
            field = model.fields.get(relation)
            if field is None or field.target is None or field.kind == "m2m":
                return ""
            model = field.target
        return field_kind(model, name)


def field_kind(model: Model, name: str) -> str:
    """The kind of a model's attribute, from the class of its field."""
    if name in ("pk", "id"):
        return _kind(model.pk)
    if name in model.fields and not model.fields[name].forward:
        return _kind(model.fields[name])
    relation = model.fields.get(name.removesuffix("_id"))
    if relation is not None and relation.forward and relation.target is not None and "to_field" not in relation.options:
        return _kind(relation.target.pk)
    return ""


def _kind(field: Field) -> str:
    if field.forward and field.target is not None:
        return _kind(field.target.pk)
    return "str" if field.kind in TEXT_FIELDS else "int" if field.kind in NUMBER_FIELDS else ""

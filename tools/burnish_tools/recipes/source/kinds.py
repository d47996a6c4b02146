"""Which expressions are certainly `str` or `int`: plain, hashable, compared by value."""

from __future__ import annotations

import ast

from burnish_tools.recipes.source.chains import assigned_values, peel, unwrap
from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.loops import bound_names
from burnish_tools.recipes.source.models import Field, Model
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
MAX_STEPS = 5


class Kinds:
    """Kinds of expressions in one function: `str`, `int`, or nothing where it is not certain."""

    def __init__(self, function: Function, querysets: Querysets) -> None:
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
            values = assigned_values(self.function, node.id)
            return self.elements(values[0], depth - 1) if values and len(values) == 1 else ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            return "int"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("split", "rsplit", "splitlines"):
                return "str" if self.of(node.func.value, depth - 1) == "str" else ""
            return self._column(node)
        return ""

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
            own = {*self.function.module.top, *self.function.module.imports, *self.function.parameters}
            builtin = node.func.id not in own | bound_names(self.function.node.body)
            return CASTS.get(node.func.id, "") if builtin else ""
        if isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_METHODS:
            return "str" if self.of(node.func.value, depth - 1) == "str" else ""
        return ""

    def _attribute(self, node: ast.Attribute) -> str:
        row = self.querysets.instance(self.function, node.value)
        return field_kind(row.model, node.attr) if row else ""

    def _name(self, node: ast.Name, depth: int) -> str:
        values = assigned_values(self.function, node.id)
        if values:
            kinds = {self.of(value, depth - 1) for value in values}
            return kinds.pop() if len(kinds) == 1 else ""
        loops = [each for each in self.function.nodes() if isinstance(each, (ast.For, ast.comprehension))
                 and node.id in {name.id for name in ast.walk(each.target) if isinstance(name, ast.Name)}]  # fmt: skip
        kinds = {self._looped(each, node.id, depth) for each in loops}
        return kinds.pop() if len(kinds) == 1 and node.id not in self.function.parameters else ""

    def _looped(self, loop: ast.For | ast.comprehension, name: str, depth: int) -> str:
        _, target = unwrap(loop.iter, loop.target)
        if isinstance(target, ast.Name) and target.id == name:
            return self.elements(loop.iter, depth - 1)
        if isinstance(target, ast.Tuple) and all(isinstance(each, ast.Name) for each in target.elts):
            place = [each.id for each in target.elts if isinstance(each, ast.Name)].index(name)
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

"""Functions of the repository that certainly do nothing but compute: the same result for the same arguments.

It is shown by induction. What goes in is certainly a string or a whole number; all that such a function makes of it
with operators, displays, builtins, methods of builtin types and other pure functions is of a builtin type too, and its
own. So no code of others runs, nothing outside is read that could change, and nothing outside is changed. Whatever is
not on the list below is not pure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish.why import Why
from burnish_tools.recipes.source.chains import returned_values
from burnish_tools.recipes.source.functions import Function, function_of
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.names import arguments, binders, is_builtin, known, module_constant
from burnish_tools.recipes.source.repo import Decline, Module, Repository

BUILTINS = frozenset((
    "abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "dict", "divmod", "enumerate", "float", "format",
    "frozenset", "hex", "int", "isinstance", "len", "list", "max", "min", "oct", "ord", "pow", "range", "repr",
    "reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip",
))  # fmt: skip
TYPES = frozenset(("bool", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"))
ERRORS = frozenset(("ArithmeticError", "AssertionError", "IndexError", "KeyError", "LookupError", "OverflowError",
                    "TypeError", "ValueError", "ZeroDivisionError"))  # fmt: skip
METHODS = frozenset(name for kind in (str, bytes, list, dict, set, frozenset, tuple, int, float)
                    for name in dir(kind) if not name.startswith("_"))  # fmt: skip
LIBRARY = frozenset(("re.sub", "re.split", "re.findall", "re.escape", "string.capwords", "unicodedata.normalize"))
NODES = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Pass,
    ast.Raise, ast.Expr, ast.Assert, ast.Try, ast.ExceptHandler, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp,
    ast.Dict, ast.Set, ast.List, ast.Tuple, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr,
    ast.comprehension, ast.Compare, ast.Call, ast.keyword, ast.FormattedValue, ast.JoinedStr, ast.Constant, ast.Starred,
    ast.Subscript, ast.Slice, ast.Name, ast.Attribute, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
    ast.expr_context,
)  # fmt: skip
NUMBERS = frozenset(("abs", "float", "int", "len", "ord", "round"))
FIXED_RESULTS = frozenset(("abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "float", "format", "hex", "int",
                           "isinstance", "len", "oct", "ord", "repr", "round", "str"))  # fmt: skip
TEXT_RESULTS = frozenset(("re.sub", "re.escape", "string.capwords", "unicodedata.normalize"))
MAX_DEPTH = 3


class Purity:
    """Judges functions of one repository."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    def called(self, module: Module, call: ast.Call) -> Function | None:
        """The plain function of the repository's modules that a call runs: bound once, not decorated."""
        root = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        if not isinstance(root, ast.Name):
            return None
        bound = module.bindings.get(root.id, [])
        definition = self.repository.resolve(module, call.func) if len(bound) == 1 else None
        node = definition.node if definition is not None else None
        if definition is None or not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return None
        once = len(definition.module.bindings.get(node.name, ())) == 1 and node in definition.module.tree.body
        return function_of(definition.module, node) if once else None

    def refuse_impure(self, function: Function, depth: int = MAX_DEPTH) -> None:
        """Raises Decline, naming what may have an effect or may change."""
        if not depth or isinstance(function.node, ast.AsyncFunctionDef):
            raise Decline(Why.AMBIGUOUS, f"{function.module.at(function.node)} is not looked into")
        for default in [*function.node.args.defaults, *filter(None, function.node.args.kw_defaults)]:
            if not isinstance(default, ast.Constant):
                raise Decline(Why.AMBIGUOUS, f"{function.module.at(default)}: a default that may change")
        for node in _code(function):
            self._refuse(function, node, depth)

    def refuse_changeable(self, function: Function) -> None:
        """Raises Decline unless what it returns is certainly a string, a number, a truth value or None."""
        for value in returned_values(function):
            if not _is_fixed(function, value):
                raise Decline(Why.AMBIGUOUS, f"{function.module.at(value)} may return something that can be changed")

    def _refuse(self, function: Function, node: ast.AST, depth: int) -> None:
        module = function.module
        if not isinstance(node, NODES):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)}: {type(node).__name__} is not known to be pure")
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)} writes an attribute")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not self._is_settled(function, node):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)}: {node.id} may change, or is not known")
        if isinstance(node, ast.Attribute) and not self._is_called(module, node):
            raise Decline(Why.AMBIGUOUS, f"{module.at(node)} reads an attribute")
        if isinstance(node, ast.Call):
            self._refuse_call(function, node, depth)

    def _is_called(self, module: Module, node: ast.Attribute) -> bool:
        around = module.parents[node]
        return isinstance(around, ast.Call) and around.func is node

    def _is_settled(self, function: Function, node: ast.Name) -> bool:
        """A local, a literal constant of the module, or a name where a function or a type stands."""
        module, around = function.module, function.module.parents[node]
        if node.id in arguments(function) or binders(function, node.id):
            return True
        value = module_constant(module, node.id)
        if is_builtin(module, node, TYPES | ERRORS) or (value is not None and _is_literal(value)):
            return True
        if isinstance(around, ast.Call):
            return around.func is node  # the call is judged
        outer = module.parents[around]
        if not isinstance(around, ast.Attribute) or not isinstance(outer, ast.Call) or outer.func is not around:
            return False
        return _is_pure_library(known(module, around)) or self.called(module, outer) is not None

    def _refuse_call(self, function: Function, call: ast.Call, depth: int) -> None:
        module = function.module
        if is_builtin(module, call.func, BUILTINS | ERRORS) or _is_pure_library(known(module, call.func)):
            return
        inner = self.called(module, call)
        if inner is not None:
            self.refuse_impure(inner, depth - 1)
        elif not isinstance(call.func, ast.Attribute) or call.func.attr not in METHODS:
            raise Decline(Why.AMBIGUOUS, f"{module.at(call)}: {module.segment(call.func)}() is not known to be pure")


def _code(function: Function) -> Iterator[ast.AST]:
    """All nodes that run, without the docstring, annotations and types."""
    skipped: set[ast.AST] = set()
    for node in function.nodes():
        if isinstance(node, ast.AnnAssign):
            skipped.update(ast.walk(node.annotation))
        if node not in skipped:
            yield node


def _is_pure_library(name: str) -> bool:
    return name in LIBRARY or name.startswith("math.")


def _is_literal(node: ast.expr) -> bool:
    """Strings, numbers and tuples of such."""
    if isinstance(node, ast.Tuple):
        return all(_is_literal(each) for each in node.elts)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant))


def _is_fixed(function: Function, node: ast.expr) -> bool:
    """True for strings, numbers, truth values and None, in a function that is otherwise pure."""
    module = function.module
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Compare)):
        return True
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or _is_fixed(function, node.operand)
    if isinstance(node, ast.IfExp):
        return _is_fixed(function, node.body) and _is_fixed(function, node.orelse)
    if isinstance(node, ast.Call) and (
        is_builtin(module, node.func, FIXED_RESULTS) or known(module, node.func) in TEXT_RESULTS
    ):
        return True
    return bool(Kinds(function).of(node)) or _is_number(function, node) or _is_constant(function, node)


def _is_constant(function: Function, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name) or node.id in arguments(function) or binders(function, node.id):
        return False
    value = module_constant(function.module, node.id)
    return value is not None and _is_literal(value)


def _is_number(function: Function, node: ast.expr, depth: int = 5) -> bool:  # noqa: PLR0911 - one for each kind of node
    """True for whole and floating numbers, also where not which of them."""
    module = function.module
    if not depth:
        return False
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    if isinstance(node, ast.Call):
        one = is_builtin(module, node.func, NUMBERS)
        return bool(one) or known(module, node.func).startswith("math.")
    if isinstance(node, ast.BinOp):
        left, right = _is_number(function, node.left, depth - 1), _is_number(function, node.right, depth - 1)
        return left if isinstance(node.op, (ast.Add, ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)) else left and right
    if isinstance(node, ast.Name) and (bound := binders(function, node.id)):
        return all(_binds_number(function, each, depth) for each in bound)
    if isinstance(node, ast.Name):
        value = module_constant(module, node.id)
        return value is not None and _is_number(function, value, depth - 1)
    return Kinds(function).of(node) == "int"


def _binds_number(function: Function, binder: ast.AST, depth: int) -> bool:
    around = function.module.parents[binder]
    if isinstance(around, ast.AugAssign):
        return isinstance(around.op, (ast.Add, ast.Sub, ast.Div)) or _is_number(function, around.value, depth - 1)
    if isinstance(around, (ast.Assign, ast.AnnAssign)) and around.value is not None and isinstance(binder, ast.Name):
        return _is_number(function, around.value, depth - 1)
    return isinstance(around, ast.For) and Kinds(function).of(ast.Name(getattr(binder, "id", ""))) == "int"

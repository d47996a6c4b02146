"""Values that cannot change, and calls whose result is already known."""

from __future__ import annotations

import ast
import datetime
import decimal
import fractions
import ipaddress
import json
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.kinds import Kinds
from burnish_tools.recipes.source.names import is_builtin, known, module_constant, only_value
from burnish_tools.recipes.source.repo import Module

ATOMS = (str, bytes, int, float, complex, bool, type(None), type(...))
FIXED = (
    *ATOMS, decimal.Decimal, fractions.Fraction, datetime.date, datetime.time, datetime.timedelta, uuid.UUID,
    ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
)  # fmt: skip
"""Types whose instances nobody can change."""
MAX_TEXT = 200
"""Characters of a literal that is looked into: the constants of real code are short."""
MAX_STEPS = 5


def _strptime(text: str, layout: str) -> datetime.datetime:
    """With numbers only: names of days and months depend on the locale of the process."""
    if not all(layout[place + 1 : place + 2] in "YmdHMSfj" for place, mark in enumerate(layout) if mark == "%"):
        raise ValueError("the layout depends on the locale")
    return datetime.datetime.strptime(text, layout)


PURE: Mapping[str, Callable[..., Any]] = {
    "decimal.Decimal": decimal.Decimal,
    "fractions.Fraction": fractions.Fraction,
    "datetime.date": datetime.date,
    "datetime.datetime": datetime.datetime,
    "datetime.time": datetime.time,
    "datetime.timedelta": datetime.timedelta,
    "datetime.date.fromisoformat": datetime.date.fromisoformat,
    "datetime.datetime.fromisoformat": datetime.datetime.fromisoformat,
    "datetime.datetime.strptime": _strptime,
    "uuid.UUID": uuid.UUID,
    "ipaddress.ip_address": ipaddress.ip_address,
    "ipaddress.ip_network": ipaddress.ip_network,
    "json.loads": json.loads,
    "math.sqrt": math.sqrt,
    "math.log": math.log,
    "math.radians": math.radians,
    "math.sin": math.sin,
    "math.cos": math.cos,
}
"""Functions of the standard library that give the same for the same arguments and do nothing else. What a process can
set (the locale, the context of `decimal`) plays no part in them: a Decimal is made exactly."""
PURE_BUILTINS: Mapping[str, Callable[..., Any]] = {"frozenset": frozenset, "tuple": tuple}


def constant_result(module: Module, call: ast.Call) -> tuple[str, object] | None:
    """The name and the result of a call of a pure function with literals only; None for any other call.

    Raises ValueError where the call would fail, with what it would say.
    """
    builtin = is_builtin(module, call.func, PURE_BUILTINS)
    dotted = builtin or known(module, call.func)
    pure = PURE_BUILTINS.get(builtin) or PURE.get(dotted)
    if pure is None or not (call.args or call.keywords) or any(each.arg is None for each in call.keywords):
        return None
    try:
        args = [_literal(each) for each in call.args]
        named = {each.arg or "": _literal(each.value) for each in call.keywords}
    except (ValueError, TypeError):
        return None
    try:
        return dotted, pure(*args, **named)
    except Exception as error:  # whatever it is, the service gets it too
        raise ValueError(f"{dotted} fails: {error}") from error


def _literal(node: ast.expr) -> object:
    """Raises ValueError where it is no literal, or a long one."""
    value = ast.literal_eval(node)
    if len(repr(value)) > MAX_TEXT:
        raise ValueError("too long")
    return value


def is_fixed(value: object) -> bool:
    """True for a value that nobody can change, all its parts included."""
    if type(value) in (tuple, frozenset):
        return all(is_fixed(each) for each in value)  # type: ignore[attr-defined]
    return type(value) in FIXED or isinstance(value, (datetime.datetime,))


def copies_to_itself(function: Function, node: ast.expr, depth: int = MAX_STEPS) -> bool:
    """True for what `copy.deepcopy` gives back as it is: strings, numbers, None, and tuples of such."""
    if depth == 0:
        return False
    if isinstance(node, ast.Constant):
        return type(node.value) in ATOMS
    if isinstance(node, ast.Tuple):
        return all(copies_to_itself(function, each, depth - 1) for each in node.elts)
    if isinstance(node, ast.UnaryOp):  # a negative number, `not x`
        return isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.IfExp):
        return copies_to_itself(function, node.body, depth - 1) and copies_to_itself(function, node.orelse, depth - 1)
    return bool(Kinds(function).of(node)) or (isinstance(node, ast.Name) and _name_copies(function, node, depth))


def _name_copies(function: Function, node: ast.Name, depth: int) -> bool:
    once = only_value(function, node.id)
    if once is not None:
        return copies_to_itself(function, once[1], depth - 1)
    value = module_constant(function.module, node.id)
    return value is not None and copies_to_itself(function, value, depth - 1)

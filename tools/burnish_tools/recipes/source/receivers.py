"""Methods of objects whose class the text shows: `self.accounts.get(…)` where `__init__` made an AccountRepository."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from burnish_tools.recipes.source.chains import assigned_values
from burnish_tools.recipes.source.functions import Function, function_of, resolve_call
from burnish_tools.recipes.source.repo import Definition, Repository, type_of_function


def called(repository: Repository, function: Function, call: ast.Call) -> Function | None:
    """The function of this repository that a call runs; None where that is not certain."""
    plain = resolve_call(repository, function, call)
    if plain is not None or not isinstance(call.func, ast.Attribute):
        return plain
    kind = _class_of(repository, function, call.func.value)
    if kind is None or not isinstance(kind.node, ast.ClassDef):
        return None
    found = [each for each in kind.node.body if isinstance(each, type_of_function) and each.name == call.func.attr]
    return function_of(kind.module, found[0]) if len(found) == 1 else None


def _class_of(repository: Repository, function: Function, node: ast.expr) -> Definition | None:
    """Of `Kind(…)`, of a local that was assigned one, of a parameter `x: Kind`, of an attribute that `__init__` set."""
    if isinstance(node, ast.Call):
        return _class(repository, function, node.func)
    if isinstance(node, ast.Name):
        values = assigned_values(function, node.id)
        if values:
            return _class_of(repository, function, values[0]) if len(values) == 1 else None
        return _annotated(repository, function, node.id)
    own = function.owner
    if not isinstance(node, ast.Attribute) or own is None or not isinstance(node.value, ast.Name):
        return None
    if function.parameters[:1] != [node.value.id]:
        return None
    found = list(_set_in_init(function, own, node.attr))
    return _class_of(repository, *found[0]) if len(found) == 1 else None


def _class(repository: Repository, function: Function, node: ast.expr) -> Definition | None:
    found = repository.resolve(function.module, node)
    return found if found is not None and isinstance(found.node, ast.ClassDef) else None


def _annotated(repository: Repository, function: Function, name: str) -> Definition | None:
    arguments = (*function.node.args.posonlyargs, *function.node.args.args, *function.node.args.kwonlyargs)
    annotation = next((each.annotation for each in arguments if each.arg == name), None)
    return _class(repository, function, annotation) if annotation is not None else None


def _set_in_init(function: Function, own: ast.ClassDef, attribute: str) -> Iterator[tuple[Function, ast.expr]]:
    """The values that any method assigns to `self.attribute`, each with its method; also `self.a, self.b = x, y`."""
    for method in (each for each in own.body if isinstance(each, type_of_function)):
        for node in ast.walk(method):
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            target, value = node.targets[0], node.value
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=False) if both else [(target, value)]  # type: ignore[attr-defined]
            for left, right in pairs:
                if isinstance(left, ast.Attribute) and left.attr == attribute:
                    yield function_of(function.module, method), right

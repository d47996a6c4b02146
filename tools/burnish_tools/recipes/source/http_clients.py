"""Clients for HTTP whose making is written in this repository, so that two of them are certainly not one."""

from __future__ import annotations

import ast

from burnish_tools.recipes.source.functions import Function
from burnish_tools.recipes.source.names import binders, known, module_constant
from burnish_tools.recipes.source.repo import Module, Repository, type_of_function

MADE_BY = frozenset(("httpx.AsyncClient", "aiohttp.ClientSession"))
OWN_OPTIONS = frozenset((
    "base_url", "timeout", "headers", "params", "follow_redirects", "verify", "http2", "limits", "trust_env",
    "raise_for_status",
))  # fmt: skip
"""What is given to one client and copied by it: no jar of cookies, connector, transport, hook or credentials that two
clients could share."""


def client(function: Function, repository: Repository, node: ast.expr) -> ast.Call | None:
    """The call that makes the one client that an expression can be; None where it is not certain."""
    module, own = function.module, function.owner
    if isinstance(node, ast.Name):
        return local_client(function, node.id) or _making(module, module_constant(module, node.id))
    receiver = node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
    if own is None or not isinstance(node, ast.Attribute) or function.parameters[:1] != [receiver]:
        return None
    return _making(module, _of_instance(repository, module, own, node.attr))


def local_client(function: Function, name: str) -> ast.Call | None:
    """The call that makes the client which a local is."""
    return _making(function.module, _local(function, name))


def _local(function: Function, name: str) -> ast.expr | None:
    bound = binders(function, name)
    around = function.module.parents[bound[0]] if len(bound) == 1 else None
    if isinstance(around, ast.withitem) and around.optional_vars is bound[0]:
        return around.context_expr
    return around.value if isinstance(around, ast.Assign) and around.targets == bound else None


def _of_instance(repository: Repository, module: Module, owner: ast.ClassDef, name: str) -> ast.expr | None:
    """What `__init__` assigns to an attribute that nothing in the repository assigns otherwise."""
    stores = [
        (where, node)
        for where in repository.modules(name)
        for node in ast.walk(where.tree)
        if isinstance(node, ast.Attribute) and node.attr == name and not isinstance(node.ctx, ast.Load)
    ]
    if len(stores) != 1 or stores[0][0] is not module:
        return None
    node = stores[0][1]
    statement, around = module.statement(node), module.parents[module.statement(node)]
    made = isinstance(around, type_of_function) and around.name == "__init__" and module.parents[around] is owner
    plain = isinstance(statement, ast.Assign) and statement.targets == [node] and isinstance(node.value, ast.Name)
    if not (made and plain and isinstance(around, type_of_function) and isinstance(statement, ast.Assign)):
        return None
    first = around.args.args[:1]
    return statement.value if first and isinstance(node.value, ast.Name) and first[0].arg == node.value.id else None


def _making(module: Module, node: ast.expr | None) -> ast.Call | None:
    if not isinstance(node, ast.Call) or known(module, node.func) not in MADE_BY:
        return None
    positional = [each for each in node.args if isinstance(each, ast.Starred)]
    plain = len(node.args) <= 1 and not positional and all(each.arg in OWN_OPTIONS for each in node.keywords)
    return node if plain else None

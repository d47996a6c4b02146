"""Finds the measured function in the repository, and who calls it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.finding import Finding
from burnish.risk import NEEDED
from burnish.why import Why
from burnish_tools.recipes.source.repo import Decline, FunctionNode, Module, Repository, type_of_function

COMPREHENSION = re.compile(r"(\.<locals>)?\.<(genexpr|listcomp|setcomp|dictcomp)>")
LOAD_BEARING = re.compile(rf"#.*\b({NEEDED}|re-?reads?|race|fresh)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Function:
    """A function of the repository."""

    module: Module
    node: FunctionNode
    owner: ast.ClassDef | None = None

    @property
    def name(self) -> str:
        """`module:Qualified.name`"""
        outer = [node for node in self.module.above(self.node) if isinstance(node, (*type_of_function, ast.ClassDef))]
        parts = [self.node.name]
        for node in outer:
            parts[:0] = [node.name, "<locals>"] if isinstance(node, type_of_function) else [node.name]
        return f"{self.module.name}:{'.'.join(parts)}"

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters that can be given by position, in order."""
        return [argument.arg for argument in (*self.node.args.posonlyargs, *self.node.args.args)]

    @property
    def text(self) -> str:
        """Its lines, without those of its decorators."""
        return "\n".join(self.module.lines[self.node.lineno - 1 : self.node.end_lineno])

    def nodes(self) -> Iterator[ast.AST]:
        """Everything in its body, nested functions included."""
        return iter(self.module.inside(self.node))


def plain_name(function: str) -> str:
    """The function's name without the frames that comprehensions have before Python 3.12."""
    return COMPREHENSION.sub("", function)


def find(repository: Repository, finding: Finding) -> Function:
    """The function that was measured. Raises Decline where it is gone or has changed since."""
    name = plain_name(finding.function)
    module = repository.module(finding.file) or repository.named(name.split(":")[0])
    if module is None:
        raise Decline(
            Why.FUNCTION_NOT_FOUND,
            f"{finding.file} is no plain file with text in UTF-8 (links and submodules are not followed)",
        )
    same_name = list(_named(module, name.split(":")[-1]))
    if not same_name:
        raise Decline(Why.FUNCTION_NOT_FOUND, f"{finding.file} has no {name.split(':')[-1]}")
    same = [found for found in same_name if finding.body in ("", found.module.body_hash(found.node))]
    if not same:
        raise Decline(Why.CODE_MOVED_ON, f"{module.at(same_name[0].node)} has another body than was measured")
    return min(same, key=lambda found: (abs(found.node.lineno - finding.line), found.node.lineno))


def by_name(repository: Repository, name: str) -> Function | None:
    """A function by `module:Qualified.name`; None where there is not exactly one."""
    name = plain_name(name)
    module = repository.named(name.split(":")[0])
    found = list(_named(module, name.split(":")[-1])) if module else []
    return found[0] if len(found) == 1 else None


def _named(module: Module, qualified: str) -> Iterator[Function]:
    plain = ".".join(part for part in qualified.split(".") if part != "<locals>")
    yield from (function_of(module, node) for node in module.functions.get(plain, ()))


def function_of(module: Module, node: FunctionNode) -> Function:
    """A function with the class around it."""
    outer = module.parents.get(node)
    return Function(module, node, outer if isinstance(outer, ast.ClassDef) else None)


def enclosing(module: Module, node: ast.AST) -> Function | None:
    """The function around a node."""
    outer = next((above for above in module.above(node) if isinstance(above, type_of_function)), None)
    return function_of(module, outer) if outer else None


def resolve_call(repository: Repository, function: Function, call: ast.Call) -> Function | None:
    """The function of this repository that a call in `function` runs: `f(…)`, `module.f(…)`, `self.f(…)`."""
    target = call.func
    own = function.owner
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and own is not None:
        first = function.parameters[:1]
        if first == [target.value.id]:
            found = [f for f in own.body if isinstance(f, type_of_function) and f.name == target.attr]
            return function_of(function.module, found[0]) if len(found) == 1 else None
    if isinstance(target, ast.Name) and _is_local(function, target.id):
        return None
    definition = repository.resolve(function.module, target)
    if definition is not None and isinstance(definition.node, type_of_function):
        return function_of(definition.module, definition.node)
    return None


def _is_local(function: Function, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
               for node in function.nodes())  # fmt: skip


@dataclass(frozen=True)
class CallSite:
    """A call of a function, and the function in which it stands."""

    function: Function
    call: ast.Call


def callers(repository: Repository, callee: Function) -> list[CallSite]:
    """Every call of a module-level function outside the tests. Raises Decline where it is also passed around."""
    sites: list[CallSite] = []
    for module in repository.modules(callee.node.name):
        for node in _mentions(module, callee.node.name):
            definition = repository.resolve(module, node)
            if definition is None or definition.node is not callee.node:
                continue
            call, around = module.parents.get(node), enclosing(module, node)
            if not (isinstance(call, ast.Call) and call.func is node and around):
                raise Decline(Why.AMBIGUOUS, f"{module.at(node)} passes {callee.node.name} on, so its callers are open")
            sites.append(CallSite(around, call))
    return sites


def _mentions(module: Module, name: str) -> list[ast.Name | ast.Attribute]:
    """Where a name is read, under the names that the file imports it by too, in the order of the text."""
    names = {name, *(local for local, dotted in module.imports.items() if dotted.endswith(f".{name}"))}
    found = [node for each in names for node in module.mentions.get(each, ())]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def argument(callee: Function, call: ast.Call, parameter: str) -> ast.expr | None:
    """What a call gives for a parameter; None where it is not written there plainly."""
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    names = callee.parameters[1:] if callee.owner and not _is_static(callee) else callee.parameters
    if any(isinstance(value, ast.Starred) for value in call.args) or parameter not in names:
        return None
    place = names.index(parameter)
    return call.args[place] if place < len(call.args) else None


def _is_static(function: Function) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "staticmethod" for node in function.node.decorator_list)


def refuse_locked(finding: Finding, repository: Repository) -> None:
    """Raises Decline where the statement takes a row lock: it must run where and when it stands."""
    site = finding.evidence.site
    if re.search(r"\bFOR (NO KEY )?(UPDATE|SHARE)\b", finding.evidence.statement, re.IGNORECASE):
        raise Decline(
            Why.LOOP_LOCKS, f"{site.file}:{site.line} locks the row" if site else "the statement locks the row"
        )
    around = by_name(repository, site.function) if site else None
    for node in around.nodes() if around else ():
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update" and around and site:
            statement = around.module.statement(node)
            if statement.lineno <= site.line <= (statement.end_lineno or 0):
                raise Decline(Why.LOOP_LOCKS, f"{around.module.at(node)} locks its rows")


def refuse_warned(module: Module, *nodes: ast.AST) -> None:
    """Raises Decline where a comment on or just above one of the nodes says that the code is as it is on purpose."""
    for node in nodes:
        statement = module.statement(node)
        header = statement.body[0].lineno - 1 if isinstance(statement, (ast.For, ast.While, ast.If, ast.With)) else 0
        last = max(statement.lineno, header or statement.end_lineno or 0)
        for number in (*_comment_block(module, statement.lineno), *range(statement.lineno, last + 1)):
            if LOAD_BEARING.search(module.lines[number - 1]):
                raise Decline(Why.LOAD_BEARING, f"{module.path}:{number} says: {module.lines[number - 1].strip()}")


def _comment_block(module: Module, line: int) -> Iterator[int]:
    above = line - 1
    while above >= 1 and module.lines[above - 1].lstrip().startswith("#"):
        yield above
        above -= 1

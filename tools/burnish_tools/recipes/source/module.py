"""One parsed file: its lines, names and functions, each computed once for all recipes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from burnish.identity import body_hash

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Defined = FunctionNode | ast.ClassDef | ast.Assign | ast.AnnAssign
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


class Module:
    """One parsed file."""

    def __init__(self, name: str, path: str, text: str, tree: ast.Module, bom: str = "") -> None:
        self.name = name
        self.path = path
        self.text = text
        self.tree = tree
        self.bom = bom
        self._hashes: dict[ast.AST, str] = {}
        self._inside: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self._bound: dict[ast.AST, dict[str, list[ast.AST]]] = {}
        self._stored: dict[ast.AST, dict[str, list[ast.Name]]] = {}

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends, as `ast` counts them."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def raw_lines(self) -> list[str]:
        """The same lines with their ends."""
        return LINE.findall(self.text)

    @property
    def newline(self) -> str:
        """The end of the first line."""
        return self.raw_lines[0][len(self.lines[0]) :] or "\n" if self.raw_lines else "\n"

    @property
    def original(self) -> str:
        """The file as it is in the repository, with its byte order mark where it has one."""
        return self.bom + self.text

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds a node (itself, where it is one)."""
        if isinstance(node, ast.stmt):
            return node
        return next(outer for outer in self.above(node) if isinstance(outer, ast.stmt))

    def segment(self, node: ast.AST) -> str:
        """The source text of a node, as `ast.get_source_segment` has it, which splits the whole file each time."""
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
        if not first or not last:
            return ""
        lines = [line.encode() for line in self.raw_lines[first - 1 : last]]
        lines[-1] = lines[-1][: getattr(node, "end_col_offset", 0)]
        lines[0] = lines[0][getattr(node, "col_offset", 0) :]
        return b"".join(lines).decode()

    def at(self, node: ast.AST) -> str:
        """`file:line`, for a sentence."""
        return f"{self.path}:{getattr(node, 'lineno', 0)}"

    @cached_property
    def imports(self) -> dict[str, str]:
        """Local name → dotted name of what it was imported as, wherever in the file."""
        names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                names.update({alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names})
        return names

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".") if self.path.endswith("__init__.py") else self.name.split(".")[:-1]
        package = package[: len(package) - node.level + 1]
        return ".".join([*package, *([node.module] if node.module else [])])

    @cached_property
    def mentions(self) -> dict[str, list[ast.Name | ast.Attribute]]:
        """The places where each name is read, by itself (`f`) or as the last of a chain (`a.f`)."""
        found: dict[str, list[ast.Name | ast.Attribute]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                found.setdefault(node.id if isinstance(node, ast.Name) else node.attr, []).append(node)
        return found

    @cached_property
    def functions(self) -> dict[str, list[FunctionNode]]:
        """Functions by qualified name without `<locals>`, however deep they are, in the order of the text."""
        found: dict[str, list[FunctionNode]] = {}
        for name, node in _functions(self.tree, ""):
            found.setdefault(name, []).append(node)
        return found

    def inside(self, function: FunctionNode) -> tuple[ast.AST, ...]:
        """Everything in the body of a function, nested functions included, walked once."""
        if function not in self._inside:
            self._inside[function] = tuple(node for statement in function.body for node in ast.walk(statement))
        return self._inside[function]

    def stored_in(self, function: FunctionNode) -> dict[str, list[ast.Name]]:
        """Where a function itself, without those inside it, assigns or deletes each name."""
        if function not in self._stored:
            found: dict[str, list[ast.Name]] = {}
            for node in scope_nodes(function):
                if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    found.setdefault(node.id, []).append(node)
            self._stored[function] = found
        return self._stored[function]

    def bound_inside(self, function: FunctionNode) -> dict[str, list[ast.AST]]:
        """What binds each name in a function or in those inside it, parameters first."""
        if function not in self._bound:
            found = self._bound[function] = {}
            arguments = (node for node in ast.walk(function.args) if isinstance(node, ast.arg))
            for node in (*arguments, *self.inside(function)):
                for name in names_bound(node):
                    found.setdefault(name, []).append(node)
        return self._bound[function]

    def body_hash(self, node: FunctionNode) -> str:
        """As `burnish.identity` has it, computed once."""
        if node not in self._hashes:
            self._hashes[node] = body_hash(node)
        return self._hashes[node]

    @cached_property
    def bindings(self) -> dict[str, list[ast.AST]]:
        """What binds each name anywhere in the file, but for the names in bodies of classes: functions do not see
        those."""
        found: dict[str, list[ast.AST]] = {}
        for name, node in _bound_in(self.tree, in_class=False):
            found.setdefault(name, []).append(node)
        return found

    @cached_property
    def top(self) -> dict[str, Defined]:
        """Names bound at module level, by their last definition; also inside top-level `if` and `try`."""
        return dict(bindings_of(self.tree.body))


def bindings_of(body: list[ast.stmt]) -> Iterator[tuple[str, Defined]]:
    for node in body:
        if isinstance(node, (*type_of_function, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, (ast.If, ast.Try)):
            handlers = node.handlers if isinstance(node, ast.Try) else []
            for block in (node.body, node.orelse, *(handler.body for handler in handlers)):
                yield from bindings_of(block)


def scope_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, without entering the functions and classes in it (those themselves included)."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, (*type_of_function, ast.ClassDef, ast.Lambda)):
            yield from scope_nodes(child)


def _functions(scope: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, (*type_of_function, ast.ClassDef)):
            if isinstance(node, type_of_function):
                yield prefix + node.name, node
            yield from _functions(node, f"{prefix}{node.name}.")
        else:
            yield from _functions(node, prefix)


def _bound_in(scope: ast.AST, *, in_class: bool) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(scope):
        if not in_class or isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from ((name, node) for name in names_bound(node))
        inside = in_class and not isinstance(node, (*type_of_function, ast.Lambda))
        yield from _bound_in(node, in_class=inside or isinstance(node, ast.ClassDef))


def names_bound(node: ast.AST) -> list[str]:  # noqa: PLR0911 - one for each kind of node
    """The names that this one node binds or deletes, or says to be those of an outer scope."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, (*type_of_function, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).split(".")[0]]
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return list(node.names)
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []

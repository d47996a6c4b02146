"""The repository as the recipes read it: parsed modules, names and what they stand for. Nothing is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from burnish.finding import Finding
from burnish.identity import body_hash
from burnish.protocols import Source
from burnish.why import Why

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Defined = FunctionNode | ast.ClassDef | ast.Assign | ast.AnnAssign
MAX_REEXPORTS = 5
BOM = "\ufeff"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
KEPT_CHARACTERS = 2_000_000
"""Parsed source that is kept from one recipe to the next: a syntax tree takes about 100 bytes for each character."""


class Decline(Exception):
    """Ends a recipe with a reason, from any depth."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why.sentence, detail)
        self.why = why
        self.detail = detail


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
        return dict(_bindings(self.tree.body))


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, Defined]]:
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
                yield from _bindings(block)


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


@dataclass(frozen=True)
class Definition:
    """What a dotted name stands for in this repository."""

    module: Module
    node: Defined
    owner: ast.ClassDef | None = None

    @property
    def name(self) -> str:
        """Name within its module."""
        return getattr(self.node, "name", "")


class Repository:
    """Parsed files over a `Source`, each parsed at most once."""

    def __init__(self, source: Source, finding: Finding | None = None) -> None:
        self.source = source
        self.prefix = _prefix(finding) if finding else ""
        self._modules: dict[str, Module | None] = {}
        self._texts: dict[str, str | None] = {}
        self.ours: set[str] = set()
        """Files that were looked at and may be edited."""
        self.characters = 0
        """Length of all that was parsed."""

    def module(self, path: str) -> Module | None:
        """A parsed file; None where it is missing or no valid Python."""
        if path not in self._modules:
            self._modules[path] = self._parse(path)
        return self._modules[path]

    def text(self, path: str) -> str | None:
        """The text of a file, read at most once."""
        if path not in self._texts:
            self._texts[path] = self.source.read(path)
        return self._texts[path]

    def _parse(self, path: str) -> Module | None:
        text = self.text(path)
        if text is None:
            return None
        bare = text.removeprefix(BOM)
        try:
            tree = ast.parse(bare)
        except (SyntaxError, ValueError):
            return None
        self.characters += len(bare)
        return Module(self.module_name(path), path, bare, tree, text[: len(text) - len(bare)])

    def module_name(self, path: str) -> str:
        """The dotted name under which the service imports a file."""
        bare = path.removeprefix(self.prefix).removesuffix(".py").removesuffix("/__init__")
        return bare.replace("/", ".")

    def named(self, dotted: str) -> Module | None:
        """The module with this dotted name."""
        base = self.prefix + dotted.replace(".", "/")
        return self.module(f"{base}.py") or self.module(f"{base}/__init__.py")

    def modules(self, needle: str) -> Iterator[Module]:
        """Modules whose text holds `needle`, tests excepted, sorted by path."""
        for path in self.source.paths(".py"):
            text = self.text(path) if not is_test(path) else None
            if text and needle in text and (module := self.module(path)):
                yield module

    def dotted(self, module: Module, node: ast.expr) -> str:
        """The full dotted name that an expression stands for, through imports; empty where it has none."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(module, node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name):
            if node.id in module.imports:
                return module.imports[node.id]
            return f"{module.name}.{node.id}" if node.id in module.top else ""
        return ""

    def resolve(self, module: Module, node: ast.expr) -> Definition | None:
        """The definition that a name or attribute stands for; None for locals and foreign code."""
        dotted = self.dotted(module, node)
        return self.definition(dotted) if dotted else None

    def definition(self, dotted: str, depth: int = MAX_REEXPORTS) -> Definition | None:
        """The definition behind a full dotted name, through re-exports."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.named(".".join(parts[:cut]))
            if module is not None:
                return self._inside(module, parts[cut:], depth)
        return None

    def _inside(self, module: Module, parts: list[str], depth: int) -> Definition | None:
        node = module.top.get(parts[0])
        if node is None:
            target = module.imports.get(parts[0])
            return self.definition(".".join([target, *parts[1:]]), depth - 1) if target and depth else None
        if len(parts) == 1:
            return Definition(module, node)
        if isinstance(node, ast.ClassDef) and len(parts) == 2:
            member = dict(_bindings(node.body)).get(parts[1])
            return Definition(module, member, node) if member else None
        return None


_last: Repository | None = None


def repository_of(source: Source, finding: Finding) -> Repository:
    """The repository, with what the last recipe has parsed of it where that was on the same source."""
    global _last
    there = _last
    same = there is not None and there.source is source and there.prefix == _prefix(finding)
    if there is None or not same or there.characters > KEPT_CHARACTERS:
        there = Repository(source, finding)
    _last = there
    return there


def is_test(path: str) -> bool:
    """True for test code: it calls functions too, but serves no request."""
    parts = path.split("/")
    return any(part in ("tests", "test") for part in parts[:-1]) or parts[-1].startswith(("test_", "conftest"))


def _prefix(finding: Finding) -> str:
    """What stands in front of the module's path: `src/` where `a.b` lives in `src/a/b.py`."""
    stem = finding.function.split(":")[0].replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        if finding.file == tail or finding.file.endswith("/" + tail):
            return finding.file[: -len(tail)]
    return ""

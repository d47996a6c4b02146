"""The repository as the recipes read it: parsed modules, names and what they stand for. Nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

from burnish.finding import Finding
from burnish.protocols import Source
from burnish.why import Why
from burnish_tools.recipes.source.module import (
    Defined,
    FunctionNode,
    Module,
    bindings_of,
    names_bound,
    scope_nodes,
    type_of_function,
)

__all__ = [
    "BOM",
    "Decline",
    "Defined",
    "Definition",
    "FunctionNode",
    "Module",
    "Repository",
    "is_test",
    "names_bound",
    "repository_of",
    "scope_nodes",
    "type_of_function",
]

T = TypeVar("T")
MAX_REEXPORTS = 5
BOM = "\ufeff"
KEPT_CHARACTERS = 2_000_000
"""Parsed source that is kept from one recipe to the next: a syntax tree takes about 100 bytes for each character."""


class Decline(Exception):
    """Ends a recipe with a reason, from any depth."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why.sentence, detail)
        self.why = why
        self.detail = detail


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
        self._once: dict[object, object] = {}
        self.ours: set[str] = set()
        """Files that were looked at and may be edited."""
        self.characters = 0
        """Length of all that was parsed."""

    def module(self, path: str) -> Module | None:
        """A parsed file; None where it is missing or no valid Python."""
        if path not in self._modules:
            self._modules[path] = self._parse(path)
        return self._modules[path]

    def once(self, make: Callable[[Repository], T]) -> T:
        """What `make` says of the repository, made at most once: its models."""
        if make not in self._once:
            self._once[make] = make(self)
        return cast(T, self._once[make])

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
            member = dict(bindings_of(node.body)).get(parts[1])
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

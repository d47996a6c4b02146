"""Reads what a code object does not tell of its function from the source file: the line of its ``def``, its last line,
its body, and whether another function of the module has its name.

Only the lines of the function are parsed, and only by the flush thread: parsing a long module would hold the
interpreter for too long.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from types import CodeType
from typing import Any, NamedTuple

from .registry import Function

_FILES = 16
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class Definition(NamedTuple):
    """Where a function is defined; ``body`` is "" where it cannot be told."""

    line: int
    end_line: int
    body: str


class _File:
    """The lines of a file as it was when its first function was seen; none where it has changed since."""

    def __init__(self, path: str, stamp: tuple[int, int]) -> None:
        self.lines: list[str] = []
        self._names: dict[int, str] | None = None
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            if stamp_of(path) == stamp:
                self.lines = _decoded(data).splitlines(keepends=True)
        except (OSError, LookupError, ValueError):
            pass

    def definition(self, code: CodeType) -> Definition:
        """The definition of a function; its ``def`` is below its decorators."""
        import ast

        from .bodyhash import body_hash  # both load much, and only the flush thread asks

        first, last = code.co_firstlineno, _last_line(code)
        if not self.lines[first - 1 :]:
            return Definition(first, last, "")
        lines = self.lines[first - 1 : self._end_of_block(first, last)]
        indented = lines[0][:1] in " \t"
        try:
            tree = ast.parse(("if 1:\n" if indented else "") + "".join(lines))
        except (SyntaxError, ValueError):  # a lambda's, or not what was imported
            return Definition(first, last, "")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
                shift = first - 1 - indented
                return Definition(node.lineno + shift, (node.end_lineno or node.lineno) + shift, body_hash(node))
        return Definition(first, last, "")

    def _end_of_block(self, first: int, last: int) -> int:
        """The last line of a block, which may be after the last line that has code: dead code is not compiled."""
        margin = _margin(self.lines[first - 1])
        while last < len(self.lines) and (not self.lines[last].strip() or _margin(self.lines[last]) > margin):
            last += 1
        return last

    def suffix(self, code: CodeType) -> str:
        """``:line`` for a second definition of a name in its module, else ""."""
        pattern = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+%s\b" % re.escape(code.co_name))
        if sum(1 for line in self.lines if pattern.match(line)) < 2:
            return ""
        if self._names is None:
            self._names = _suffixes("".join(self.lines))
        return self._names.get(code.co_firstlineno, "")


def _decoded(data: bytes) -> str:
    """As ``importlib.util.decode_source``, without ``tokenize``: that makes a namedtuple, by ``eval``, and ``eval`` at
    the end of a process that Ctrl-C ended changes its exit status."""
    encoding = "utf-8-sig"
    for line in data.split(b"\n", 2)[:2]:
        found = _CODING.match(line)
        if found is not None:
            encoding = found[1].decode("ascii")
            break
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _suffixes(text: str) -> dict[int, str]:
    """The suffix of each definition whose name was used before in its module, by its first line."""
    import ast

    found: dict[int, str] = {}
    seen: set[str] = set()

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = prefix + child.name
                if name in seen:
                    first = child.decorator_list[0].lineno if child.decorator_list else child.lineno
                    found[first] = f":{child.lineno}"
                seen.add(name)
                visit(child, name + ".<locals>.")
            else:
                visit(child, prefix + child.name + "." if isinstance(child, ast.ClassDef) else prefix)

    visit(ast.parse(text), "")
    return found


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: CodeType) -> int:
    last = max((line or 0 for position in code.co_positions() for line in position[:2]), default=0)
    inner = [_last_line(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return max([code.co_firstlineno, last, *inner])


def stamp_of(path: str) -> tuple[int, int]:
    """What changes when a file changes; raises OSError."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


class Definitions:
    """The files in which functions are defined; the latest are kept."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, tuple[int, int]], _File] = OrderedDict()
        self._stamps: dict[str, tuple[int, int]] = {}

    def stamp(self, path: str) -> tuple[int, int]:
        """That of a file when the first of its functions was called."""
        if path not in self._stamps:
            try:
                self._stamps[path] = stamp_of(path)
            except OSError:
                self._stamps[path] = (0, 0)
        return self._stamps[path]

    def file(self, path: str, stamp: tuple[int, int]) -> _File:
        """The file that was at ``path``."""
        key = (path, stamp)
        if key not in self._files:
            self._files[key] = _File(path, stamp)
            if len(self._files) > _FILES:
                self._files.popitem(last=False)
        return self._files[key]


class Discovered(Function):
    """A function of which a call was seen. Its name, lines and body are found out when they are first asked for."""

    __slots__ = ("_body", "_code", "_definitions", "_module", "_stamp")

    def __init__(self, module: str, code: CodeType, file: str, kind: str, definitions: Definitions) -> None:
        self.file, self.kind, self.source = file, kind, None
        self._module, self._code, self._definitions = module, code, definitions
        self._stamp = definitions.stamp(code.co_filename)

    def __getattr__(self, attribute: str) -> Any:
        if attribute not in ("name", "line", "end_line", "_body"):
            raise AttributeError(attribute)
        self._resolve()
        return getattr(self, attribute)

    def _resolve(self) -> None:
        code = self._code
        name = f"{self._module}:{code.co_qualname}"
        if code.co_name == "<lambda>":
            self.name = f"{name}:{code.co_firstlineno}"
            self.line, self.end_line, self._body = code.co_firstlineno, _last_line(code), ""
            return
        file = self._definitions.file(code.co_filename, self._stamp)
        self.name = name + file.suffix(code)
        self.line, self.end_line, self._body = file.definition(code)

    def text(self) -> list[str]:
        """See ``Function``."""
        lines = self._definitions.file(self._code.co_filename, self._stamp).lines
        return [line.rstrip("\r\n") for line in lines[self.line - 1 : self.end_line]]

    @property
    def body(self) -> str:
        """See ``Function``."""
        return str(self._body)

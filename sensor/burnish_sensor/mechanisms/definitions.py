"""Reads what a code object does not tell of its function from the source file: the line of its ``def``, its last line,
its body, and whether another function of the module has its name.

Only the lines of the function are parsed, and only by the flush thread: parsing a long module would hold the
interpreter for too long. Where they are is told by the module's outline (``outline.py``).
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import OrderedDict
from types import CodeType
from typing import TYPE_CHECKING, Any

from . import outline
from .outline import Definition
from .registry import Function

if TYPE_CHECKING:
    import ast

_FILES = 16
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class _File:
    """The lines of a file as it was when its first function was seen; none where it has changed since."""

    def __init__(self, path: str, stamp: tuple[int, int]) -> None:
        self.text = ""
        self._outline: list[Definition] | None = None
        self._parsed: dict[int, Definition] | None = None
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            if stamp_of(path) == stamp:
                self.text = _decoded(data)
        except (OSError, LookupError, ValueError):
            pass
        self.lines = self.text.split("\n") if self.text else []

    def definition(self, code: CodeType) -> Definition | None:
        """The ``def`` of a function, which is below its decorators."""
        if self._outline is None:
            self._outline = list(outline.definitions(self.text))
        at = bisect_left(self._outline, (code.co_firstlineno,))
        if at < len(self._outline) and self._outline[at].name == code.co_qualname:
            return self._outline[at]
        if self._parsed is None:
            self._parsed = _parsed(self.text)
        found = self._parsed.get(code.co_firstlineno)
        named = found is not None and found.name.rpartition(".")[2] == code.co_name  # `global` changes what is before
        return found if named else None

    def end_and_body(self, code: CodeType, line: int) -> tuple[int, str]:
        """Where a function whose ``def`` is on ``line`` ends, and its body: "" where it cannot be told."""
        from .bodyhash import body_hash  # loads much, and only the flush thread asks

        for last in (_last_line(code), _last_position(code)):
            end = self._end_of_block(line, max(last, line))
            node = _function(self.lines[line - 1 : end])
            if node is not None and node.name == code.co_name:
                return (node.end_lineno or node.lineno) + line - node.lineno, body_hash(node)
        return max(line, _last_position(code)), ""

    def _end_of_block(self, first: int, last: int) -> int:
        """The last line of a block, which may be after the last line that has code: dead code is not compiled."""
        margin = _margin(self.lines[first - 1])
        while last < len(self.lines):
            text = self.lines[last].strip()
            if text and text[0] not in ")]}" and _margin(self.lines[last]) <= margin:
                break
            last += 1
        return last


def _function(lines: list[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function that begins in the first of these lines; None where they are not one."""
    import ast

    inside = lines[0][:1] in " \t"
    try:
        body = ast.parse(("if 1:\n" if inside else "") + "\n".join(lines)).body
    except (SyntaxError, ValueError):  # not what was imported
        return None
    first = body[0].body[0] if isinstance(body[0], ast.If) else body[0]
    return first if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


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


def _parsed(text: str) -> dict[int, Definition]:
    """All functions of a module, by the line of their first decorator. Takes long, and so is for the rare case only."""
    import ast

    found: dict[int, Definition] = {}
    seen: set[str] = set()

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = prefix + child.name
                first = child.decorator_list[0].lineno if child.decorator_list else child.lineno
                found[first] = Definition(child.lineno, name, name in seen)
                seen.add(name)
                visit(child, name + ".<locals>.")
            else:
                visit(child, prefix + child.name + "." if isinstance(child, ast.ClassDef) else prefix)

    try:
        visit(ast.parse(text), "")
    except (SyntaxError, ValueError):  # not what was imported
        pass
    return found


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: CodeType) -> int:
    """The line of the last statement that has code, or one near it."""
    last = max((line or 0 for _, _, line in code.co_lines()), default=0)
    inner = [_last_line(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return max([code.co_firstlineno, last, *inner])


def _last_position(code: CodeType) -> int:
    """The last line of what has code: of an expression the one on which it ends. Takes ten times as long."""
    last = max((line or 0 for position in code.co_positions() for line in position[:2]), default=0)
    inner = [_last_position(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
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
            self.line, self.end_line, self._body = code.co_firstlineno, _last_position(code), ""
            return
        file = self._definitions.file(code.co_filename, self._stamp)
        found = file.definition(code)
        if found is None:
            found = Definition(code.co_firstlineno, name, again=False)
            self.end_line, self._body = _last_position(code), ""
        else:
            self.end_line, self._body = file.end_and_body(code, found.line)
        self.name = f"{name}:{found.line}" if found.again else name
        self.line = found.line

    def text(self) -> list[str]:
        """See ``Function``."""
        lines = self._definitions.file(self._code.co_filename, self._stamp).lines
        return lines[self.line - 1 : self.end_line]

    @property
    def body(self) -> str:
        """See ``Function``."""
        return str(self._body)

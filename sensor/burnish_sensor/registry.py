"""Every function that was rewritten: its number (what the rewritten code passes), name and place."""

from __future__ import annotations

import ast
import threading
import zlib
from dataclasses import dataclass
from typing import Any

from .identity import body_hash

OTHER = "<other>"


class Source:
    """The text of a module, kept to hash the bodies of those of its functions that are really called.

    Hashing at import would double the cost of the start; it is done by the flush thread, once for a module. After
    that the text is kept compressed: it is needed again when one of its functions is called too often.
    """

    def __init__(self, text: str) -> None:
        self._text: str | None = text
        self._packed = b""
        self._bodies: dict[int, str] = {}

    @property
    def text(self) -> str:
        """The text as it was imported."""
        return zlib.decompress(self._packed).decode("utf-8", "surrogatepass") if self._text is None else self._text

    def body(self, line: int) -> str:
        """The body hash of the function whose ``def`` is on ``line``; "" if there is none."""
        if self._text is not None:
            for node in ast.walk(ast.parse(self._text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self._bodies[node.lineno] = body_hash(node)
            self._packed = zlib.compress(self._text.encode("utf-8", "surrogatepass"), 1)
            self._text = None
        return self._bodies.get(line, "")


@dataclass(frozen=True)
class Function:
    """A function of the application. ``line`` is that of its ``def``; ``file`` is relative to the root."""

    name: str
    file: str
    line: int
    end_line: int
    kind: str
    source: Source | None = None

    def to_dict(self) -> dict[str, Any]:
        """The shape of a value of ``functions`` in ``docs/format.md``."""
        body = self.source.body(self.line) if self.source else ""
        return {"file": self.file, "line": self.line, "end_line": self.end_line, "body": body, "kind": self.kind}


class Registry:
    """Numbers functions from 1. Number 0 is "no application function"."""

    def __init__(self, capacity: int = 50_000) -> None:
        self.functions: list[Function] = [Function("", "", 0, 0, "function")]
        self.capacity = capacity
        self.dropped = 0
        #: the path of each rewritten module: its path relative to the root
        self.files: dict[str, str] = {}
        self.modules: list[str] = []
        self.fallbacks: list[str] = []
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """A thread that is not in this process may have held the lock."""
        self._lock = threading.Lock()

    def add(self, function: Function) -> int:
        """The number of a function: the same for a module that is reloaded, 0 when there is no room."""
        with self._lock:
            number = self._numbers.get(function.name)
            if number is not None:
                self.functions[number] = function
            elif len(self.functions) >= self.capacity:
                self.dropped += 1
                number = 0
            else:
                number = self._numbers[function.name] = len(self.functions)
                self.functions.append(function)
            return number

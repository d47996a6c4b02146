"""Every function that was rewritten: its number (what the rewritten code passes), name and place."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Any

from .. import threads

OTHER = "<other>"
_LINE_END = re.compile(r"\r\n|\r|\n")


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

    def body(self, line: int, end_line: int) -> str:
        """The body hash of the function whose ``def`` is on ``line`` and which ends on ``end_line``; "" if none is."""
        if line not in self._bodies:
            from .bodyhash import function_at  # loads much, and only the flush thread asks

            self._bodies[line] = function_at(_lines(self), line, end_line)
            if self._text is not None:
                self._packed = zlib.compress(self._text.encode("utf-8", "surrogatepass"), 1)
                self._text = None
        return self._bodies[line]


@lru_cache(maxsize=1)  # functions are asked for module by module
def _lines(source: Source) -> list[str]:
    return _LINE_END.split(source.text)


class Function:
    """A function of the application. ``line`` is that of its ``def``; ``file`` is relative to the root."""

    __slots__ = ("end_line", "file", "kind", "line", "name", "source")

    def __init__(self, name: str, file: str, line: int, end_line: int, kind: str, source: Source | None = None) -> None:
        self.name, self.file, self.line, self.end_line = name, file, line, end_line
        self.kind, self.source = kind, source

    @property
    def body(self) -> str:
        """The hash of its body; "" where that is not known."""
        return self.source.body(self.line, self.end_line) if self.source else ""

    def text(self) -> list[str]:
        """The lines of its definition, without line ends; empty where they are not known."""
        return _lines(self.source)[self.line - 1 : self.end_line] if self.source is not None else []

    def to_dict(self) -> dict[str, Any]:
        """The shape of a value of ``functions`` in ``docs/format.md``."""
        line = self.line
        return {"file": self.file, "line": line, "end_line": self.end_line, "body": self.body, "kind": self.kind}


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
        self._unnamed: list[Function] = []
        self._lock = threads.Lock()

    def after_fork_in_child(self) -> None:
        """A thread that is not in this process may have held the lock."""
        self._lock = threads.Lock()

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

    def append(self, function: Function) -> int:
        """The number of a function that has none yet, and whose name is not known yet; 0 when there is no room."""
        with self._lock:
            if len(self.functions) >= self.capacity:
                self.dropped += 1
                return 0
            self.functions.append(function)
            self._unnamed.append(function)
            return len(self.functions) - 1

    def take_unnamed(self) -> list[Function]:
        """The functions that ``append`` numbered since the last time: to name them, files may have to be read."""
        with self._lock:
            unnamed, self._unnamed = self._unnamed, []
        return unnamed

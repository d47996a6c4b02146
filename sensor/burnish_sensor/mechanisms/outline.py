"""Where the functions of a source file are, and what they are called: read from its text, without parsing it.

To parse a long module holds the interpreter for 100 ms and more, and nearly every module has two functions of one name
(``__init__``), which only their classes tell apart. So the text is gone through once, in small steps: strings and
comments are passed over, and what a ``def`` or ``class`` is in is told by its margin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_PARTS = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r"|#[^\n]*"
    r"|^([ \t\f]*)(?:(class|def|async[ \t]+def)[ \t]+(\w+)"
    r"|(?:if|elif|else|try|except|finally|with|for|while|async|case)\b)",
    re.MULTILINE | re.DOTALL,
)


class Definition(NamedTuple):
    """The ``def`` of a function; ``again``: its module has another of this name before it."""

    line: int
    name: str
    again: bool


def definitions(text: str) -> Iterator[Definition]:
    """The functions of a module in the order of their lines, with their qualified names.

    Where a text defeats this (quotes within an f-string on several lines), a name is not that of the code: see there.
    """
    scopes: list[tuple[int, str]] = [(-1, "")]
    seen: set[str] = set()
    line, at = 1, 0
    for part in _PARTS.finditer(text):
        if part[1] is None:
            continue
        margin = len(part[1].expandtabs())
        while scopes[-1][0] >= margin:
            scopes.pop()
        if part[3] is None:  # a block that has no name ends those that are not around it
            continue
        line, at = line + text.count("\n", at, part.start()), part.start()
        name = scopes[-1][1] + part[3]
        if part[2] == "class":
            scopes.append((margin, name + "."))
            continue
        scopes.append((margin, name + ".<locals>."))
        yield Definition(line, name, name in seen)
        seen.add(name)

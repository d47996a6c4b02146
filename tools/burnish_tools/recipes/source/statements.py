"""The shapes of SELECT that Django writes when an attribute is read, in normalised SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[\"`]?([\w.]+)[\"`]?"
_COLUMN = r"[\"`]?([\w]+)[\"`]?\.[\"`]?([\w]+)[\"`]?"
_PLACEHOLDER = r"(?:\?|%s|\$\d+)"
_ONE = re.compile(
    rf"^SELECT (?!DISTINCT|COUNT).+? FROM {_NAME} WHERE {_COLUMN} = {_PLACEHOLDER}(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_THROUGH = re.compile(
    rf"^SELECT (?!DISTINCT|COUNT).+? FROM {_NAME} INNER JOIN {_NAME} ON \(?{_COLUMN} = {_COLUMN}\)?"
    rf" WHERE {_COLUMN} = {_PLACEHOLDER}(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_FROM = re.compile(rf"\bFROM {_NAME}", re.IGNORECASE)
_TABLES = re.compile(rf"\b(?:FROM|JOIN) {_NAME}", re.IGNORECASE)


@dataclass(frozen=True)
class Lookup:
    """`SELECT … FROM table [JOIN through] WHERE condition_table.column = ?`"""

    table: str
    condition_table: str
    column: str
    limited: bool
    """True where at most a fixed number of rows is asked for (`.get()` limits to 21)."""
    plain: bool
    """True where nothing but an ORDER BY follows the one condition."""


def lookup(statement: str) -> Lookup | None:
    """The lookup that a statement does; None for any other shape."""
    text = " ".join(statement.split())
    through = _THROUGH.match(text)
    if through:
        return _read(through.group(1), through.group(7), through.group(8), through.group("rest"))
    one = _ONE.match(text)
    if one:
        return _read(one.group(1), one.group(2), one.group(3), one.group("rest"))
    return None


def _read(table: str, condition_table: str, column: str, rest: str) -> Lookup:
    rest = rest.strip()
    limited = re.search(rf"\bLIMIT (?:{_PLACEHOLDER}|\d+)$", rest, re.IGNORECASE) is not None
    plain = not rest or re.match(r"^(ORDER BY|LIMIT)\b", rest, re.IGNORECASE) is not None
    return Lookup(table, condition_table, column, limited, plain)


def main_table(statement: str) -> str:
    """The table after the first FROM; empty where there is none."""
    found = _FROM.search(" ".join(statement.split()))
    return found.group(1) if found else ""


def tables(statement: str) -> frozenset[str]:
    """Every table that is read."""
    return frozenset(_TABLES.findall(" ".join(statement.split())))

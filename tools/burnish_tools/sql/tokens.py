"""The tokens of a statement, each either known to hold no value or marked as one; None on any doubt."""

from __future__ import annotations

import re
from typing import NamedTuple

from burnish_tools.sql.dialects import Dialect, words

_COMMENT_EDGE = re.compile(r"/\*|\*/")
_QUOTE = re.compile(r"['\"`$\[]|/\*")
_RETURN = re.compile(r"\r(?!\n)")
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_PLAIN_BRACKET = re.compile(r"\[[^\W\d][\w$ ]*\]")
_BEFORE_STRING = words(
    "and all any as between by case date distinct else end escape from glob having ilike in interval is like limit "
    "match not offset on or over regexp return select set similar then time timestamp union using values when where"
)
"""Words that may stand right before a quote; any other word there could be a prefix that changes how it is read."""


class Token(NamedTuple):
    """`kind`: `space`, `value`, `name` (a quoted one), `double` (a name or a string), `word` or `operator`."""

    kind: str
    text: str


def tokens(sql: str, dialect: Dialect) -> list[Token] | None:
    """The tokens without comments (they are spaces); None where one of them cannot be read with certainty."""
    found: list[Token] = []
    position, end = 0, len(sql)
    while position < end:
        match = dialect.token.match(sql, position)
        if match is None:
            return None
        kind, text, position = match.lastgroup or "", match.group(), match.end()
        if kind in ("block", "dollar"):
            position = _comment_end(sql, position, dialect) if kind == "block" else _dollar_end(sql, match, dialect)
            if position < 0:
                return None
        token = _token(kind, text, sql[position : position + 1], dialect)
        if token is None:
            return None
        found.append(token)
    return found


def _token(kind: str, text: str, following: str, dialect: Dialect) -> Token | None:
    if kind in ("word", "operator"):
        doubtful = following == "'" and kind == "word" and text.lower() not in _BEFORE_STRING
        return None if doubtful else Token(kind, text)
    if kind in ("space", "block"):
        return Token("space", " ")
    if kind == "line":
        return None if _doubtful_line(text, dialect) else Token("space", " ")
    if kind == "string":
        return None if _doubtful_string(text, dialect) else Token("value", "?")
    if kind in ("name", "double", "bracket", "temporary"):
        return _name(kind, text, dialect)
    return Token("value", "?")


def _name(kind: str, text: str, dialect: Dialect) -> Token | None:
    if dialect.double == "unknown" and ("\\" in text or (kind == "name" and _QUOTE.search(text[1:-1]))):
        return None
    if _UNSTORABLE.search(text) or (kind == "bracket" and not _PLAIN_BRACKET.fullmatch(text)):
        return Token("value", "?")
    if kind == "double":
        return Token("value", "?") if dialect.double == "value" else Token("double", text)
    return Token("name", text)


def _doubtful_line(text: str, dialect: Dialect) -> bool:
    """Where a return ends a line for some, or `--x` is no comment for some, nothing that matters may stand in it."""
    unsure = (dialect.doubtful_lines and not text[2:3].isspace() and len(text) > 2) or _RETURN.search(text)
    return bool(unsure) and _QUOTE.search(text) is not None


def _doubtful_string(text: str, dialect: Dialect) -> bool:
    if dialect.backslash is not None:
        return False
    return "\\'" in text or '\\"' in text or (dialect.double == "unknown" and "'''" in text[:4])


def _comment_end(sql: str, position: int, dialect: Dialect) -> int:
    """Where the comment ends that begins before `position`; -1 where it does not, or where that is not certain."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, position):
        if edge.group() == "*/":
            depth -= 1
        elif dialect.nested is None:
            return -1
        elif dialect.nested:
            depth += 1
        if not depth:
            return edge.end()
    return -1


def _dollar_end(sql: str, opened: re.Match[str], dialect: Dialect) -> int:
    start = sql.find(opened.group(), opened.end())
    if start < 0 or (dialect.double == "unknown" and re.search(r"['\"`]|--|/\*", sql[opened.end() : start])):
        return -1
    return start + len(opened.group())

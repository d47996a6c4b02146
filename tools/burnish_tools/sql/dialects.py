"""Where the dialects of SQL disagree about the end of a token, and the expression that reads the tokens of each.

A wrong guess here would let the text of a literal pass for words. So each system gets its own expression, and for a
system that is not known every token that two dialects read differently is doubtful (`UNKNOWN`).

All repetitions are possessive: a statement is read in one pass, whatever is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Double = Literal["name", "value", "either", "unknown"]


@dataclass(frozen=True)
class Dialect:
    """How one system reads what others read differently."""

    token: re.Pattern[str]
    """One token; its groups are the kinds of tokens."""
    double: Double
    """What `"x"` is. `either`: SQLite reads it as a string where no column has that name."""
    nested: bool | None = False
    """Whether a block comment may hold another; None: not known."""
    backslash: bool | None = False
    """Whether a backslash before a quote takes its meaning from it; None: not known, or a setting decides."""
    doubtful_lines: bool = False
    """Whether not every dialect reads `--x` as a comment."""


_SPACE = r"(?P<space>\s++)"
_LINE = r"(?P<line>--[^\n]*+)"
_MYSQL_LINE = r"(?P<line>--(?=\s|\Z)[^\n]*+|\#[^\n]*+)"
_BLOCK = r"(?P<block>/\*)"
_DOLLAR = r"(?P<dollar>\$(?:[^\W\d]\w*+)?+\$)"
_PREFIX = r"(?:[nNbBxX]|[uU]&)?+"
_SINGLE = r"'[^']*+(?:''[^']*+)*+'(?!\w)"
_STRING = rf"(?P<string>{_PREFIX}{_SINGLE})"
_ESCAPED = r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'(?!\w)"
_POSTGRES_STRING = rf"(?P<escaped>[eE]{_ESCAPED})|{_STRING}"
_ORACLE_STRING = (
    r"(?P<quoted>[nN]?[qQ]'(?:\[(?s:.*?)\]'|\((?s:.*?)\)'|\{(?s:.*?)\}'|<(?s:.*?)>'"
    r"|(?P<mark>[^\s\[({<'])(?s:.*?)(?P=mark)')(?!\w))|" + _STRING
)
_MYSQL_DOUBLE = _ESCAPED.replace("'", '"')
_MYSQL_STRING = rf"(?P<escaped>(?:[nNbBxX]|_[A-Za-z]\w*+)?+(?:{_ESCAPED}|{_MYSQL_DOUBLE}))"
_BACKTICK = r"(?P<name>`[^`]*+(?:``[^`]*+)*+`)"
_BRACKET = r"(?P<bracket>\[[^\]]*+(?:\]\][^\]]*+)*+\])"
_DOUBLE = r'(?P<double>(?:[uU]&)?+"[^"]*+(?:""[^"]*+)*+")'
_PLACEHOLDER = (
    r"(?P<placeholder>%s|%\([\w.-]++\)s|\$\d++|\?\d*+"
    r"|(?<![:\w?]):[^\W\d]\w*+|(?<![:\w?]):\d++|(?<!@)@[^\W\d]\w*+)"
)
_DOLLAR_NAME = r"(?P<dollar_name>\$[^\W\d]\w*+)"
_TEMPORARY = r"(?P<temporary>\#\#?+[^\W\d]\w*+)"
_NUMBER = (
    r"(?P<number>(?>0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++"
    r"|(?:\d[\d_]*+(?:\.[\d_]*+)?+|\.\d[\d_]*+)(?:[eE][+-]?+\d[\d_]*+)?+)(?![\w$]))"
)
_WORD = r"(?P<word>[^\W\d][\w$]*+)"
_OPERATORS = r"(?P<operator>::|/(?!\*)|[-+*<>=~!@%^&|.,;:(){}\[\]"
_HASH = r"\#])"
_NO_HASH = "])"
_PLAIN_HASH = r"]|\#(?=[->]))"


def _token(*pieces: str) -> re.Pattern[str]:
    return re.compile("|".join(pieces), re.DOTALL)


_POSTGRES = Dialect(
    _token(_SPACE, _LINE, _BLOCK, _DOLLAR, _PLACEHOLDER, _POSTGRES_STRING, _DOUBLE, _NUMBER, _WORD,
           _OPERATORS + _HASH),
    double="name", nested=True, backslash=None,
)  # fmt: skip
_SQLITE = Dialect(
    _token(_SPACE, _LINE, _BLOCK, _PLACEHOLDER, _DOLLAR_NAME, _STRING, _BACKTICK, _BRACKET, _DOUBLE, _NUMBER, _WORD,
           _OPERATORS + _NO_HASH),
    double="either",
)  # fmt: skip
_MYSQL = Dialect(
    _token(_SPACE, _MYSQL_LINE, _BLOCK, _PLACEHOLDER, _MYSQL_STRING, _BACKTICK, _NUMBER, _WORD, _OPERATORS + _NO_HASH),
    double="value", backslash=True,
)  # fmt: skip
MYSQL_WITHOUT_BACKSLASH = Dialect(
    _token(_SPACE, _MYSQL_LINE, _BLOCK, _PLACEHOLDER, _STRING, _BACKTICK, _DOUBLE, _NUMBER, _WORD,
           _OPERATORS + _NO_HASH),
    double="value",
)  # fmt: skip
"""MySQL in the mode NO_BACKSLASH_ESCAPES."""
_SQL_SERVER = Dialect(
    _token(_SPACE, _LINE, _BLOCK, _PLACEHOLDER, _STRING, _BRACKET, _DOUBLE, _NUMBER, _TEMPORARY, _WORD,
           _OPERATORS + _NO_HASH),
    double="name", nested=True,
)  # fmt: skip
_ORACLE = Dialect(
    _token(_SPACE, _LINE, _BLOCK, _PLACEHOLDER, _ORACLE_STRING, _DOUBLE, _NUMBER, _WORD, _OPERATORS + _NO_HASH),
    double="name",
)  # fmt: skip
UNKNOWN = Dialect(
    _token(_SPACE, _LINE, _BLOCK, _DOLLAR, _PLACEHOLDER, _STRING, _BACKTICK, _DOUBLE, _NUMBER, _WORD,
           _OPERATORS + _PLAIN_HASH),
    double="unknown", nested=None, backslash=None, doubtful_lines=True,
)  # fmt: skip
MYSQL = _MYSQL
_BY_SYSTEM = {
    "postgresql": _POSTGRES,
    "postgres": _POSTGRES,
    "redshift": _POSTGRES,
    "cockroachdb": _POSTGRES,
    "sqlite": _SQLITE,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mssql": _SQL_SERVER,
    "microsoft.sql_server": _SQL_SERVER,
    "oracle": _ORACLE,
    "oracle.db": _ORACLE,
}


def dialect(system: str) -> Dialect:
    """By OpenTelemetry's `db.system` or `db.system.name`; the strictest one for a system that is not known."""
    return _BY_SYSTEM.get(system.lower(), UNKNOWN)


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())

"""Normalised SQL: the shape of a statement without its literals. What cannot be read for sure is not written at all.

``normalise`` is a tokenizer, not a parser: every token is either known to hold no value (word, operator, quoted
identifier) or replaced by ``?``. On any doubt (a quote that does not end, a character that no rule knows) the result
is only the verb: ``SELECT /* not normalised */``.

A module of its own, for its expressions take milliseconds to compile: it is loaded with the first driver.
"""

from __future__ import annotations

import re

#: a longer statement is not read
LONGEST = 100_000

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/)
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<placeholder>%s|%\([^)\s]+\)s|\$\d+|\?\d*|(?<![:\w?]):[A-Za-z_]\w*|(?<![:\w?]):\d+|(?<!@)@[A-Za-z_]\w*)
  | (?P<string>(?:[eEnNbBxX]|[uU]&|_[A-Za-z]\w*)?'(?:[^']|'')*'(?![\w']))
  | (?P<identifier>`(?:[^`]|``)*`)
  | (?P<double>(?:[uU]&)?"(?:[^"]|"")*")
  | (?P<number>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|
      (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?![\w$])
  | (?P<word>[^\W\d]\w*)
  | (?P<operator>::|/(?!\*)|[-+*<>=~!@\#%^&|.,;:()\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
#: quoted identifiers as frameworks list columns, ``"a"."b", "a"."c"``: read in one step
_COLUMNS = re.compile(r'(?:"[^"]*"(?!")(?:\.(?!\d)|, ?| )?)+')
_VALUES = frozenset({"dollar", "tag", "number", "placeholder"})
_BACKSLASH_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"", re.DOTALL)
_HASH_COMMENT = re.compile(r"#[^\n]*")
#: dialects in which what stands before a token decides what it is
_WITH_CONTEXT = frozenset({"sqlite", "mysql", "mariadb"})
_MINUS = re.compile(r"(?P<operator>-)(?=-\S)")
_BEFORE_VALUE = frozenset(
    {"=", "<", ">", "~", "|", "like", "ilike", "glob", "regexp", "match", "then", "else", "between", "and", "escape"}
)
_NAME = re.compile(r'"[A-Za-z_][A-Za-z0-9_$]*"')
#: no part of it can be read in two ways: a pattern that can takes exponential time
_VERB = re.compile(r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*\n)*([A-Za-z]+)")
_VERBS = frozenset(
    {
        "ALTER",
        "ANALYZE",
        "BEGIN",
        "CALL",
        "COMMIT",
        "COPY",
        "CREATE",
        "DELETE",
        "DROP",
        "EXPLAIN",
        "GRANT",
        "INSERT",
        "LOCK",
        "MERGE",
        "PRAGMA",
        "RELEASE",
        "REPLACE",
        "ROLLBACK",
        "SAVEPOINT",
        "SELECT",
        "SET",
        "SHOW",
        "START",
        "TRUNCATE",
        "UPDATE",
        "VACUUM",
        "VALUES",
        "WITH",
    }
)
_LIST = r"\?(?:\s*,\s*\?)+"
_IN_LIST = re.compile(r"(\bIN\s*\(\s*)" + _LIST + r"(\s*\))", re.IGNORECASE)
_ARRAY = re.compile(r"(\bARRAY\s*\[\s*)" + _LIST + r"(\s*\])", re.IGNORECASE)
_ROWS = re.compile(r"(\((?:[^()']|\([^()']*\))*\))(?:\s*,\s*\1)+")


def normalise(sql: str, system: str = "") -> str:
    """The statement with ``?`` for every literal and placeholder, without comments, in single spaces.

    ``system`` decides what dialects read differently: in MySQL a backslash escapes and ``"x"`` is a string; in SQLite
    ``"x"`` may silently be a string, so that it is kept only where it cannot be a compared value.
    """
    if len(sql) > LONGEST:
        return _not_normalised(sql)
    tokens = _Reader(sql, system).read() if system in _WITH_CONTEXT else _read_plain(sql)
    if tokens is None:
        return _not_normalised(sql)
    text = "".join(tokens).strip()
    text = _IN_LIST.sub(r"\1?\2", text)
    text = _ARRAY.sub(r"\1?\2", text)
    return _ROWS.sub(r"\1", text)


def _read_plain(sql: str) -> list[str] | None:
    """What ``_Reader`` reads of a dialect in which each token says by itself whether it holds a value."""
    tokens: list[str] = []
    position, end = 0, len(sql)
    while position < end:
        match = _COLUMNS.match(sql, position) if sql[position] == '"' else None
        match = match or _TOKEN.match(sql, position)
        if match is None:
            return None
        kind, text, position = match.lastgroup, match.group(), match.end()
        if kind in _VALUES:
            tokens.append("?")
        elif kind in ("space", "comment"):
            if tokens and tokens[-1][-1] != " ":
                tokens.append(" ")
        elif kind != "string":
            tokens.append(text)
        elif _is_doubtful(text):
            return None
        else:
            tokens.append("?")
    return tokens


def _is_doubtful(text: str) -> bool:
    """A string with a backslash before a quote: dialects and their settings disagree where it stops."""
    return "\\'" in text or '\\"' in text


class _Reader:
    """Reads one statement token by token. ``previous`` is the last one that is not space, in lower case."""

    def __init__(self, sql: str, system: str) -> None:
        self._sql, self._system = sql, system
        self._mysql = system in ("mysql", "mariadb")
        self._tokens: list[str] = []
        self._previous = ""
        #: for each open parenthesis, whether it holds a list of values
        self._lists: list[bool] = []
        self._in_values = False

    def read(self) -> list[str] | None:
        """The normalised tokens; None when one of them cannot be read for sure."""
        position = 0
        while position < len(self._sql):
            match = self._match(position)
            text = self._text(match) if match else None
            if match is None or text is None:
                return None
            self._add(text)
            position = match.end()
        return self._tokens

    def _match(self, position: int) -> re.Match[str] | None:
        start = self._sql[position]
        if self._mysql and start == "#":
            return _HASH_COMMENT.match(self._sql, position)
        if self._mysql and start == "-" and _MINUS.match(self._sql, position):  # in MySQL a comment needs a space
            return _MINUS.match(self._sql, position)
        if self._mysql and start in "'\"":
            return _BACKSLASH_STRING.match(self._sql, position)
        return _TOKEN.match(self._sql, position)

    def _text(self, match: re.Match[str]) -> str | None:
        kind, text = match.lastgroup, match.group()
        if kind in ("space", "comment") or (self._mysql and text.startswith("#")):
            return " "
        if kind in (None, "string"):  # None: a string of MySQL
            return None if self._system != "sqlite" and _is_doubtful(text) else "?"
        if kind in ("dollar", "tag", "number", "placeholder"):
            return "?"
        if kind == "double" and self._system == "sqlite" and self._may_be_value(text, match.end()):
            return "?"
        return text

    def _add(self, text: str) -> None:
        if text == " ":
            if self._tokens and self._tokens[-1] != " ":
                self._tokens.append(text)
            return
        if text == "(":
            in_values = self._in_values and not self._lists
            self._lists.append(in_values or self._previous == "in" or self._in_list())
        elif text == ")" and self._lists:
            self._lists.pop()
        self._tokens.append(text)
        self._previous = text.lower()
        if self._previous == "values":
            self._in_values = True

    def _in_list(self) -> bool:
        return bool(self._lists) and self._lists[-1]

    def _may_be_value(self, text: str, end: int) -> bool:
        """Whether SQLite could read ``"text"`` as a string: it does so where no column has that name."""
        if self._previous == "." or self._sql[end : end + 1] == ".":
            return False
        return self._in_list() or self._previous in _BEFORE_VALUE or not _NAME.fullmatch(text)


def _not_normalised(sql: str) -> str:
    match = _VERB.match(sql[:1_000])
    verb = match.group(1).upper() if match else ""
    return (verb if verb in _VERBS else "SQL") + " /* not normalised */"

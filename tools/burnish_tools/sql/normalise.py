"""The shape of a statement without its literals, for whatever arrives from outside.

The output is that of the sensor's own normaliser (`docs/format.md`; a shared corpus is in the tests), so that one
statement has one text wherever it was seen:

    SELECT  "id" FROM "user" WHERE "email" = 'ann@example.org' AND "kind" IN (1, 2, 3)  -- why
    SELECT "id" FROM "user" WHERE "email" = ? AND "kind" IN (?)

Literals and placeholders become `?`, comments and hints a space, lists of `?` and equal rows one of them. TRUE, FALSE
and NULL are words and stay. Names stay too, but lose data that they carry (`SAVEPOINT "s1401_x7"`, `tmp_8f14e45fceea`).
A statement that cannot be read with certainty (a quote that does not end, a backslash of which a setting decides what
it means, a system that is not known) becomes its verb: `SELECT /* not normalised */`. Never its text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from burnish_tools.sql.dialects import MYSQL, MYSQL_WITHOUT_BACKSLASH, Dialect, dialect, words
from burnish_tools.sql.tokens import Token, tokens

LONGEST = 200_000
"""Characters of a statement that are read: half a second at worst. A longer one is data, and becomes its verb."""
LONGEST_SHAPE = 100_000
"""Characters of a normalised one; the sensor reads no more than this."""
CACHED = 4_000
"""Longer statements are mostly literals and do not come twice; 4,096 of this length take at most 64 MB."""

_VERBS = words(
    "ALTER ANALYZE BEGIN CALL COMMIT COPY CREATE DELETE DROP EXPLAIN GRANT INSERT LOCK MERGE PRAGMA RELEASE REPLACE "
    "ROLLBACK SAVEPOINT SELECT SET SHOW START TRUNCATE UPDATE VACUUM VALUES WITH"
)
_VERB = re.compile(r"(?>\s++|/\*.*?\*/|--[^\n]*+\n)*+([A-Za-z]++)", re.DOTALL)
_UNREADABLE = re.compile(r"([A-Z]+) /\* not normalised \*/")
_LIST = r"\?(?:\s*+,\s*+\?)+"
_COLLAPSE = (
    (re.compile(r"(\bIN\s*+\(\s*+)" + _LIST + r"(\s*\))", re.IGNORECASE), r"\1?\2"),
    (re.compile(r"(\bARRAY\s*+\[\s*+)" + _LIST + r"(\s*\])", re.IGNORECASE), r"\1?\2"),
    (re.compile(r"(\((?>[^()']++|\([^()']*+\))*+\))(?:\s*,\s*\1)+"), r"\1"),
)
_PASSES = 10
_BEFORE_VALUE = words("= < > ~ | like ilike glob regexp match then else between and escape")
_BEFORE_TABLE = words("from join into update table")
_PLAIN = re.compile(r'"[A-Za-z_][A-Za-z0-9_$]*"')
_DATA = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d{6}|(?=[a-fA-F]{0,6}\d[a-fA-F]{0,6}\d)[0-9a-fA-F]{8}")
"""What no one writes in a name by hand: a UUID, six digits in a row, eight hexadecimal ones of which two are digits."""
_SESSION = words("savepoint release rollback fetch move close deallocate")
"""Statements that name what the driver has numbered: savepoints, cursors, prepared statements."""
_NAMING = words("declare prepare")


def normalise(text: str, system: str = "") -> str:
    """The statement in single spaces with `?` for every literal and placeholder; never raises, and does it only once:
    what is normalised stays as it is.

    `system` is OpenTelemetry's `db.system.name` (`postgresql`, `mysql`, `sqlite`, …). Without it whatever dialects
    read differently is not certain.
    """
    return _cached(text, system) if len(text) <= CACHED else _normalised(text, system)


def _normalised(text: str, system: str) -> str:
    if _UNREADABLE.fullmatch(text):
        return text if text.partition(" ")[0] in {*_VERBS, "SQL"} else _verb_of("")
    if len(text) > LONGEST:
        return _verb_of(text)
    spoken = dialect(system)
    shape = _shape(text, spoken)
    if spoken is MYSQL and shape is not None and ("\\'" in text or '\\"' in text):
        other = _shape(text, MYSQL_WITHOUT_BACKSLASH)
        shape = shape if other in (None, shape) else None
    return shape if shape is not None and len(shape) <= LONGEST_SHAPE else _verb_of(text)


_cached = lru_cache(maxsize=4096)(_normalised)


def _shape(text: str, spoken: Dialect) -> str | None:
    read = tokens(text, spoken)
    if read is None:
        return None
    shape = "".join(_Writer(read, spoken).written()).strip()
    for _ in range(_PASSES):
        before = shape
        for pattern, instead in _COLLAPSE:
            shape = pattern.sub(instead, shape)
        if shape == before:
            return shape
    return None


def _verb_of(text: str) -> str:
    match = _VERB.match(text[:1_000])
    verb = match.group(1).upper() if match else ""
    return (verb if verb in _VERBS else "SQL") + " /* not normalised */"


class _Writer:
    """Writes the tokens one by one. `_previous` is the last one that is no space, in lower case."""

    def __init__(self, read: list[Token], spoken: Dialect) -> None:
        self._read, self._double = read, spoken.double
        if spoken.double == "unknown":
            self._double = "name" if _quotes_names(read) else "value"
        self._out: list[str] = []
        self._previous = ""
        self._verb = ""
        self._lists: list[bool] = []
        """For each open parenthesis, whether it holds a list of values."""
        self._in_values = False

    def written(self) -> list[str]:
        """The texts, with single spaces between them."""
        for index, (kind, text) in enumerate(self._read):
            if kind == "space":
                self._space()
            elif kind == "double":
                following = self._read[index + 1].text if index + 1 < len(self._read) else ""
                self._add("?" if self._is_value(text, following) else self._plain_name(text))
            elif kind in ("name", "word"):
                self._add(self._plain_name(text))
            else:
                self._add(text)
        return self._out

    def _space(self) -> None:
        if self._out and self._out[-1] != " ":
            self._out.append(" ")

    def _add(self, text: str) -> None:
        if text == "(":
            in_values = self._in_values and not self._lists
            self._lists.append(in_values or self._previous == "in" or self._in_list())
        elif text == ")" and self._lists:
            self._lists.pop()
        elif text == "-" and self._out and self._out[-1] == "-":
            self._space()  # MySQL's 5--3 is no comment
        self._out.append(text)
        self._previous = text.lower()
        self._verb = self._verb or self._previous
        self._in_values = self._in_values or self._previous == "values"

    def _in_list(self) -> bool:
        return bool(self._lists) and self._lists[-1]

    def _is_value(self, text: str, following: str) -> bool:
        if self._double != "either":
            return self._double == "value"
        if self._previous == "." or following == ".":
            return False
        return self._in_list() or self._previous in _BEFORE_VALUE or not _PLAIN.fullmatch(text)

    def _plain_name(self, text: str) -> str:
        """Without the data in it."""
        numbered = self._verb in _SESSION or (self._verb in _NAMING and self._previous == self._verb)
        if numbered and any(character.isdigit() for character in text):
            return "s?"
        found = _DATA.search(text)
        return text if found is None else text[: found.start()].lstrip('"`[') + "?"


def _quotes_names(read: list[Token]) -> bool:
    """Whether a statement of an unknown system shows that `"x"` is a name: next to a dot, or where a table stands."""
    plain = [token for token in read if token.kind != "space"]
    for before, token, after in zip([Token("", ""), *plain], plain, [*plain[1:], Token("", "")], strict=False):
        if token.kind == "double" and ("." in (before.text, after.text) or before.text.lower() in _BEFORE_TABLE):
            return True
    return False

"""What both adapters ask of a normalised statement, without parsing it: placeholders, tables by alias, LIMIT."""

from __future__ import annotations

import re

from burnish.protocols import Index

TYPICAL_PAGE = 20
"""Rows assumed for `LIMIT ?`: a page of a list. The planner has to be told some number, because an unknown or NULL
limit makes it plan for a tenth of the rows or for all of them."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\'(?:[^\']|\'\')*\'')
_LIMIT = re.compile(r"\bLIMIT\s+\?", re.IGNORECASE)
_OFFSET = re.compile(r"\bOFFSET\s+\?", re.IGNORECASE)
_FETCH = re.compile(r"\bFETCH\s+(FIRST|NEXT)\s+\?", re.IGNORECASE)
_HAS_LIMIT = re.compile(r"\bLIMIT\b|\bFETCH\s+(?:FIRST|NEXT)\b", re.IGNORECASE)
_NAME = r'(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\w+)'
_SOURCE = re.compile(
    rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?P<table>{_NAME}(?:\.{_NAME})?)(?:\s+(?:AS\s+)?(?P<alias>{_NAME}))?",
    re.IGNORECASE,
)
_VERBS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
_AFTER_TABLE = re.compile(
    r"where|on|set|join|inner|left|right|full|cross|natural|order|group|having|limit|values|using|union|returning"
    r"|as|offset|fetch|window|for|default|select|except|intersect",
    re.IGNORECASE,
)


def plannable(statement: str) -> str | None:
    """The statement where it is a single one that a planner takes; None for anything else."""
    text = statement.strip().rstrip(";").strip()
    bare = _QUOTED.sub("", text)
    if ";" in bare or "/*" in bare or "--" in bare or "$" in bare:
        return None
    return text if bare.lstrip("( ").upper().startswith(_VERBS) else None


def placeholders(statement: str) -> int:
    """How many `?` are parameters."""
    return _QUOTED.sub("", statement).count("?")


def numbered(statement: str) -> tuple[str, int]:
    """The statement with `$1 … $n` for `?`, and n; a limit becomes a typical page."""
    text = _OFFSET.sub("OFFSET 0", _LIMIT.sub(f"LIMIT {TYPICAL_PAGE}", statement))
    text = _FETCH.sub(rf"FETCH \1 {TYPICAL_PAGE}", text)
    pieces, n, at = [], 0, 0
    for match in re.finditer(rf"{_QUOTED.pattern}|\?", text):
        if match.group() == "?":
            n += 1
            pieces += [text[at : match.start()], f"${n}"]
            at = match.end()
    return "".join([*pieces, text[at:]]), n


_PREDICATE = re.compile(r"(?P<no>NOT )?(?P<column>\w+)(?P<null> IS (?:NOT )?NULL)?")


def create_index(name: str, index: Index) -> str:
    """The statement that makes an index, in the SQL that SQLite and PostgreSQL share. Raises ValueError."""
    columns = ", ".join(quoted(column.removeprefix("-")) + " DESC" * column.startswith("-") for column in index.columns)
    where = f" WHERE {condition(index.where)}" if index.where else ""
    return f"CREATE INDEX {name} ON {quoted(index.table)} ({columns}){where}"


def condition(where: str) -> str:
    """The condition of a partial index with its column quoted. Raises ValueError for one that is no plain condition
    without a value (`deleted_at IS NULL`, `active`, `NOT archived`)."""
    match = _PREDICATE.fullmatch(where)
    if match is None or (match["no"] and match["null"]):
        raise ValueError(f"{where!r} is no condition that an index is made with here")
    return f"{match['no'] or ''}{quoted(match['column'])}{match['null'] or ''}"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def limited(statement: str) -> bool:
    """True where the statement stops after some rows."""
    return _HAS_LIMIT.search(_QUOTED.sub("", statement)) is not None


def aliases(statement: str) -> dict[str, str]:
    """Table by alias (and by its own name)."""
    known: dict[str, str] = {}
    for match in _SOURCE.finditer(statement):
        table = unquoted(match["table"].rpartition(".")[2] if "." in match["table"] else match["table"])
        known.setdefault(table, table)
        if match["alias"] and not _AFTER_TABLE.fullmatch(match["alias"]):
            known[unquoted(match["alias"])] = table
    return known


def unquoted(name: str) -> str:
    """An identifier without its quotes."""
    if name[:1] in '"`' and name[-1:] == name[:1]:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name

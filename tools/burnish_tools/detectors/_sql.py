"""Reading normalised SQL: which tables a statement reads or writes, which columns an index for it would need."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Tree = Any
"""A node of sqlglot's tree; its base class has another name in every other release."""
MAX_COLUMNS = 4
"""Further columns hardly narrow the search and make every write dearer; PostgreSQL's manual (11.3) advises three."""
_CAST = re.compile(r"\?(?=\s*::)")
"""A placeholder under a cast, as SQLAlchemy writes it for asyncpg (`?::BIGINT`): sqlglot takes `?::` for one token."""
_DIALECTS = {"postgresql": "postgres", "sqlite": "sqlite", "mysql": "mysql", "mariadb": "mysql"}


def is_select(statement: str) -> bool:
    """True for a readable statement that only reads."""
    return statement.lstrip("( ").upper().startswith("SELECT") and "/*" not in statement


def locks(statement: str) -> bool:
    """True for SELECT … FOR UPDATE and its kin."""
    return " FOR UPDATE" in statement.upper() or " FOR SHARE" in statement.upper() or " FOR NO KEY" in statement.upper()


@functools.lru_cache(maxsize=4096)
def parsed(statement: str, system: str) -> Tree | None:
    """The statement as a tree; None where sqlglot cannot read it."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.parse_one(_CAST.sub("(?)", statement), dialect=_DIALECTS.get(system))
    except SqlglotError:
        return None


@functools.lru_cache(maxsize=4096)
def tables(statement: str, system: str) -> frozenset[str]:
    """Names of all tables in it."""
    from sqlglot import exp

    tree = parsed(statement, system)
    return frozenset(table.name for table in tree.find_all(exp.Table)) if tree is not None else frozenset()


@functools.lru_cache(maxsize=4096)
def written(statement: str, system: str) -> str | None:
    """The table that it writes; `""` where it writes but cannot be read, None where it only reads."""
    from sqlglot import exp

    verb = statement.lstrip("( ").partition(" ")[0].upper()
    if verb not in ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "CALL", "WITH", "TRUNCATE", "COPY"):
        return None
    tree = parsed(statement, system)
    writes = None if tree is None else tree.find(exp.Insert, exp.Update, exp.Delete, exp.Merge)
    if writes is None:
        return None if tree is not None and verb == "WITH" else ""
    target = writes.this.find(exp.Table) if writes.this is not None else None
    return target.name if target is not None else ""


@dataclass(frozen=True)
class IndexColumns:
    """Columns for an index: equality, then range, then order; `-` before a descending one."""

    columns: tuple[str, ...]
    equal: int
    """How many of them are compared for equality; their order among themselves does not matter."""
    constants: tuple[tuple[str, str], ...] = ()
    """Conditions without a parameter and their column, for a partial index: `("gone", "gone IS NULL")`."""


def index_columns(statement: str, system: str, table: str, *, joined: bool = False) -> IndexColumns | str:
    """What an index on `table` would need for this statement; a sentence where that is not plain.

    With `joined` the columns by which the table is joined count as compared for equality: so it is where the database
    looks up its rows for each row of another table.
    """
    from sqlglot import exp

    tree = parsed(statement, system)
    if not isinstance(tree, exp.Select):
        return "the statement is no plain SELECT"
    if tree.find(exp.Subquery, exp.SetOperation, exp.CTE) or len(list(tree.find_all(exp.Select))) > 1:
        return "the statement has a sub-select"
    own = _Own.of(tree, table)
    if own is None:
        return f"{table} appears more than once in the statement"
    where = tree.args.get("where")
    terms = list(_anded(where.this)) if where else []
    if any(isinstance(term, exp.Or) and own.among(term) for term in terms):
        return "its conditions are joined by OR"
    return _composed(own, terms + (list(_joins(tree)) if joined else []), tree, joined=joined)


@dataclass(frozen=True)
class _Own:
    """Tells the columns of one table from those of others."""

    names: frozenset[str]
    alone: bool

    @classmethod
    def of(cls, tree: Tree, table: str) -> _Own | None:
        from sqlglot import exp

        every = list(tree.find_all(exp.Table))
        mine = [one for one in every if one.name == table]
        if len(mine) != 1:
            return None
        return cls(frozenset({mine[0].alias_or_name}), len(every) == 1)

    def name(self, node: Any) -> str:
        """The column's name where the node is a column of the table, else nothing."""
        from sqlglot import exp

        if not isinstance(node, exp.Column):
            return ""
        return node.name if node.table in self.names or (not node.table and self.alone) else ""

    def among(self, node: Tree) -> bool:
        from sqlglot import exp

        return any(self.name(column) for column in node.find_all(exp.Column))


def _anded(node: Tree) -> Iterator[Tree]:
    from sqlglot import exp

    if isinstance(node, exp.Paren):
        yield from _anded(node.this)
    elif isinstance(node, exp.And):
        yield from _anded(node.left)
        yield from _anded(node.right)
    else:
        yield node


def _joins(tree: Tree) -> Iterator[Tree]:
    """The conditions of its joins; those of an outer join too, which its inner side may be looked up by."""
    for join in tree.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield from _anded(join.args["on"])


def _composed(own: _Own, terms: list[Tree], tree: Tree, *, joined: bool) -> IndexColumns | str:
    found: dict[str, list[str]] = {"equal": [], "join": [], "any": [], "range": []}
    for term in terms:
        kind, column = _condition(own, term)
        if column and column not in found[kind]:
            found[kind].append(column)
    joins = found["join"] if joined else []
    if joined and not joins:
        return "it is not joined by a plain comparison of columns"
    equal = list(dict.fromkeys(found["equal"] + joins + found["any"]))
    order = [column for column in _order(own, tree) if column.lstrip("-") not in equal]
    ranges = [column for column in found["range"] if column not in equal]
    tail = _tail(ranges, order, sorted_by_index=not found["any"] and not joins)
    if not equal and not ranges and not (tail and tree.args.get("limit")):
        return "no condition on its own columns could use an index"
    constants = tuple(constant for term in terms if (constant := _constant(own, term)))
    return IndexColumns(tuple((equal + tail)[:MAX_COLUMNS]), min(len(equal), MAX_COLUMNS), constants)


def _constant(own: _Own, term: Tree) -> tuple[str, str] | None:
    """(column, condition) where no parameter is in it: `gone IS NULL`, `active`, `NOT archived`."""
    from sqlglot import exp

    no = isinstance(term, exp.Not)
    inner = term.this if no else term
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        column, condition = own.name(inner.this), " IS NOT NULL" if no else " IS NULL"
        return (column, column + condition) if column else None
    column = own.name(inner)
    return (column, f"NOT {column}" if no else column) if column else None


def _tail(ranges: list[str], order: list[str], *, sorted_by_index: bool) -> list[str]:
    """After the equality columns: one range, or the order; both only where they are the same column."""
    if not ranges:
        return order if sorted_by_index else []
    first = order[0] if order and order[0].lstrip("-") in ranges else ranges[0]
    return [first] if sorted_by_index else [first.lstrip("-")]


def _condition(own: _Own, term: Tree) -> tuple[str, str]:
    """(`equal`, `any` or `range`, column); no column where an index would not serve the condition."""
    from sqlglot import exp

    if isinstance(term, exp.In):
        plain = term.expressions and not any(value.find(exp.Column) for value in term.expressions)
        return "any", own.name(term.this) if plain else ""
    if isinstance(term, (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE)):
        kind = "equal" if isinstance(term, exp.EQ) else "range"
        sides = [(term.left, term.right), (term.right, term.left)]
        if kind == "equal" and all(isinstance(side, exp.Column) for side in sides[0]):
            mine = [own.name(a) for a, b in sides if own.name(a) and not own.name(b)]
            return "join", mine[0] if mine else ""
        return kind, next((own.name(a) for a, b in sides if own.name(a) and b.find(exp.Column) is None), "")
    if isinstance(term, exp.Between):
        return "range", own.name(term.this)
    if isinstance(term, (exp.Not, exp.Is)):  # a boolean column, or IS NULL
        return "equal", own.name(term.this)
    return "equal", own.name(term)


def _order(own: _Own, tree: Tree) -> list[str]:
    order = tree.args.get("order")
    columns = [(own.name(one.this), bool(one.args.get("desc"))) for one in order.expressions] if order else []
    return [("-" if down else "") + name for name, down in columns] if all(name for name, _ in columns) else []

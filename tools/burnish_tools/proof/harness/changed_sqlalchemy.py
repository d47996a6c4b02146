"""Alters data by the tables as the database itself describes them; what for is said in `database.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .rotated import rotate_table

MAX_ROWS = 20000
OF_THE_SERVER = re.compile(r"^(?:information_schema|pg_\w+|mysql|performance_schema|sys)$")

Tables = dict[str, Any]
"""Reflected tables by name; filled once."""


def alter(engine: Any, tables: Tables, statements: Iterable[str], *, texts: bool) -> list[str]:
    """Alters the tables whose names occur in `statements`; returns the names of those that were altered."""
    return _each(engine, tables, statements, lambda connection, table: _alter(connection, table, texts))


def rotate(engine: Any, tables: Tables, statements: Iterable[str]) -> list[str]:
    """Moves rows of the same tables (`rotated.py`); returns the names of those in which rows were moved."""

    def move(connection: Any, table: Any) -> bool:
        return _small(connection, table) and rotate_table(connection, table, _unique(table))

    return _each(engine, tables, statements, move)


def _each(engine: Any, tables: Tables, statements: Iterable[str], change: Callable[[Any, Any], bool]) -> list[str]:
    words = {word for statement in statements for word in re.findall(r"\w+", statement)}
    with engine.connect() as connection:
        if not tables:
            tables.update(_reflected(connection))
        named = [table for _, table in sorted(tables.items()) if table.name in words]
        altered = [str(table.name) for table in named if change(connection, table)]
        connection.commit()
    return altered


def _small(connection: Any, table: Any) -> bool:
    from sqlalchemy import literal, select

    return connection.scalar(select(literal(1)).select_from(table).offset(MAX_ROWS).limit(1)) is None


def _reflected(connection: Any) -> Iterator[tuple[str, Any]]:
    from sqlalchemy import MetaData, inspect

    inspector = inspect(connection)
    default = inspector.default_schema_name
    for schema in inspector.get_schema_names():
        if not OF_THE_SERVER.match(schema):
            found = MetaData()
            found.reflect(connection, schema=None if schema in (default, "main") else schema)
            yield from found.tables.items()


def _alter(connection: Any, table: Any, texts: bool) -> bool:
    """All columns at once; where a constraint forbids that, one by one, and what is forbidden stays as it was."""
    changes = _changes(table, texts)
    if not changes or not _small(connection, table):
        return False
    if _update(connection, table, changes):
        return True
    done = [_update(connection, table, {name: expression}) for name, expression in changes.items()]
    return any(done)


def _update(connection: Any, table: Any, changes: dict[str, Any]) -> bool:
    from sqlalchemy.exc import DBAPIError

    try:
        with connection.begin_nested():
            connection.execute(table.update().values(changes))
    except DBAPIError:
        return False
    return True


def _changes(table: Any, texts: bool) -> dict[str, Any]:
    from sqlalchemy import Enum, Integer, Numeric, String

    keys = _keys(table)
    changes: dict[str, Any] = {}
    for column in table.columns:
        if column.name in keys or column.computed is not None or column.identity is not None:
            continue
        if isinstance(column.type, (Integer, Numeric)):
            changes[column.name] = column + 1
        elif texts and isinstance(column.type, String) and not isinstance(column.type, Enum):
            changes[column.name] = column.concat("~")
    return changes


def _unique(table: Any) -> set[str]:
    """Columns that are unique, alone or together."""
    from sqlalchemy import UniqueConstraint

    unique = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    unique += [index.columns for index in table.indexes if index.unique]
    return {column.name for columns in unique for column in columns}


def _keys(table: Any) -> set[str]:
    """Columns that are part of a primary key, of a reference, or unique together."""
    return _unique(table) | {c.name for c in table.columns if c.primary_key or c.foreign_keys}

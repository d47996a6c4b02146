"""Alters data by the tables as the database itself describes them; what for is said in `database.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

MAX_ROWS = 20000
OF_THE_SERVER = re.compile(r"^(?:information_schema|pg_\w+|mysql|performance_schema|sys)$")

Tables = dict[str, Any]
"""Reflected tables by name; filled once."""


def alter(engine: Any, tables: Tables, statements: Iterable[str], *, texts: bool) -> list[str]:
    """Alters the tables whose names occur in `statements`; returns the names of those that were altered."""
    words = {word for statement in statements for word in re.findall(r"\w+", statement)}
    with engine.connect() as connection:
        if not tables:
            tables.update(_reflected(connection))
        named = [table for _, table in sorted(tables.items()) if table.name in words]
        altered = [str(table.name) for table in named if _alter(connection, table, texts)]
        connection.commit()
    return altered


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
    from sqlalchemy import literal, select

    changes = _changes(table, texts)
    beyond = select(literal(1)).select_from(table).offset(MAX_ROWS).limit(1)
    if not changes or connection.scalar(beyond) is not None:
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


def _keys(table: Any) -> set[str]:
    """Columns that are part of a primary key, of a reference, or unique together."""
    from sqlalchemy import UniqueConstraint

    unique = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    unique += [index.columns for index in table.indexes if index.unique]
    keys = {column.name for columns in unique for column in columns}
    return keys | {c.name for c in table.columns if c.primary_key or c.foreign_keys}

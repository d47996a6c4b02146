"""Gives each row of a table the content of the next one, so that other rows belong to an author, a status, a day.

Adding to numbers and texts (`Database.alter`) leaves it as it was *which* rows an answer is made of. Here whole rows
move: what is unique stays in its place, every foreign key still points to a row, and a row stays consistent.
"""

from __future__ import annotations

from typing import Any


def rotate(model: Any) -> bool:
    """False where there is nothing to move, or a constraint forbids it."""
    from django.db import DatabaseError, connections, router, transaction

    fields = _movable(model)
    rows = list(model._base_manager.order_by("pk").values_list("pk", *(f.attname for f in fields)))
    if not fields or len(rows) < 2:
        return False
    alias = router.db_for_write(model)
    connection = connections[alias]
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(f.column)} = %s" for f in fields)
    statement = f"UPDATE {quote(model._meta.db_table)} SET {sets} WHERE {quote(model._meta.pk.column)} = %s"
    moved = []
    for row, source in zip(rows, [*rows[1:], rows[0]]):
        values = [f.get_db_prep_save(v, connection) for f, v in zip(fields, source[1:])]
        moved.append((*values, model._meta.pk.get_db_prep_save(row[0], connection)))
    try:
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            cursor.executemany(statement, moved)
    except (DatabaseError, ValueError, TypeError):
        return False
    return True


def _movable(model: Any) -> list[Any]:
    """Not keys, nothing unique (alone or together), no tree within the table: a cycle in it would never end."""
    held = {name for group in model._meta.unique_together for name in group}
    for constraint in model._meta.constraints:
        held |= set(getattr(constraint, "fields", ()))
    return [
        f
        for f in model._meta.local_concrete_fields
        if not (f.primary_key or f.unique or f.name in held or getattr(f, "generated", False))
        and not (f.is_relation and f.related_model in (model, "self"))
    ]


def rotate_table(connection: Any, table: Any, unique: set[str]) -> bool:
    """The same for a table as SQLAlchemy sees it. `unique`: columns that are, alone or together."""
    from sqlalchemy import bindparam, select
    from sqlalchemy.exc import DBAPIError

    keys = list(table.primary_key.columns)
    moving = [c for c in table.columns if c.name not in unique and _may_move(c, table)]
    rows = connection.execute(select(*keys, *moving).order_by(*keys)).all() if keys and moving else []
    if len(rows) < 2:
        return False
    values = [
        {f"to_{n}": v for n, v in enumerate((*row[: len(keys)], *source[len(keys) :]))}
        for row, source in zip(rows, [*rows[1:], rows[0]])
    ]
    update = table.update().values({c.name: bindparam(f"to_{n}") for n, c in enumerate(moving, len(keys))})
    for n, key in enumerate(keys):
        update = update.where(key == bindparam(f"to_{n}"))
    try:
        with connection.begin_nested():
            connection.execute(update, values)
    except DBAPIError:
        return False
    return True


def _may_move(column: Any, table: Any) -> bool:
    own = any(reference.column.table is table for reference in column.foreign_keys)
    return not (column.primary_key or own or column.computed is not None or column.identity is not None)

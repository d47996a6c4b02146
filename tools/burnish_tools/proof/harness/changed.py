"""Changes the data under a request, to see whether an answer follows the data or a memory of it.

A result that is kept across calls (a dictionary in a module, a cache without invalidation) is right as long as nothing
changes. So some requests are sent again after every number and text that is not a key has been altered, in the same
process and inside the transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .rotated import rotate

MAX_ROWS = 20000


VALUES, ROWS = "values", "rows"


def alter(statements: Iterable[str], what: str = VALUES) -> list[str]:
    """Alters the tables of models that occur in `statements`; returns the names of those that were altered.

    `what`: numbers and texts, or which row has which content (`rotated.py`). One at a time: a status that is no status
    any more would empty every answer, and hide a memory of which rows belong to it.
    """
    from django.apps import apps

    texts = list(statements)
    altered = []
    for model in sorted(apps.get_models(), key=lambda m: m._meta.label):
        table = model._meta.db_table
        named = any(f'"{table}"' in text or f"`{table}`" in text for text in texts)
        changed = rotated if what == ROWS else _alter
        if named and model._meta.managed and not model._meta.proxy and changed(model):
            altered.append(table)
    return altered


def rotated(model: Any) -> bool:
    """False for large tables too."""
    return not model._base_manager.all()[MAX_ROWS : MAX_ROWS + 1].exists() and rotate(model, MAX_ROWS)


def _alter(model: Any) -> bool:
    """All fields at once; where a constraint forbids that, field by field, and what is forbidden stays as it was."""
    rows, changes = model._base_manager.all(), _changes(model)
    if not changes or rows[MAX_ROWS : MAX_ROWS + 1].exists():
        return False
    if _update(rows, changes):
        return True
    done = [_update(rows, {name: expression}) for name, expression in changes.items()]
    return any(done)


def _update(rows: Any, changes: dict[str, Any]) -> bool:
    from django.db import DatabaseError, transaction

    try:
        with transaction.atomic():
            rows.update(**changes)
    except (DatabaseError, ValueError):
        return False
    return True


def _changes(model: Any) -> dict[str, Any]:
    from django.db.models import CharField, DecimalField, F, FloatField, IntegerField, TextField, Value
    from django.db.models.functions import Concat

    keys = {name for group in model._meta.unique_together for name in group}
    changes: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.primary_key or field.unique or field.is_relation or field.choices or field.name in keys:
            continue
        if isinstance(field, (IntegerField, FloatField, DecimalField)):
            changes[field.name] = F(field.name) + 1
        elif type(field) in (CharField, TextField):
            changes[field.name] = Concat(F(field.name), Value("~"))
    return changes

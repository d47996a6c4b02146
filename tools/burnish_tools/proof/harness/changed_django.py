"""Alters data by Django's models; what for is said in `database.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import rotated

MAX_ROWS = 20000


def alter(statements: Iterable[str], *, texts: bool = True) -> list[str]:
    """Alters the tables of models that occur in `statements`; returns the names of those that were altered."""
    return [model._meta.db_table for model in _named(statements) if _alter(model, texts)]


def rotate(statements: Iterable[str]) -> list[str]:
    """Moves rows of the same tables (`rotated.py`); returns the names of those in which rows were moved."""
    return [model._meta.db_table for model in _named(statements) if _small(model) and rotated.rotate(model)]


def _named(statements: Iterable[str]) -> Iterator[Any]:
    from django.apps import apps

    seen = list(statements)
    for model in sorted(apps.get_models(), key=lambda m: m._meta.label):
        table = model._meta.db_table
        named = any(f'"{table}"' in text or f"`{table}`" in text for text in seen)
        if named and model._meta.managed and not model._meta.proxy:
            yield model


def _small(model: Any) -> bool:
    return not model._base_manager.all()[MAX_ROWS : MAX_ROWS + 1].exists()


def _alter(model: Any, texts: bool) -> bool:
    """All fields at once; where a constraint forbids that, field by field, and what is forbidden stays as it was."""
    rows, changes = model._base_manager.all(), _changes(model, texts)
    if not changes or not _small(model):
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


def _changes(model: Any, texts: bool) -> dict[str, Any]:
    from django.db.models import CharField, DecimalField, F, FloatField, IntegerField, TextField, Value
    from django.db.models.functions import Concat

    keys = {name for group in model._meta.unique_together for name in group}
    changes: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.primary_key or field.unique or field.is_relation or field.choices or field.name in keys:
            continue
        if isinstance(field, (IntegerField, FloatField, DecimalField)):
            changes[field.name] = F(field.name) + 1
        elif texts and type(field) in (CharField, TextField):
            changes[field.name] = Concat(F(field.name), Value("~"))
    return changes

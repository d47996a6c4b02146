"""Canonical forms of SQLAlchemy's objects. Nothing is loaded: only what an instance already holds is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .naming import name_of

Inner = Callable[[Any], Any]
"""The form of a value inside."""

NAMED = ("engine", "ext.asyncio", "orm", "pool", "sql.schema", "event")
"""Parts of the library whose other objects (sessions, engines, session makers) are only named."""


def form_of(value: Any, inner: Inner) -> dict[str, Any] | None:
    """None for what is not SQLAlchemy's."""
    from sqlalchemy.engine import Row

    kind = type(value)
    state = getattr(value, "__dict__", {}).get("_sa_instance_state")
    if state is not None:
        return _instance(value, state, inner)
    if issubclass(kind, Row):
        return {"$row": [[name, inner(item)] for name, item in zip(value._fields, value)]}
    if not any(name_of(base).startswith("sqlalchemy.") for base in kind.__mro__) or _is_plain(value):
        return None
    return _part(value, kind, inner)


def _is_plain(value: Any) -> bool:
    """The library's own lists, dictionaries, texts and exceptions are compared as such."""
    return isinstance(value, (list, tuple, dict, set, frozenset, str, int, BaseException))


def _part(value: Any, kind: type, inner: Inner) -> dict[str, Any] | None:
    from sqlalchemy.engine import Result
    from sqlalchemy.sql import ClauseElement

    if issubclass(kind, Result) or hasattr(kind, "_soft_close"):
        return {"$lazy": "Result"}  # whoever reads its rows has them; there is no second reading
    if issubclass(kind, ClauseElement):
        return _clause(value, inner)
    if _keeps_rows(value):
        return None
    return {"$named": name_of(kind)}


def _keeps_rows(value: Any) -> bool:
    """Such as a RowMapping."""
    return hasattr(value, "keys") and hasattr(value, "__getitem__") and hasattr(value, "__len__")


def _clause(value: Any, inner: Inner) -> dict[str, Any]:
    """A statement by its text and the values that are bound in it."""
    try:
        compiled = value.compile()
        return {"$sql": str(compiled), "values": inner(dict(compiled.params))}
    except Exception:  # noqa: BLE001 - a part that cannot stand alone
        return {"$named": name_of(type(value))}


def _instance(value: Any, state: Any, inner: Inner) -> dict[str, Any]:
    """Loaded columns, loaded related rows by their keys, and public attributes that the code has set.

    A column or relation that is not loaded is no difference (`equality.py`): it is there when it is asked for.
    """
    mapper, held = state.mapper, value.__dict__
    columns = {a.key: inner(held[a.key]) for a in mapper.column_attrs if a.key in held}
    related = {a.key: _keys(held[a.key]) for a in mapper.relationships if a.key in held}
    known = set(mapper.attrs.keys())
    extra = {name: inner(item) for name, item in held.items() if not name.startswith("_") and name not in known}
    return {"$model": name_of(type(value)), "fields": {**columns, **related}, "extra": extra}


def _keys(related: Any) -> Any:
    """Of one row or of a collection of them, in its order."""
    if hasattr(related, "values") and hasattr(related, "keys"):
        return [[str(key), _key(row)] for key, row in related.items()]
    if isinstance(related, (set, frozenset)):
        return sorted((_key(row) for row in related), key=str)
    if isinstance(related, (list, tuple)):
        return [_key(row) for row in related]
    return _key(related)


def _key(row: Any) -> Any:
    """Class and primary key; of a row that is not stored yet only the class."""
    state = getattr(row, "__dict__", {}).get("_sa_instance_state")
    if state is None:
        return None if row is None else name_of(type(row))
    return [name_of(type(row)), [str(part) for part in state.key[1]] if state.key else []]

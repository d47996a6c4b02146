"""Canonical forms of Django's objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .naming import digest_of

MAX_ROWS = 2000

Inner = Callable[[Any], Any]
"""The form of a value inside."""


def form_of(value: Any, inner: Inner) -> dict[str, Any] | None:
    """None for what is not Django's."""
    from django.db.models import Manager, Model, QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from django.utils.functional import LazyObject, Promise

    forms: list[tuple[Any, Callable[[Any, Inner], dict[str, Any]]]] = [
        (Promise, lambda v, i: {"$text": str(v)}),
        (LazyObject, lambda v, i: {"$lazy": "LazyObject"}),
        (Model, _model),
        (QuerySet, _queryset),
        (Manager, lambda v, i: {"$manager": v.model._meta.label if v.model else ""}),
        (HttpRequest, lambda v, i: {"$request": f"{v.method} {v.get_full_path()}"}),
        (HttpResponseBase, lambda v, i: _response(v)),
    ]
    return next((form(value, inner) for kind, form in forms if issubclass(type(value), kind)), None)


def _model(row: Any, inner: Inner) -> dict[str, Any]:
    """Loaded concrete fields, and public attributes that the code has set on the instance."""
    names = {f.attname for f in row._meta.concrete_fields}
    loaded = {n: inner(row.__dict__[n]) for n in sorted(names & row.__dict__.keys())}
    related = {f.name for f in row._meta.get_fields()}
    extra = {
        name: inner(value)
        for name, value in row.__dict__.items()
        if not name.startswith("_") and name not in names and name not in related
    }
    return {"$model": row._meta.label, "fields": loaded, "extra": extra}


def _queryset(rows: Any, inner: Inner) -> dict[str, Any]:
    """Of an evaluated one the rows it holds; else of a copy, so that the service's own stays lazy."""
    held = rows._result_cache
    if held is None:
        held = list(rows.all()[:MAX_ROWS])
    return {"$queryset": rows.model._meta.label, "rows": [inner(row) for row in held[:MAX_ROWS]]}


def _response(response: Any) -> dict[str, Any]:
    """What the function made; one that is not rendered yet is compared when it is sent."""
    form = {"$response": response.status_code, "type": response.headers.get("Content-Type", "")}
    if not response.streaming and getattr(response, "is_rendered", True):
        form["body"] = digest_of(response.content)
    return form

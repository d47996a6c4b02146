"""Canonical forms of Pydantic's models, and of what Starlette, FastAPI, Werkzeug and Flask hand around."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .naming import digest_of, name_of

Inner = Callable[[Any], Any]
"""The form of a value inside."""


def pydantic_form(value: Any, inner: Inner) -> dict[str, Any] | None:
    """A model by its fields, and which of them were given: that decides what is left out of an answer."""
    model = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    if model is None or not issubclass(type(value), model):
        return None
    held = value.__dict__
    given = getattr(value, "__pydantic_fields_set__", None) or getattr(value, "__fields_set__", None)
    extra = getattr(value, "__pydantic_extra__", None) or {}
    fields = {name: inner(item) for name, item in [*held.items(), *extra.items()]}
    return {"$pydantic": name_of(type(value)), "fields": fields, "given": sorted(given or ())}


def starlette_form(value: Any, inner: Inner) -> dict[str, Any] | None:
    """A request by its target, a response by its status and body, anything else of the framework by its name."""
    kinds: Any = sys.modules.get("starlette.requests")
    if kinds is not None and isinstance(value, kinds.HTTPConnection):
        query = value.scope.get("query_string", b"").decode("latin-1")
        return {"$request": f"{value.scope.get('method', '')} {value.scope.get('path', '')}?{query}"}
    responses: Any = sys.modules.get("starlette.responses")
    if responses is not None and isinstance(value, responses.Response):
        form: dict[str, Any] = {"$response": value.status_code, "type": value.media_type}
        if isinstance(body := getattr(value, "body", None), bytes):
            form["body"] = digest_of(body)
        return form
    return _named(value, ("starlette.", "fastapi."))


def werkzeug_form(value: Any, inner: Inner) -> dict[str, Any] | None:
    """The same for Flask; a proxy is only named, as it stands for something else in each request."""
    kind = type(value)
    if name_of(kind) == "werkzeug.local.LocalProxy":
        return {"$lazy": "LocalProxy"}
    wrappers: Any = sys.modules.get("werkzeug.wrappers")
    if wrappers is not None and issubclass(kind, wrappers.Request):
        return {"$request": f"{value.method} {value.full_path}"}
    if wrappers is not None and issubclass(kind, wrappers.Response):
        form: dict[str, Any] = {"$response": value.status_code, "type": value.mimetype}
        if isinstance(value.response, (list, tuple)):
            form["body"] = digest_of(value.get_data())
        return form
    return _named(value, ("werkzeug.", "flask."))


def _named(value: Any, prefixes: tuple[str, ...]) -> dict[str, Any] | None:
    """An application, a router: large, shared, and none of the function's business. Plain containers are not."""
    kind = type(value)
    if isinstance(value, (dict, list, tuple, set, str, int, BaseException)) or hasattr(kind, "keys"):
        return None
    return {"$named": name_of(kind)} if name_of(kind).startswith(prefixes) else None

"""Any value as JSON that can be compared: exact, ordered, without side effects on the service.

Plain JSON values stand for themselves (floats as text, so that NaN equals NaN and -0.0 is not 0.0); everything else is
an object with one key that begins with `$`. What is not loaded is never loaded: deferred fields are left out and
lazy objects only named. A queryset is evaluated on a copy; the caller keeps such queries out of its counts.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import hashlib
import inspect
import json
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .wrap import Items

MAX_DEPTH = 8
MAX_NODES = 20000
MAX_TEXT = 20000
MAX_ROWS = 2000

AS_TEXT: tuple[type, ...] = (
    decimal.Decimal,
    fractions.Fraction,
    datetime.datetime,
    datetime.date,
    datetime.time,
    uuid.UUID,
    pathlib.PurePath,
    complex,
    range,
)
AS_NAME = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def canonical(value: Any) -> Any:
    """The canonical form of one value."""
    return Canonical().form(value)


class Canonical:
    """One traversal: counts nodes and notices cycles."""

    def __init__(self) -> None:
        self._nodes = 0
        self._open: set[int] = set()

    def form(self, value: Any, depth: int = 0) -> Any:
        """The form of a value that is met `depth` levels down."""
        if value is None or type(value) in (bool, int):
            return value
        if type(value) is str:
            return value if len(value) <= MAX_TEXT else {"$text": _digest(value.encode("utf-8", "replace"))}
        if type(value) is float:
            return {"$float": repr(value)}
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return {"$more": _name(type(value))}
        if id(value) in self._open:
            return {"$cycle": _name(type(value))}
        self._open.add(id(value))
        try:
            return self._compound(value, depth + 1)
        finally:
            self._open.discard(id(value))

    def _compound(self, value: Any, depth: int) -> Any:
        for kind in (self._plain, self._django, self._container):
            form = kind(value, depth)
            if form is not None:
                return form
        return self._object(value, depth)

    def _plain(self, value: Any, depth: int) -> dict[str, Any] | None:  # noqa: PLR0911 - a table in code
        if isinstance(value, enum.Enum):
            return {"$enum": f"{_name(type(value))}.{value.name}"}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"$bytes": _digest(bytes(value))}
        if isinstance(value, datetime.timedelta):
            return {"$timedelta": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, AS_TEXT):
            return {"$" + type(value).__name__: str(value)}
        if isinstance(value, AS_NAME):
            return {"$named": f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"}
        if isinstance(value, (str, int, float)):
            return {"$" + _name(type(value)): str(value)}
        if isinstance(value, BaseException):
            return {"$exception": _name(type(value)), "args": [self.form(a, depth) for a in value.args]}
        if isinstance(value, re.Pattern):
            return {"$pattern": [str(value.pattern), value.flags]}
        if isinstance(value, re.Match):
            return {"$match": [list(span) for span in value.regs], "pattern": self.form(value.re)}
        if inspect.isgenerator(value) or inspect.iscoroutine(value):
            return {"$lazy": type(value).__name__}
        return None

    def _container(self, value: Any, depth: int) -> dict[str, Any] | None:
        if isinstance(value, Items):
            return {"$generator": [self.form(v, depth) for v in value]}
        if isinstance(value, (list, tuple, collections.deque, array.array)):
            return {"$" + _name(type(value)): [self.form(v, depth) for v in value]}
        if isinstance(value, (set, frozenset)):
            return {"$" + type(value).__name__: sorted((self.form(v, depth) for v in value), key=_sortable)}
        if isinstance(value, Mapping):
            pairs = [[self.form(k, depth), self.form(v, depth)] for k, v in value.items()]
            return {"$dict": pairs, "type": _name(type(value))}
        return None

    def _django(self, value: Any, depth: int) -> dict[str, Any] | None:
        if "django" not in sys.modules:
            return None
        from django.db.models import Manager, Model, QuerySet
        from django.http import HttpRequest
        from django.http.response import HttpResponseBase
        from django.utils.functional import LazyObject, Promise

        forms: list[tuple[Any, Callable[[Any, int], dict[str, Any]]]] = [
            (Promise, lambda v, d: {"$text": str(v)}),
            (LazyObject, lambda v, d: {"$lazy": "LazyObject"}),
            (Model, self._model),
            (QuerySet, self._queryset),
            (Manager, lambda v, d: {"$manager": v.model._meta.label if v.model else ""}),
            (HttpRequest, lambda v, d: {"$request": f"{v.method} {v.get_full_path()}"}),
            (HttpResponseBase, lambda v, d: _response(v)),
        ]
        for kind, form in forms:
            if issubclass(type(value), kind):
                return form(value, depth)
        return None

    def _model(self, row: Any, depth: int) -> dict[str, Any]:
        """Loaded concrete fields, and public attributes that the code has set on the instance."""
        names = {f.attname for f in row._meta.concrete_fields}
        loaded = {n: self.form(row.__dict__[n], depth) for n in sorted(names & row.__dict__.keys())}
        related = {f.name for f in row._meta.get_fields()}
        extra = {
            name: self.form(value, depth)
            for name, value in row.__dict__.items()
            if not name.startswith("_") and name not in names and name not in related
        }
        return {"$model": row._meta.label, "fields": loaded, "extra": extra}

    def _queryset(self, rows: Any, depth: int) -> dict[str, Any]:
        """Of an evaluated one the rows it holds; else of a copy, so that the service's own stays lazy."""
        held = rows._result_cache
        if held is None:
            held = list(rows.all()[:MAX_ROWS])
        return {"$queryset": rows.model._meta.label, "rows": [self.form(r, depth) for r in held[:MAX_ROWS]]}

    def _object(self, value: Any, depth: int) -> dict[str, Any]:
        if dataclasses.is_dataclass(value):
            fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
        else:
            fields = {**_slots(value), **getattr(value, "__dict__", {})}
        return {"$object": _name(type(value)), "fields": {k: self.form(v, depth) for k, v in sorted(fields.items())}}


def _slots(value: Any) -> dict[str, Any]:
    names = (n for kind in type(value).__mro__ for n in _names(vars(kind).get("__slots__", ())))
    return {
        name: getattr(value, name) for name in names if name not in ("__dict__", "__weakref__") and hasattr(value, name)
    }


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _response(response: Any) -> dict[str, Any]:
    """What the function made; one that is not rendered yet is compared when it is sent."""
    form = {"$response": response.status_code, "type": response.headers.get("Content-Type", "")}
    if not response.streaming and getattr(response, "is_rendered", True):
        form["body"] = _digest(response.content)
    return form


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _digest(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:32]}/{len(data)}"


def _sortable(form: Any) -> str:
    return json.dumps(form, sort_keys=True)

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
import inspect
import json
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Mapping
from typing import Any

from . import canonical_django, canonical_sqlalchemy, canonical_web
from .naming import digest_of, name_of
from .wrap import Items

MAX_DEPTH = 8
MAX_NODES = 20000
MAX_TEXT = 20000

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
LIBRARIES = {
    "django": canonical_django.form_of,
    "sqlalchemy": canonical_sqlalchemy.form_of,
    "pydantic": canonical_web.pydantic_form,
    "starlette": canonical_web.starlette_form,
    "werkzeug": canonical_web.werkzeug_form,
}
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
            return value if len(value) <= MAX_TEXT else {"$text": digest_of(value.encode("utf-8", "replace"))}
        if type(value) is float:
            return {"$float": repr(value)}
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return {"$more": name_of(type(value))}
        if id(value) in self._open:
            return {"$cycle": name_of(type(value))}
        self._open.add(id(value))
        try:
            return self._compound(value, depth + 1)
        finally:
            self._open.discard(id(value))

    def _compound(self, value: Any, depth: int) -> Any:
        for kind in (self._plain, self._of_library, self._container):
            form = kind(value, depth)
            if form is not None:
                return form
        return self._object(value, depth)

    def _plain(self, value: Any, depth: int) -> dict[str, Any] | None:  # noqa: PLR0911 - a table in code
        if isinstance(value, enum.Enum):
            return {"$enum": f"{name_of(type(value))}.{value.name}"}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"$bytes": digest_of(bytes(value))}
        if isinstance(value, datetime.timedelta):
            return {"$timedelta": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, AS_TEXT):
            return {"$" + type(value).__name__: str(value)}
        if isinstance(value, AS_NAME):
            return {"$named": f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"}
        if isinstance(value, (str, int, float)):
            return {"$" + name_of(type(value)): str(value)}
        if isinstance(value, BaseException):
            return {"$exception": name_of(type(value)), "args": [self.form(a, depth) for a in value.args]}
        if isinstance(value, re.Pattern):
            return {"$pattern": [str(value.pattern), value.flags]}
        if isinstance(value, re.Match):
            return {"$match": [list(span) for span in value.regs], "pattern": self.form(value.re)}
        if inspect.isgenerator(value) or inspect.iscoroutine(value) or inspect.isasyncgen(value):
            return {"$lazy": type(value).__name__}
        return None

    def _container(self, value: Any, depth: int) -> dict[str, Any] | None:
        if isinstance(value, Items):
            return {"$generator": [self.form(v, depth) for v in value]}
        if isinstance(value, (list, tuple, collections.deque, array.array)):
            return {"$" + name_of(type(value)): [self.form(v, depth) for v in value]}
        if isinstance(value, (set, frozenset)):
            return {"$" + type(value).__name__: sorted((self.form(v, depth) for v in value), key=_sortable)}
        if isinstance(value, Mapping):
            pairs = [[self.form(k, depth), self.form(v, depth)] for k, v in value.items()]
            return {"$dict": pairs, "type": name_of(type(value))}
        return None

    def _of_library(self, value: Any, depth: int) -> dict[str, Any] | None:
        """By what knows the libraries that this service has imported."""
        for library, knows in LIBRARIES.items():
            if library in sys.modules:
                form = knows(value, lambda inner: self.form(inner, depth))
                if form is not None:
                    return form
        return None

    def _object(self, value: Any, depth: int) -> dict[str, Any]:
        if dataclasses.is_dataclass(value):
            fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
        else:
            fields = {**_slots(value), **getattr(value, "__dict__", {})}
        return {"$object": name_of(type(value)), "fields": {k: self.form(v, depth) for k, v in sorted(fields.items())}}


def _slots(value: Any) -> dict[str, Any]:
    names = (n for kind in type(value).__mro__ for n in _names(vars(kind).get("__slots__", ())))
    return {n: getattr(value, n) for n in names if n not in ("__dict__", "__weakref__") and hasattr(value, n)}


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _sortable(form: Any) -> str:
    return json.dumps(form, sort_keys=True)

"""What a call could leave behind in modules: global variables, attributes of classes and functions, defaults."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import types
from typing import Any

from .canonical import canonical

MAX_TEXT = 4000
PLAIN = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset, bytearray, type(None))
LEFT_OUT = (types.ModuleType, logging.Logger, logging.Handler, logging.LoggerAdapter)
"""They keep books of their own."""


def compact(form: Any, longest: int = MAX_TEXT) -> Any:
    """A canonical form as it is, or where its text is longer its digest."""
    text = json.dumps(form)
    if len(text) <= longest:
        return form
    return {"$large": hashlib.sha256(text.encode()).hexdigest()[:32], "characters": len(text)}


def of(modules: list[str]) -> dict[str, Any]:
    """Name → compact form, for everything in these modules that may change."""
    found: dict[str, Any] = {}
    for name in modules:
        module = sys.modules.get(name)
        for key, value in list(vars(module).items()) if module else ():
            if not key.startswith("__"):
                _collect(found, f"{name}.{key}", value, name)
    return found


def _collect(found: dict[str, Any], name: str, value: Any, module: str) -> None:
    """Of classes, what they hold themselves as plain data: frameworks put machinery of their own there."""
    if not isinstance(value, type):
        _attribute(found, name, value)
    elif value.__module__ == module:
        for key, held in list(vars(value).items()):
            if not key.startswith("__") and isinstance(held, (*PLAIN, types.FunctionType, classmethod, staticmethod)):
                _attribute(found, f"{name}.{key}", held)


def _attribute(found: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, LEFT_OUT):
        return
    function = getattr(value, "__func__", value)
    if isinstance(function, types.FunctionType):
        if function.__dict__ or function.__defaults__ or function.__kwdefaults__:
            own = {k: v for k, v in function.__dict__.items() if k not in ("__wrapped__", "__signature__")}
            found[name] = compact(canonical([own, function.__defaults__, function.__kwdefaults__]))
    elif not callable(value) or isinstance(value, PLAIN):
        found[name] = compact(canonical(value))


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is new, gone (None) or another one."""
    names = sorted(name for name in {*before, *after} if before.get(name, _GONE) != after.get(name, _GONE))
    return {name: after.get(name) for name in names}


_GONE = object()

"""The service's application object, by its name."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any


def load(name: str) -> Any:
    """`module:attribute`, or `module:factory()`. ValueError where there is no such thing."""
    module_name, _, attribute = name.partition(":")
    factory = attribute.endswith("()")
    held: Any = importlib.import_module(module_name)
    for part in attribute.removesuffix("()").split("."):
        if not hasattr(held, part):
            raise ValueError(f"{module_name} has no {attribute}; set [service] app")
        held = getattr(held, part)
    return held() if factory else held


def is_asgi(app: Any) -> bool:
    """An ASGI application is called as a coroutine function."""
    while isinstance(app, functools.partial):
        app = app.func
    if inspect.isfunction(app) or inspect.ismethod(app):
        return inspect.iscoroutinefunction(app)
    return callable(app) and inspect.iscoroutinefunction(type(app).__call__)

"""Finds what was dropped into a package: classes with a `name` and a certain method; third parties' by entry point."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any


def found(package: str, path: Iterable[str], method: str) -> tuple[type[Any], ...]:
    """Classes in order of name. The entry points' group is `burnish.<last part of the package>`.

    Modules that begin with `_` are helpers. Raises ValueError where two classes have the same name.
    """
    group = f"burnish.{package.rpartition('.')[2]}"
    classes: dict[str, type[Any]] = {}
    for kind in (*_own(package, path, method), *(point.load() for point in entry_points(group=group))):
        if classes.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"two of {group} are called {kind.name!r}: rename one of them")
    return tuple(classes[name] for name in sorted(classes))


def _own(package: str, path: Iterable[str], method: str) -> list[type[Any]]:
    names = [info.name for info in pkgutil.iter_modules(path) if not info.ispkg and not info.name.startswith("_")]
    return [
        kind
        for module in (importlib.import_module(f"{package}.{name}") for name in names)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and hasattr(kind, method) and hasattr(kind, "name")
    ]

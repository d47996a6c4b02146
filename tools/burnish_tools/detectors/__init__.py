"""Kinds of findings, one file each. A file dropped in here is found; nothing else has to be touched.

A detector is a class with a `name`, its own `Settings` (a section of the configuration) and `detect`. Other
distributions add theirs by an entry point of the group `burnish.detectors` that names such a class.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points
from typing import Any

GROUP = "burnish.detectors"


def detector_types() -> tuple[type[Any], ...]:
    """All detector classes, by name. Raises ValueError where two have the same name."""
    found: dict[str, type[Any]] = {}
    for kind in (*_own(), *(point.load() for point in entry_points(group=GROUP))):
        if found.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"two detectors are called {kind.name!r}: rename one of them")
    return tuple(found[name] for name in sorted(found))


def _own() -> list[type[Any]]:
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and hasattr(kind, "detect")
    ]

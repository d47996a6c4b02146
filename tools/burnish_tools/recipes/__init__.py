"""Small mechanical fixes, one file each. A file dropped in here is found; nothing else has to be touched.

Other distributions add theirs by an entry point of the group `burnish.recipes` that names a `Recipe` class.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points
from typing import cast

from burnish.protocols import Recipe

GROUP = "burnish.recipes"


def recipes() -> tuple[Recipe, ...]:
    """One of each recipe, by name. Raises ValueError where two have the same name."""
    found: dict[str, Recipe] = {}
    for kind in (*_own(), *(point.load() for point in entry_points(group=GROUP))):
        recipe: Recipe = kind()
        if type(found.setdefault(recipe.name, recipe)) is not kind:
            raise ValueError(f"two recipes are called {recipe.name!r}: rename one of them")
    return tuple(found[name] for name in sorted(found))


def _own() -> list[type[Recipe]]:
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [
        cast(type[Recipe], kind)
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and hasattr(kind, "kinds")
    ]

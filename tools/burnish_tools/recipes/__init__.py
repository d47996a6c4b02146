"""Small mechanical fixes, one file each. A file dropped in here is found; nothing else has to be touched.

A recipe is a class as in `_base.py`; `source/` is what recipes know of a repository, `examples/` holds the long
examples. Other distributions add theirs by an entry point of the group `burnish.recipes` that names a class.
"""

from __future__ import annotations

from burnish.protocols import Recipe
from burnish_tools.plugins import found


def recipes() -> tuple[Recipe, ...]:
    """One of each recipe, by name. Raises ValueError where two have the same name."""
    return tuple(kind() for kind in found(__name__, __path__, "apply"))

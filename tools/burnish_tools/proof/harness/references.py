"""Who holds a function: routers and registries took it when it was decorated, before it was wrapped."""

from __future__ import annotations

import gc
import types
from collections.abc import Callable
from typing import Any

Replace = Callable[[Any], None]


def holders(function: Any) -> Replace:
    """A function that puts another one in its place in every dictionary, list, closure and object that holds it now.

    To be called before the function is wrapped, so that the wrapper's own reference stays.
    """
    found = [holder for holder in gc.get_referrers(function) if not isinstance(holder, types.FrameType)]

    def replace(replacement: Any) -> None:
        for holder in found:
            _replace_in(holder, function, replacement)

    return replace


def _replace_in(holder: Any, function: Any, replacement: Any) -> None:
    if isinstance(holder, dict):
        for key in [key for key, value in holder.items() if value is function]:
            if key != "__wrapped__":
                holder[key] = replacement
    elif isinstance(holder, list):
        holder[:] = [replacement if item is function else item for item in holder]
    elif isinstance(holder, types.CellType):
        holder.cell_contents = replacement
    elif not isinstance(holder, type) and isinstance(getattr(holder, "__dict__", None), dict):
        _replace_in(holder.__dict__, function, replacement)

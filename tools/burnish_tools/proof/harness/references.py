"""Who holds a function: routers and registries took it when it was decorated, before it was wrapped."""

from __future__ import annotations

import gc
import types
from typing import Any


def holders(function: Any) -> list[Any]:
    """Every dictionary, list, closure and object that holds it now: asked before it is wrapped, so that the wrapper's
    own references stay. No closure may be made of `function` here, it would be found."""
    return [holder for holder in gc.get_referrers(function) if not isinstance(holder, types.FrameType)]


def replace(found: list[Any], function: Any, replacement: Any) -> None:
    """Puts another one in its place wherever it was found."""
    for holder in found:
        _replace_in(holder, function, replacement)


def _replace_in(holder: Any, function: Any, replacement: Any) -> None:
    if isinstance(holder, dict):
        for key in [key for key, value in holder.items() if value is function]:
            if key != "__wrapped__":
                holder[key] = replacement
    elif isinstance(holder, list):
        holder[:] = [replacement if item is function else item for item in holder]
    elif isinstance(holder, types.CellType):
        holder.cell_contents = replacement
    elif not isinstance(holder, type):
        if isinstance(getattr(holder, "__dict__", None), dict):
            _replace_in(holder.__dict__, function, replacement)
        kind: Any = type(holder)
        if kind.__hash__ in (None, object.__hash__):  # what is found by its content has to keep it
            _replace_in_slots(holder, function, replacement)


def _replace_in_slots(holder: Any, function: Any, replacement: Any) -> None:
    names = [name for kind in type(holder).__mro__ for name in _slots(kind)]
    for name in names:
        if getattr(holder, name, None) is function:
            object.__setattr__(holder, name, replacement)


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)

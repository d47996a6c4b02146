"""Whether caches had what was asked for: the note ``cache`` of the running entry, ``hit``, ``miss`` or ``mixed``."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._library import Library


def patch_cache(library: Library) -> None:
    """``get`` of each of Django's cache classes that a module defines."""
    for kind in list(vars(library.module).values()):
        is_class = issubclass(type(kind), type)  # not isinstance(): a lazy object would be evaluated
        own = is_class and kind.__module__ == library.module.__name__
        if own and any(base.__name__ == "BaseCache" for base in kind.__mro__):
            library.wrap_own(kind, {"get": _getting})


def _getting(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def get(self: Any, key: Any, default: Any = None, version: Any = None) -> Any:
        found = original(self, key, default, version)
        probe.note("cache", "miss" if found is default else "hit", blend=True)
        return found

    return get

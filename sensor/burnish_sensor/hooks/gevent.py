"""gevent: each of its greenlets has a shadow stack; in every thread in which it has a hub."""

from __future__ import annotations

import sys
from typing import Any, Callable

from ..probe import Probe
from ._greenlets import Follower
from ._library import Library

PATCHES = {"gevent.hub": "patch_hub"}


def patch_hub(library: Library) -> None:
    """A hub is made in the thread that it is for."""
    import greenlet  # type: ignore[import-not-found, import-untyped, unused-ignore]

    hub = library.module.Hub
    follower = Follower(greenlet, library.probe, lambda candidate: isinstance(candidate, hub))

    def following(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def init(self: Any, *arguments: Any, **options: Any) -> None:
            original(self, *arguments, **options)
            follower.begin()

        return init

    library.wrap(hub, "__init__", following)
    library.on_undo(follower.end)
    local = sys.modules.get("gevent._hub_local") or sys.modules.get("gevent.__hub_local")
    if getattr(local, "get_hub_if_exists", lambda: None)() is not None:
        follower.begin()

"""asyncio: a task of a library's coroutine (``gather(pool.fetch(…), client.get(…))``) knows who started it."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._library import Library

PATCHES = {"asyncio.base_events": "patch_loop"}


def patch_loop(library: Library) -> None:
    """``gather``, ``wait_for``, ``TaskGroup`` and ``ensure_future`` make their tasks through the loop, too."""
    library.wrap(library.module.BaseEventLoop, "create_task", carrying)


def carrying(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """A wrapper of ``create_task``: the new task's context holds the call site, unless it was given its own."""

    def create_task(self: Any, coroutine: Any, **options: Any) -> Any:
        token = probe.carry() if options.get("context") is None else None
        try:
            return original(self, coroutine, **options)
        finally:
            probe.take_back(token)

    return create_task

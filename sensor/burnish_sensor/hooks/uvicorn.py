"""uvicorn: when a server has ended, it sends the signal that ended it to its own process once more.

As a worker of gunicorn it does so with the system's handler: the process ends without ``atexit``.
"""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._library import Library

PATCHES = {"uvicorn.server": "patch_server"}


def patch_server(library: Library) -> None:
    """``_serve``, which newer versions have; older ones send no signal."""
    library.wrap_own(library.module.Server, {"_serve": _flushing})


def _flushing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def _serve(self: Any, *arguments: Any, **options: Any) -> None:
        try:
            await original(self, *arguments, **options)
        finally:
            if getattr(self, "_captured_signals", None):
                probe.flush()

    return _serve

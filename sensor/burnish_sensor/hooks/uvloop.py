"""uvloop: its loop makes tasks by itself."""

from __future__ import annotations

from ._library import Library
from .asyncio import carrying

PATCHES = {"uvloop": "patch_loop"}


def patch_loop(library: Library) -> None:
    """As the loop of asyncio."""
    library.wrap(library.module.Loop, "create_task", carrying)

"""multiprocessing: a child ends by ``os._exit``, which runs no ``atexit``; its own finalizers write the last window."""

from __future__ import annotations

from ._library import Library

PATCHES = {"multiprocessing.util": "patch_util"}
#: after all finalizers of the application
_LAST = -1_000


def patch_util(library: Library) -> None:
    """Have each child, however it is started, write what it finished before it ends."""
    util, probe = library.module, library.probe

    def in_child(_: object) -> None:
        util.Finalize(None, probe.flush, exitpriority=_LAST)

    util.register_after_fork(probe, in_child)

"""multiprocessing: a process made by fork ends without ``atexit``; what it did is written before."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._library import Library

PATCHES = {"multiprocessing.process": "patch_process"}


def patch_process(library: Library) -> None:
    """``_bootstrap``, in which all that such a process does happens; also that of pools and executors."""
    library.wrap(library.module.BaseProcess, "_bootstrap", _flushing)


def _flushing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def _bootstrap(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return original(self, *arguments, **options)
        finally:
            probe.flush()

    return _bootstrap

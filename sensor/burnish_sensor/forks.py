"""What happens around a fork: registered once in a process, for such a registration cannot be taken back."""

from __future__ import annotations

import os
from typing import Protocol


class Forking(Protocol):
    """What is told of forks: three functions as ``os.register_at_fork`` takes them."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_registered = False
_watching: Forking | None = None


def watch(flusher: Forking) -> None:
    """Tell ``flusher`` of each fork from now on, instead of who was told before."""
    global _registered, _watching
    _watching = flusher
    if not _registered and hasattr(os, "register_at_fork"):
        _registered = True
        os.register_at_fork(
            before=lambda: _tell("before_fork"),
            after_in_parent=lambda: _tell("after_fork_in_parent"),
            after_in_child=lambda: _tell("after_fork_in_child"),
        )


def forget(flusher: Forking) -> None:
    """Tell ``flusher`` nothing more."""
    global _watching
    if _watching is flusher:
        _watching = None


def _tell(name: str) -> None:
    if _watching is not None:
        getattr(_watching, name)()

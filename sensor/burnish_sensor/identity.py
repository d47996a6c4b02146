"""The names of a process: its instance, and whether this is the interpreter that it began with."""

from __future__ import annotations

import os


def new_instance() -> str:
    """A name for a process start: readable (the process id), and unique where ids are used again."""
    return f"{os.getpid()}-{os.urandom(6).hex()}"


def in_main_interpreter() -> bool:
    """Whether this is the interpreter that the process began with; true where that cannot be told."""
    import _thread

    ask = getattr(_thread, "_is_main_interpreter", None)
    if ask is not None:
        return bool(ask())
    try:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())

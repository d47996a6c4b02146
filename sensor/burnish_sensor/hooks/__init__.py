"""Hooks into libraries, installed when the library is imported by the application, never by the sensor."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Callable

from ..probe import Probe

#: imported module: (our module, function that patches it)
_PATCHES: dict[str, tuple[str, str]] = {
    "django.core.handlers.base": ("django", "patch_handler"),
    "django.core.handlers.exception": ("django", "patch_exception"),
    "django.core.management.base": ("django", "patch_command"),
    "django.db.backends.utils": ("django", "patch_cursor"),
    "flask.app": ("flask", "patch_app"),
    "sqlalchemy": ("sqlalchemy", "patch_engine"),
}


def hooks(probe: Probe) -> dict[str, Callable[[ModuleType], None]]:
    """For each library module that is of interest, what to call once it was imported."""
    return {name: _hook(probe, *where) for name, where in _PATCHES.items()}


def _hook(probe: Probe, ours: str, function: str) -> Callable[[ModuleType], None]:
    def patch(module: ModuleType) -> None:
        if getattr(module, "__burnish__", False):
            return
        try:
            getattr(import_module("." + ours, __name__), function)(module, probe)
            module.__burnish__ = True  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - an unknown version of a library must still work
            print(f"burnish_sensor: no {ours} in this process: {error!r}", file=sys.stderr)

    return patch

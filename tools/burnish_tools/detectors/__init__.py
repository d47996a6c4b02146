"""Kinds of findings, one file each. A file dropped in here is found; nothing else has to be touched.

A detector is a class with a `name`, its own `Settings` (a section of the configuration) and `detect`. Other
distributions add theirs by an entry point of the group `burnish.detectors` that names such a class.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from burnish_tools.plugins import found


@cache
def detector_types() -> tuple[type[Any], ...]:
    """All detector classes, by name. Raises ValueError where two have the same name."""
    return found(__name__, __path__, "detect")

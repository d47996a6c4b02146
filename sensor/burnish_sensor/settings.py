"""What the sensor is told, through environment variables only: it must be possible to set it from a Procfile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .identity import find_release

OFF = ("off", "0", "false", "no")


@dataclass(frozen=True)
class Settings:
    """Settings of one process. ``window_seconds`` is the length of a window; paths are absolute.

    ``budget`` is the share of the process's CPU time that observing calls may take, from 0.0001 to 1. ``exemplars`` is
    how many calls may be looked at for conditions in a second, from 0 (none) to 1000.
    """

    root: str
    output: str
    service: str
    environment: str
    release: str
    window_seconds: float
    enabled: bool
    budget: float = 0.01
    exemplars: float = 20.0
    functions: int = 50_000
    statements: int = 2_000
    entries: int = 500


def read_settings(environ: Mapping[str, str], cwd: str) -> Settings:
    """Read ``BURNISH_*``. A value that cannot be used is replaced by its default: the host must start."""
    root = os.path.realpath(environ.get("BURNISH_ROOT") or cwd)
    output = environ.get("BURNISH_OUTPUT") or os.path.join(root, ".burnish", "windows")
    return Settings(
        root=root,
        output=os.path.abspath(os.path.join(root, output)),
        service=environ.get("BURNISH_SERVICE") or os.path.basename(root) or "service",
        environment=environ.get("BURNISH_ENVIRONMENT") or "production",
        release=find_release(environ, root),
        window_seconds=_seconds(environ.get("BURNISH_WINDOW_SECONDS")),
        enabled=environ.get("BURNISH_SENSOR", "").strip().lower() not in OFF,
        budget=_budget(environ.get("BURNISH_BUDGET")),
        exemplars=_exemplars(environ.get("BURNISH_EXEMPLARS")),
    )


def _budget(text: str | None) -> float:
    try:
        budget = float(text) if text else 0.01
    except ValueError:
        return 0.01
    return budget if 0.0001 <= budget <= 1 else 0.01


def _exemplars(text: str | None) -> float:
    if (text or "").strip().lower() in OFF:
        return 0.0
    try:
        rate = float(text) if text else 20.0
    except ValueError:
        return 20.0
    return rate if 0 <= rate <= 1000 else 20.0


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text) if text else 10.0
    except ValueError:
        return 10.0
    return seconds if 0.1 <= seconds <= 3600 else 10.0

"""What the sensor would see here: for a person who wonders why nothing arrives."""

from __future__ import annotations

import os
import sys

from . import __version__
from .importer import Territory
from .mechanism import try_out
from .output import check_output
from .settings import read_settings


def report() -> str:
    """The settings as they were understood, the files that would be observed, and what a call costs here."""
    settings = read_settings(os.environ, os.getcwd())
    files, outside = _files(settings.root)
    mechanism, costs = try_out(settings.root, settings.include, settings.native)
    rows: list[tuple[str, str]] = [
        ("sensor", "{} ({})".format(__version__, "on" if settings.enabled else "off: BURNISH_SENSOR")),
        ("python", "{}.{}.{} {}".format(*sys.version_info[:3], sys.executable)),
        (
            "mechanism",
            f"{mechanism}, {costs.call:.0f} ns for each call recorded, at most {settings.budget:.2%} of CPU time",
        ),
        ("service", f"{settings.service} ({settings.environment})"),
        ("release", settings.release),
        ("root", settings.root),
        ("modules", f"{files} files to observe, {outside} folders left out"),
        ("output", f"{settings.output} ({check_output(settings)})"),
        ("window", f"{settings.window_seconds:g} s"),
    ]
    return "\n".join("{:<10} {}".format(*row) for row in rows)


def _files(root: str, limit: int = 20_000) -> tuple[int, int]:
    """How many Python files under the root are the application's, and how many folders are not; bounded."""
    territory, files, outside = Territory(root), 0, 0
    for folder, folders, names in os.walk(root):
        kept = [name for name in folders if territory.relative(os.path.join(folder, name, "x.py"))]
        outside += len(folders) - len(kept)
        folders[:] = [name for name in kept if not name.startswith(".") and name != "__pycache__"]
        files += sum(name.endswith(".py") for name in names)
        if files > limit:
            break
    return files, outside

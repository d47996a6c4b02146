"""Which libraries are installed that the sensor has a hook for, and whether the hook fits their version.

A hook is tried by importing what it patches and patching it, in this process, which is about to end.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from collections.abc import Iterator
from importlib import metadata

from ..mechanisms.importer import Territory
from ..runtime import Sensor
from ..settings import Settings
from .findings import Finding

#: distributions whose name is not that of their package
_DISTRIBUTIONS = {"pymysql": "PyMySQL"}


def examine_libraries(settings: Settings) -> Iterator[Finding]:
    """One finding for each installed library that has a hook; libraries of the standard library are taken together."""
    hooks = Sensor(settings).library_hooks
    modules: dict[str, list[str]] = {}
    for name in hooks:
        modules.setdefault(name.partition(".")[0], []).append(name)
    territory, standard = Territory(settings.root), []
    for library, names in modules.items():
        if not _is_installed(library, territory):
            continue
        with contextlib.redirect_stderr(io.StringIO()):
            for name in names:
                _try(hooks[name], name)
        reason = hooks.disabled.get(library)
        if reason is None and library in getattr(sys, "stdlib_module_names", ("asyncio", "sqlite3")):
            standard.append(library)
            continue
        problem = f"is not observed, this version does not fit: {reason}" if reason else ""
        yield Finding(library, f"{_version(library)}, {'left as it is' if reason else 'observed'}", problem)
    yield Finding("stdlib", ", ".join(standard) + ": observed")


def _try(hook: object, name: str) -> None:
    """Import a module and patch it; a part of a library that cannot be imported here is not used here either."""
    try:
        module = importlib.import_module(name)
    except Exception:  # noqa: BLE001 - a library may raise anything when what it needs is not there
        return
    if callable(hook):
        hook(module)


def _is_installed(library: str, territory: Territory) -> bool:
    """Whether there is such a library, and not a module of the application by that name, which must not be run."""
    try:
        spec = importlib.util.find_spec(library)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None and territory.relative(spec.origin) is None


def _version(library: str) -> str:
    try:
        return metadata.version(_DISTRIBUTIONS.get(library, library))
    except metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(library), "__version__", "unknown version"))

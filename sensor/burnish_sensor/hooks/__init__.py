"""Hooks into libraries: one file for each, named as the library's top-level package, found by looking at this folder.

A hook file has ``PATCHES``: the modules it waits for, and the function of the file that is called with a
:class:`~burnish_sensor.hooks._library.Library` once such a module was imported by the application. The file itself is
imported only then, and does not import its library at its head: that would be a circle. So nothing here ever imports a
library that the application does not use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Callable

from ..probe import Probe
from ._library import Library

Hook = Callable[[ModuleType], None]


class LibraryHooks(Mapping[str, Hook]):
    """For each library module that is of interest, what to call once it was imported.

    ``disabled`` says for each hook that did not fit the library's version why: such a hook is taken out again.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._libraries = frozenset(_names(list(__path__)))
        self.disabled: dict[str, str] = {}
        self._installed: list[Library] = []

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.partition(".")[0] in self._libraries and name in self._patches(name)

    def __getitem__(self, name: str) -> Hook:
        library = name.partition(".")[0]
        if library not in self._libraries:
            raise KeyError(name)
        function = self._patches(name)[name]

        def hook(module: ModuleType) -> None:
            self._install(library, function, module)

        return hook

    def __iter__(self) -> Iterator[str]:
        for library in sorted(self._libraries):
            yield from self._patches(library)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def install_loaded(self) -> None:
        """Install the hooks of modules that were imported before the sensor started."""
        for name, module in list(sys.modules.items()):
            if module is not None and name in self:
                self[name](module)

    def remove(self) -> None:
        """Take every hook out again. What an application got from a library before, as a connection, records nothing
        once the probe is inactive."""
        while self._installed:
            library = self._installed.pop()
            library.undo()
            vars(library.module).pop("__burnish__", None)

    def _patches(self, name: str) -> dict[str, str]:
        library = name.partition(".")[0]
        try:
            patches: dict[str, str] = import_module(f"{__name__}.{library}").PATCHES
        except Exception as error:  # noqa: BLE001 - the edge: the library must still be imported
            self._disable(library, error)
            return {}
        return patches

    def _install(self, library: str, function: str, module: ModuleType) -> None:
        if getattr(module, "__burnish__", False):
            return
        target = Library(module, self._probe)
        try:
            getattr(import_module(f"{__name__}.{library}"), function)(target)
            module.__burnish__ = True  # type: ignore[attr-defined]
            self._installed.append(target)
        except Exception as error:  # noqa: BLE001 - an unknown version of a library must still work
            target.undo()
            self._disable(library, error)

    def _disable(self, library: str, error: Exception) -> None:
        if library not in self.disabled:
            self.disabled[library] = repr(error)
            print(f"burnish_sensor: {library} is not observed, this version does not fit: {error!r}", file=sys.stderr)


def _names(folders: list[str]) -> list[str]:
    """The names of the hook files, as ``pkgutil.iter_modules`` gives them, which is needed for archives only."""
    try:
        files = [file for folder in folders for file in os.listdir(folder)]
    except OSError:
        from pkgutil import iter_modules

        return [found.name for found in iter_modules(folders) if not found.name.startswith("_")]
    return [file[: -len(".py")] for file in files if file.endswith(".py") and not file.startswith("_")]

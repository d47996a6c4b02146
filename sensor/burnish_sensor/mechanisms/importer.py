"""Rewrites the application's modules while they are imported, and tells when a module of a library was imported.

Only modules that the ordinary loader of source files would load, whose file is under the root, are touched. The
rewritten code is never written to ``__pycache__``. Where rewriting fails, the module is loaded as if the sensor were
not there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, Callable

from .registry import Registry, Source

_FOREIGN = frozenset(
    {"site-packages", "dist-packages", "node_modules", ".tox", ".nox", ".eggs", ".git", "__pypackages__"}
)
_HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # the folder of the sensor


class Territory:
    """Which files are the application's: those under the root, without environments, libraries and the sensor; and
    those of the packages in ``include``, wherever they are.

    What was found out of a folder is kept: asking the system for each module would make imports slower.
    """

    def __init__(self, root: str, include: Sequence[str] = ()) -> None:
        self.root = os.path.realpath(root)
        library = os.path.dirname(os.__file__)  # as sysconfig says, which takes milliseconds to load
        found = (library, os.path.join(library, "lib-dynload"), os.path.join(library, "site-packages"))
        self._foreign = {os.path.realpath(folder) for folder in found}
        self._foreign.add(_HERE)
        self._included = tuple(os.sep + name.replace(".", os.sep) for name in include)
        #: of each folder: what stands before a file's name in its relative path; None where it is not the application's
        self._prefixes: dict[str, str | None] = {}
        self._owned: dict[str, bool] = {self.root: True}

    def relative(self, path: str) -> str | None:
        """The path relative to the root, with ``/``; None for a file that is not the application's."""
        folder, name = os.path.split(path)
        try:
            prefix = self._prefixes[folder]
        except KeyError:
            prefix = self._prefixes[folder] = self._prefix(os.path.realpath(folder or os.curdir))
        return None if prefix is None else prefix + name

    def _prefix(self, folder: str) -> str | None:
        """For a folder that is the application's: its path relative to the root; for that of a library: its name."""
        for included in self._included:
            at = (folder + os.sep).find(included + os.sep)
            if at >= 0:
                return (folder[at + 1 :] + os.sep).replace(os.sep, "/")
        if not (folder + os.sep).startswith(self.root.rstrip(os.sep) + os.sep) or not self._owns(folder):
            return None
        relative = os.path.relpath(folder, self.root)
        return "" if relative == os.curdir else (relative + os.sep).replace(os.sep, "/")

    def _owns(self, folder: str) -> bool:
        owned = self._owned.get(folder)
        if owned is None:
            owned = self._owned[folder] = (
                os.path.basename(folder) not in _FOREIGN
                and folder not in self._foreign
                and not os.path.isfile(os.path.join(folder, "pyvenv.cfg"))
                and self._owns(os.path.dirname(folder))
            )
        return owned


class Compiler:
    """Compiles a file of the application to rewritten code."""

    def __init__(self, territory: Territory, registry: Registry) -> None:
        self.territory, self.registry = territory, registry

    def owns(self, path: str | None) -> bool:
        """Whether a file is the application's."""
        return bool(path) and self.territory.relative(str(path)) is not None

    def compile(self, data: bytes, path: str, module: str) -> CodeType | None:
        """The code of a module; None where the plain loader must be used instead."""
        relative = self.territory.relative(path)
        if relative is None:
            return None
        import ast
        from importlib.util import decode_source

        from .rewrite import rewrite

        try:
            text = decode_source(data)
            tree = ast.parse(text, path)
            rewrite(tree, module, relative, Source(text), self.registry.add)
            code = compile(tree, path, "exec", dont_inherit=True)
        except Exception:  # noqa: BLE001 - whatever it is, the plain loader will meet it or do without us
            self.registry.fallbacks.append(module)
            return None
        self.registry.files[path] = relative
        self.registry.modules.append(module)
        return code


class RewritingLoader(SourceFileLoader):
    """The ordinary loader of source files, but for the code that it returns."""

    def __init__(self, fullname: str, path: str, compiler: Compiler) -> None:
        super().__init__(fullname, path)
        self._compiler = compiler

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        code = self._compiler.compile(self.get_data(path), path, fullname)
        return super().get_code(fullname) if code is None else code


class _HookLoader:
    """Loads a module through its own loader, then calls the hook that waits for it."""

    def __init__(self, inner: Any, hook: Callable[[ModuleType], None]) -> None:
        self._inner, self._hook = inner, hook

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        spec.loader = self._inner
        module: ModuleType | None = self._inner.create_module(spec)
        spec.loader = self  # type: ignore[assignment]
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        self._hook(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Finder:
    """First on ``sys.meta_path``: asks the finders after it, and changes only the loader of what they find."""

    def __init__(self, compiler: Compiler | None, hooks: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._compiler, self._hooks = compiler, hooks

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, with our loader where the module is ours to observe."""
        spec = self._ask_others(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        try:
            if fullname in self._hooks:
                spec.loader = _HookLoader(spec.loader, self._hooks[fullname])  # type: ignore[assignment]
            elif self._compiler is not None:
                self._rewrite(self._compiler, fullname, spec)
        except Exception:  # noqa: BLE001 - the edge: file system calls may fail, or be forbidden by a tool of the host
            if self._compiler is not None:
                self._compiler.registry.fallbacks.append(fullname)
        return spec

    @staticmethod
    def _rewrite(compiler: Compiler, fullname: str, spec: ModuleSpec) -> None:
        if type(spec.loader) is SourceFileLoader and compiler.owns(spec.origin):
            spec.loader = RewritingLoader(fullname, spec.loader.path, compiler)

    def _ask_others(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                return spec
        return None

    def invalidate_caches(self) -> None:
        """Nothing is cached here."""

"""``sqlite3``: connections and cursors are C types, so that ``connect`` is given observed subclasses of them.

An application's own factories stay what they are: a class is subclassed once more, anything else is left alone, as are
the cursors of a connection class that overrides ``cursor`` and gives no factory itself.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, Callable

from ..probe import Probe
from ._dbapi import executing, executing_native, native_fetches, statement_methods
from ._library import Library

PATCHES = {"sqlite3": "patch_connect", "sqlite3.dbapi2": "patch_connect"}

_FACTORY = 5  # the place of ``factory`` among the arguments of ``connect``


def patch_connect(library: Library) -> None:
    """Replace ``connect`` of the module; the C function itself stays as it is."""
    observe = _Observed(library.module, library.probe)

    def connecting(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def connect(*arguments: Any, **options: Any) -> Any:
            if len(arguments) > _FACTORY:
                before, factory, after = arguments[:_FACTORY], arguments[_FACTORY], arguments[_FACTORY + 1 :]
                return original(*before, observe.connection(factory), *after, **options)
            options["factory"] = observe.connection(options.get("factory", observe.plain_connection))
            return original(*arguments, **options)

        return connect

    library.wrap(library.module, "connect", connecting)


class _Observed:
    """Makes the observed subclass of a connection or cursor class, one for each."""

    def __init__(self, module: Any, probe: Probe) -> None:
        self.plain_connection, self._plain_cursor = module.Connection, module.Cursor
        self._probe = probe
        self._connections = lru_cache(maxsize=256)(self._connection_class)
        self._cursors = lru_cache(maxsize=256)(self._cursor_class)

    def connection(self, factory: Any) -> Any:
        """A factory of observed connections; the same object where it cannot be observed."""
        if isinstance(factory, type) and issubclass(factory, self.plain_connection):
            return self._connections(factory)
        return factory

    def cursor(self, factory: Any) -> Any:
        """A factory of observed cursors; the same object where it cannot be observed."""
        if isinstance(factory, type) and issubclass(factory, self._plain_cursor):
            return self._cursors(factory)
        return factory

    def _connection_class(self, base: Any) -> type:
        observe, plain_cursor = self.cursor, self._plain_cursor
        plain = base.cursor is self.plain_connection.cursor

        def cursor(self: Any, *arguments: Any, **options: Any) -> Any:
            if arguments:
                return base.cursor(self, observe(arguments[0]), *arguments[1:], **options)
            if plain or "factory" in options:
                options["factory"] = observe(options.get("factory", plain_cursor))
            return base.cursor(self, **options)

        return _subclass(base, {"cursor": cursor, **self._shortcuts(base)})

    def _shortcuts(self, base: Any) -> dict[str, Any]:
        """``connection.execute`` makes a plain cursor in C: make an observed one. An override is timed as it is."""
        return {
            name: self._shortcut(name)
            if getattr(base, name) is getattr(self.plain_connection, name)
            else executing("sqlite", many=name == "executemany")(getattr(base, name), self._probe)
            for name in ("execute", "executemany", "executescript")
        }

    def _shortcut(self, name: str) -> Callable[..., Any]:
        plain, factory = self.plain_connection, self.cursor(self._plain_cursor)

        def execute(self: Any, *arguments: Any) -> Any:
            # until Python 3.10 the method `cursor` of a subclass is asked
            cursor = plain.cursor(self, factory) if sys.version_info >= (3, 11) else self.cursor()
            return getattr(cursor, name)(*arguments)

        return execute

    def _cursor_class(self, base: Any) -> type:
        wrappers = {**statement_methods("sqlite"), "executescript": executing("sqlite")}
        wrappers.update(native_fetches(base, self._plain_cursor))
        for name in ("execute", "executemany"):
            if getattr(base, name) is getattr(self._plain_cursor, name):
                wrappers[name] = executing_native("sqlite", many=name == "executemany")
        methods = {name: wrap(getattr(base, name), self._probe) for name, wrap in wrappers.items()}
        return _subclass(base, {**methods, "_burnish": None})


def _subclass(base: type, methods: dict[str, Any]) -> type:
    """A subclass that looks as its base in messages; weak references and attributes as plain subclasses have them."""
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    for name, method in methods.items():
        if callable(method):
            method.__name__ = name
    return type(base.__name__, (base,), {**names, **methods})

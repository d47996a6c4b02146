"""psycopg2: connections and cursors are C types, so that ``connect`` is given observed subclasses of them.

The cursors of ``psycopg2.extras`` are Python classes and are wrapped in place, because its connections choose them
themselves. A connection class of the application that overrides ``cursor`` and names no factory is left alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable

from ..probe import Probe
from ._dbapi import native_fetches, statement_methods
from ._library import Library

PATCHES = {"psycopg2": "patch_connect", "psycopg2.extras": "patch_extras"}
_SYSTEM = "postgresql"
_CURSOR_FACTORY = 1  # the place of ``cursor_factory`` among the arguments of ``connection.cursor``


def patch_connect(library: Library) -> None:
    """Replace ``connect`` of the module."""
    observe = _Observed(library.module.extensions, library.probe)

    def connecting(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def connect(dsn: Any = None, connection_factory: Any = None, *arguments: Any, **options: Any) -> Any:
            return original(dsn, observe.connection(connection_factory), *arguments, **options)

        return connect

    library.wrap(library.module, "connect", connecting)


def patch_extras(library: Library) -> None:
    """Dictionary and named tuple cursors."""
    methods = statement_methods(_SYSTEM)
    for cursor in (library.module.DictCursorBase, library.module.NamedTupleCursor):
        library.replace(cursor, "_burnish", None)
        for name, wrapper in methods.items():
            library.wrap(cursor, name, wrapper)
    for cursor in (library.module.DictCursor, library.module.RealDictCursor):
        library.wrap_own(cursor, methods)


class _Observed:
    """Makes the observed subclass of a connection or cursor class, one for each."""

    def __init__(self, extensions: Any, probe: Probe) -> None:
        self._extensions, self._probe = extensions, probe
        self._connections = lru_cache(maxsize=256)(self._connection_class)
        self._cursors = lru_cache(maxsize=256)(self._cursor_class)

    def connection(self, factory: Any) -> Any:
        """A factory of observed connections; the same object where it cannot be observed."""
        plain = self._extensions.connection
        factory = plain if factory is None else factory
        return self._connections(factory) if isinstance(factory, type) and issubclass(factory, plain) else factory

    def cursor(self, factory: Any) -> Any:
        """A factory of observed cursors; the same object where it cannot be observed."""
        plain = self._extensions.cursor
        factory = plain if factory is None else factory
        return self._cursors(factory) if isinstance(factory, type) and issubclass(factory, plain) else factory

    def _connection_class(self, base: Any) -> type:
        observe = self.cursor
        plain = base.cursor is self._extensions.connection.cursor

        def cursor(self: Any, *arguments: Any, **options: Any) -> Any:
            if len(arguments) > _CURSOR_FACTORY:
                named, factory, after = arguments[0], arguments[_CURSOR_FACTORY], arguments[_CURSOR_FACTORY + 1 :]
                return base.cursor(self, named, observe(factory or self.cursor_factory), *after, **options)
            if plain or options.get("cursor_factory") is not None:
                options["cursor_factory"] = observe(options.get("cursor_factory") or self.cursor_factory)
            return base.cursor(self, *arguments, **options)

        return _subclass(base, {"cursor": cursor})

    def _cursor_class(self, base: Any) -> type:
        wrappers = {**statement_methods(_SYSTEM), **native_fetches(base, self._extensions.cursor)}
        methods = {name: (getattr(base, name), wrap) for name, wrap in wrappers.items()}
        wrapped = {
            name: wrap(method, self._probe)
            for name, (method, wrap) in methods.items()
            if not getattr(method, "__burnish__", False)
        }
        return _subclass(base, {**wrapped, "_burnish": None})


def _subclass(base: type, methods: dict[str, Any]) -> type:
    """A subclass that looks as its base in messages."""
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    for name, method in methods.items():
        if callable(method):
            method.__name__ = name
    return type(base.__name__, (base,), {**names, **methods})

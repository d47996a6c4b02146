"""psycopg 3, sync and async: its cursors are Python classes. ``stream`` and ``copy`` are not recorded."""

from __future__ import annotations

from typing import Any

from ._dbapi import iterating, statement_methods
from ._dbapi_async import async_statement_methods, iterating_async
from ._library import Library

PATCHES = {
    "psycopg.cursor": "patch_cursor",
    "psycopg.cursor_async": "patch_async_cursor",
    "psycopg._server_cursor": "patch_server_cursor",
    "psycopg._server_cursor_async": "patch_async_server_cursor",
    "psycopg.server_cursor": "patch_server_cursors",
}
_SYSTEM = "postgresql"


def patch_cursor(library: Library) -> None:
    """``Cursor``, and through it ``ClientCursor`` and the cursors of Django and SQLAlchemy."""
    cursor = library.module.Cursor
    library.replace(cursor, "_burnish", None)
    library.wrap(cursor, "execute", statement_methods(_SYSTEM)["execute"])
    _wrap(library, cursor)


def patch_async_cursor(library: Library) -> None:
    """``AsyncCursor``."""
    cursor = library.module.AsyncCursor
    library.replace(cursor, "_burnish", None)
    library.wrap(cursor, "execute", async_statement_methods(_SYSTEM)["execute"])
    _wrap_async(library, cursor)


def patch_server_cursor(library: Library) -> None:
    """``ServerCursor`` has methods of its own."""
    _wrap(library, library.module.ServerCursor)


def patch_async_server_cursor(library: Library) -> None:
    """``AsyncServerCursor`` has methods of its own."""
    _wrap_async(library, library.module.AsyncServerCursor)


def patch_server_cursors(library: Library) -> None:
    """Before version 3.3 both were in one module."""
    patch_server_cursor(library)
    patch_async_server_cursor(library)


def _wrap(library: Library, cursor: Any) -> None:
    """Before version 3.3 ``__iter__`` was a generator, and there was no ``__next__``."""
    library.wrap_own(cursor, statement_methods(_SYSTEM))
    if not hasattr(cursor, "__next__"):
        library.wrap_own(cursor, {"__iter__": iterating})


def _wrap_async(library: Library, cursor: Any) -> None:
    library.wrap_own(cursor, async_statement_methods(_SYSTEM))
    if not hasattr(cursor, "__anext__"):
        library.wrap_own(cursor, {"__aiter__": iterating_async})

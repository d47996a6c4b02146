"""psycopg 3, sync and async: its cursors are Python classes. ``stream`` and ``copy`` are not recorded."""

from __future__ import annotations

from ._dbapi import async_statement_methods, statement_methods
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
    library.wrap(cursor, "execute", statement_methods(_SYSTEM)["execute"])
    library.wrap_own(cursor, statement_methods(_SYSTEM))


def patch_async_cursor(library: Library) -> None:
    """``AsyncCursor``."""
    cursor = library.module.AsyncCursor
    library.wrap(cursor, "execute", async_statement_methods(_SYSTEM)["execute"])
    library.wrap_own(cursor, async_statement_methods(_SYSTEM))


def patch_server_cursor(library: Library) -> None:
    """``ServerCursor`` has methods of its own."""
    library.wrap_own(library.module.ServerCursor, statement_methods(_SYSTEM))


def patch_async_server_cursor(library: Library) -> None:
    """``AsyncServerCursor`` has methods of its own."""
    library.wrap_own(library.module.AsyncServerCursor, async_statement_methods(_SYSTEM))


def patch_server_cursors(library: Library) -> None:
    """Before version 3.2 both were in one module."""
    if library.module.ServerCursor.__module__ in ("psycopg", "psycopg.server_cursor"):
        patch_server_cursor(library)
        patch_async_server_cursor(library)

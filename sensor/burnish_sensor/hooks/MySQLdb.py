"""mysqlclient: its connections are in C, its cursors are Python classes; those that stream fetch in their own way."""

from __future__ import annotations

from ._dbapi import iterating, statement_methods
from ._library import Library

PATCHES = {"MySQLdb.cursors": "patch_cursors"}
_SYSTEM = "mysql"


def patch_cursors(library: Library) -> None:
    """``executemany`` runs ``execute`` inside: it is one execution all the same."""
    methods, cursors = statement_methods(_SYSTEM), library.module
    del methods["__next__"]  # calls fetchone
    library.wrap(cursors.BaseCursor, "execute", methods["execute"])
    library.wrap_own(cursors.BaseCursor, methods)
    for stored in (cursors.CursorStoreResultMixIn, cursors.CursorUseResultMixIn):
        library.wrap_own(stored, methods)
    # before version 2.2 an iterator over what was stored, else the cursor itself
    library.wrap_own(cursors.CursorStoreResultMixIn, {"__iter__": iterating})
    library.replace(cursors.BaseCursor, "_burnish", None)

"""PyMySQL: its cursors are Python classes; those of dictionaries and those that stream inherit or have their own."""

from __future__ import annotations

from ._dbapi import statement_methods
from ._library import Library

PATCHES = {"pymysql.cursors": "patch_cursors"}
_SYSTEM = "mysql"


def patch_cursors(library: Library) -> None:
    """``executemany`` of many rows runs ``execute`` inside: it is one execution all the same."""
    methods = statement_methods(_SYSTEM)
    del methods["__next__"]  # calls fetchone
    library.replace(library.module.Cursor, "_burnish", None)
    library.wrap(library.module.Cursor, "execute", methods["execute"])
    library.wrap_own(library.module.Cursor, methods)
    library.wrap_own(library.module.SSCursor, methods)

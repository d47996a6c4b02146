"""asyncpg: the methods of connections and prepared statements. Cursors and ``copy_*`` are not recorded."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._dbapi_async import awaiting, quiet_async
from ._library import Library, Wrapper

PATCHES = {
    "asyncpg.connection": "patch_connection",
    "asyncpg.pool": "patch_pool",
    "asyncpg.prepared_stmt": "patch_prepared",
    "asyncpg.transaction": "patch_transaction",
}
_SYSTEM = "postgresql"


def _one(row: Any) -> int:
    return int(row is not None)


def _nothing(result: Any) -> None:
    return None


_COUNTS: dict[str, Callable[[Any], int | None]] = {
    "fetch": len,
    "fetchmany": len,
    "fetchrow": _one,
    "fetchval": _one,
    "execute": _nothing,
    "executemany": _nothing,
}
_MANY = ("executemany", "fetchmany")


def _methods() -> dict[str, Wrapper]:
    return {name: awaiting(_SYSTEM, name in _MANY, rows) for name, rows in _COUNTS.items()}


def patch_connection(library: Library) -> None:
    """Methods that take the text of a query."""
    connection = library.module.Connection
    for name in ("execute", "executemany", "fetch"):
        library.wrap(connection, name, _methods()[name])
    library.wrap_own(connection, {**_methods(), "_introspect_types": quiet_async, "reset": quiet_async})


def patch_pool(library: Library) -> None:
    """What a pool hands out has copies of the methods; those made before the sensor was there are wrapped here."""
    library.wrap_own(library.module.PoolConnectionProxy, _methods())


def patch_prepared(library: Library) -> None:
    """Methods of a prepared statement: its text is that of the statement."""
    prepared = library.module.PreparedStatement
    library.wrap(prepared, "fetch", _prepared("fetch"))
    library.wrap_own(prepared, {name: _prepared(name) for name in _COUNTS})


def patch_transaction(library: Library) -> None:
    """BEGIN and COMMIT, as a pool's reset, are the driver's own: other drivers send them where no hook can see."""
    for name in ("__aexit__", "start", "commit", "rollback"):
        library.wrap(library.module.Transaction, name, quiet_async)


def _prepared(name: str) -> Wrapper:
    """``execute(self, *arguments)`` made to look as ``execute(self, query, *arguments)`` for the common wrapper."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def run(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
            return original(self, *arguments, **options)

        recorded = _methods()[name](run, probe)

        def execute(self: Any, *arguments: Any, **options: Any) -> Any:
            return recorded(self, self.get_query(), *arguments, **options)

        return execute

    return wrapper

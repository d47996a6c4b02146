"""SQLAlchemy 1.4 and later: SQL through engine events, rows through the fetch strategy of cursor results."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from ..probe import UNKNOWN, Probe
from ._dbapi import end, quiet
from ._greenlets import Follower
from ._library import Library

PATCHES = {
    "sqlalchemy": "patch_engine",
    "sqlalchemy.ext.asyncio.engine": "patch_async_engine",
    "sqlalchemy.ext.asyncio.session": "patch_async_session",
    "sqlalchemy.ext.asyncio.result": "patch_async_result",
}


def patch_engine(library: Library) -> None:
    """Listen on the ``Engine`` class, so that every engine of the process is seen."""
    from sqlalchemy import event  # imported by the application already: this runs after it
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool.base import _ConnectionRecord

    _count_rows(library)
    library.wrap_own(_ConnectionRecord, {"_ConnectionRecord__connect": quiet})
    for name, listener in _listeners(library.probe).items():
        if name == "before_cursor_execute":  # with `retval` it is called as it is, not through a function more
            event.listen(Engine, name, listener, retval=True)
        else:
            event.listen(Engine, name, listener)
        library.on_undo(partial(event.remove, Engine, name, listener))


def patch_async_engine(library: Library) -> None:
    """``AsyncConnection`` and what it runs in greenlets."""
    library.wrap(library.module, "greenlet_spawn", _spawning)
    _follow(library, library.module.AsyncConnection)


def patch_async_session(library: Library) -> None:
    """The same of ``AsyncSession``."""
    library.wrap(library.module, "greenlet_spawn", _spawning)
    _follow(library, library.module.AsyncSession)


def patch_async_result(library: Library) -> None:
    """The same of results that are fetched later."""
    library.wrap(library.module, "greenlet_spawn", _spawning)


def _spawning(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """The greenlet shares the context variables of the task: it finds the call site there."""

    leave, take_back = probe.leave, probe.take_back

    async def greenlet_spawn(*arguments: Any, **options: Any) -> Any:
        token = leave()
        try:
            return await original(*arguments, **options)
        finally:
            take_back(token)

    return greenlet_spawn


def _follow(library: Library, owner: Any) -> None:
    """All that waits in SQLAlchemy's asyncio runs in greenlets, but the application's own functions only here.

    To follow greenlets costs some microseconds for each statement, so it is done only while such a function runs.
    """
    try:
        import greenlet  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:  # SQLAlchemy can be imported without it, but nothing of this can be used
        return
    follower = Follower(greenlet, library.probe)

    def following(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        async def run_sync(self: Any, *arguments: Any, **options: Any) -> Any:
            follower.begin()
            try:
                return await original(self, *arguments, **options)
            finally:
                follower.end()

        return run_sync

    library.wrap(owner, "run_sync", following)


def _listeners(probe: Probe) -> dict[str, Callable[..., Any]]:
    """The guard of an execution is kept in its context, as ``_burnish``, so that it ends with it whatever happens.

    After it, the same place holds what was executed.
    """
    lent_statement, executed = probe.lent_statement, probe.executed

    def before(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> Any:
        if context is not None:
            context._burnish = lent_statement()
        return statement, parameters

    def after(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        guard = getattr(context, "_burnish", None)
        if guard is not None and guard.open:
            given = UNKNOWN if many else parameters
            if type(statement) is str:
                context._burnish = executed(guard, statement, given, context.dialect.name)
            else:
                context._burnish = end(probe, guard, cursor, statement, given, context.dialect.name, None)

    def failed(failure: Any) -> None:
        context = failure.execution_context
        guard = getattr(context, "_burnish", None)
        if guard is not None and guard.open:
            context._burnish = None
            statement, error = failure.statement or "", failure.original_exception
            end(probe, guard, None, statement, UNKNOWN, context.dialect.name, error)

    return {"before_cursor_execute": before, "after_cursor_execute": after, "handle_error": failed}


def _count_rows(library: Library) -> None:
    """Count what the default fetch strategy returns; other strategies (buffered) report no rows."""
    from sqlalchemy.engine.cursor import CursorFetchStrategy

    for name in ("fetchone", "fetchmany", "fetchall"):
        library.wrap(CursorFetchStrategy, name, _fetching)


def _fetching(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    clock, fetched_since, one = probe.clock, probe.fetched_since, original.__name__ == "fetchone"

    def fetch(self: Any, result: Any, *arguments: Any, **options: Any) -> Any:
        start = clock()
        rows = original(self, result, *arguments, **options)
        execution = getattr(getattr(result, "context", None), "_burnish", None)
        if execution is not None:
            fetched_since(execution, int(rows is not None) if one else len(rows), start)
        return rows

    return fetch

"""SQLAlchemy 1.4 and later: SQL through engine events, rows through the fetch strategy of cursor results."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable

from ..probe import Probe


def patch_engine(module: Any, probe: Probe) -> None:
    """Listen on the ``Engine`` class, so that every engine of the process is seen."""
    from sqlalchemy import event  # imported by the application already: this runs after it
    from sqlalchemy.engine import Engine

    events = _Events(probe)
    event.listen(Engine, "before_cursor_execute", events.before)
    event.listen(Engine, "after_cursor_execute", events.after)
    event.listen(Engine, "handle_error", events.failed)
    _count_rows(probe)


class _Events:
    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def before(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if context is not None:
            context._burnish_start = self._probe.clock()

    def after(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        start = getattr(context, "_burnish_start", None)
        if start is None:
            return
        context._burnish_start = None
        wall = self._probe.clock() - start
        given = None if many else parameters
        context._burnish = self._probe.executed(statement, given, context.dialect.name, wall)

    def failed(self, failure: Any) -> None:
        context = failure.execution_context
        start = getattr(context, "_burnish_start", None)
        if start is None:
            return
        context._burnish_start = None
        wall, error = self._probe.clock() - start, failure.original_exception
        self._probe.executed(failure.statement or "", None, context.dialect.name, wall, error)


def _count_rows(probe: Probe) -> None:
    """Count what the default fetch strategy returns; other strategies (buffered) report no rows."""
    from sqlalchemy.engine.cursor import CursorFetchStrategy

    for name in ("fetchone", "fetchmany", "fetchall"):
        setattr(CursorFetchStrategy, name, _fetching(getattr(CursorFetchStrategy, name), name, probe))


def _fetching(original: Callable[..., Any], name: str, probe: Probe) -> Callable[..., Any]:
    @wraps(original)
    def fetch(self: Any, result: Any, *arguments: Any, **options: Any) -> Any:
        start = probe.clock()
        rows = original(self, result, *arguments, **options)
        execution = getattr(getattr(result, "context", None), "_burnish", None)
        count = len(rows) if name != "fetchone" else int(rows is not None)
        probe.fetched(execution, count, probe.clock() - start)
        return rows

    return fetch

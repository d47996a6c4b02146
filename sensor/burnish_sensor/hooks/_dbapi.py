"""Wrappers for the cursors of database drivers (PEP 249 and its relatives)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable
from weakref import WeakKeyDictionary

from ..probe import UNKNOWN, Probe
from ..queries import normalise as normalise  # loaded with the first driver, not in its first statement
from ..queries.log import Execution
from ._library import Wrapper

FETCHES = ("fetchone", "fetchmany", "fetchall")
#: of cursors that have no ``__dict__``
_executions: WeakKeyDictionary[Any, Execution | None] = WeakKeyDictionary()


def remember(cursor: Any, execution: Execution | None) -> None:
    """Keep what a cursor executed last, for the rows that are fetched from it."""
    try:
        cursor._burnish = execution
    except AttributeError:
        try:
            _executions[cursor] = execution
        except TypeError:  # it cannot be remembered at all: its rows are not counted
            pass


def recall(cursor: Any) -> Execution | None:
    """What a cursor executed last; None where another library above it records its rows."""
    try:
        execution: Execution | None = cursor._burnish
    except AttributeError:
        pass
    else:
        return execution
    try:
        return _executions.get(cursor)
    except TypeError:
        return None


def forget(cursor: Any) -> None:
    """Rows that come now are not those of what was remembered: a library above records this statement."""
    if recall(cursor) is not None:
        remember(cursor, None)


def text_of(query: Any, cursor: Any = None) -> str:
    """The SQL text of what drivers take: a string, bytes, or an object that composes one."""
    if isinstance(query, str):
        return query
    if isinstance(query, (bytes, bytearray)):
        return query.decode("utf-8", "replace")
    compose = getattr(query, "as_string", None)
    return str(compose(cursor)) if compose is not None else str(query)


def statement_methods(system: str) -> dict[str, Wrapper]:
    """Wrappers of the methods of a cursor class that execute and fetch."""
    return {
        "execute": executing(system),
        "executemany": executing(system, many=True),
        "__next__": fetching("fetchone"),
        **{name: fetching(name) for name in FETCHES},
    }


def executing(system: str, many: bool = False) -> Wrapper:
    """A wrapper of ``execute(query, parameters)``; a call is one execution, also with ``many`` sets of parameters."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            forget(self)  # what it fetches itself to begin anew are no rows
            guard = probe.statement()
            if guard is None:
                return original(self, query, *arguments, **options)
            failure: BaseException | None = None
            try:
                return original(self, query, *arguments, **options)
            except BaseException as error:
                failure = error
                raise
            finally:
                parameters = UNKNOWN if many else parameters_of(arguments, options)
                remember(self, end(probe, guard, self, query, parameters, system, failure))

        return execute

    return wrapper


def quiet(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """A wrapper of a function whose statements are not recorded: a framework prepares a connection as drivers do."""

    def prepare(*arguments: Any, **options: Any) -> Any:
        guard = probe.statement()
        try:
            return original(*arguments, **options)
        finally:
            if guard is not None:
                guard.open = False

    return prepare


def end(
    probe: Probe, guard: Any, cursor: Any, query: Any, parameters: Any, system: str, failure: BaseException | None
) -> Execution | None:
    """Record an execution; never raises, whatever the query object does."""
    if type(query) is not str:
        try:
            query = text_of(query, cursor)
        except Exception:  # noqa: BLE001 - the application's object
            guard.open = False
            return None
    return probe.executed(guard, query, parameters, system, failure)


def fetching(name: str) -> Wrapper:
    """A wrapper of a method that fetches rows. While it runs the methods that it uses itself count nothing."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def fetch(self: Any, *arguments: Any, **options: Any) -> Any:
            execution = recall(self)
            if execution is None:
                return original(self, *arguments, **options)
            remember(self, None)
            start = probe.clock()
            try:
                result = original(self, *arguments, **options)
            finally:
                remember(self, execution)
            probe.fetched(execution, count_of(name, result), probe.clock() - start)
            return result

        return fetch

    return wrapper


def native_fetches(kind: type, plain: type) -> dict[str, Wrapper]:
    """Wrappers of those methods that a cursor class has from the driver's class in C, which calls no other method.

    They ask for ``_burnish``, which the class must have.
    """
    wrappers = {"__next__": advancing, **{name: _fetching_native(name) for name in FETCHES}}
    return {name: wrapper for name, wrapper in wrappers.items() if getattr(kind, name) is getattr(plain, name)}


def _fetching_native(name: str) -> Wrapper:
    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        clock, fetched, one = probe.clock, probe.fetched, name == "fetchone"

        def fetch(self: Any, *arguments: Any, **options: Any) -> Any:
            execution = self._burnish
            if execution is None:
                return original(self, *arguments, **options)
            start = clock()
            result = original(self, *arguments, **options)
            fetched(execution, int(result is not None) if one else len(result), clock() - start)
            return result

        return fetch

    return wrapper


def advancing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """A wrapper of the ``__next__`` of a cursor in C, which calls no other method; short, for it runs for each row."""
    clock, fetched = probe.clock, probe.fetched

    def advance(self: Any) -> Any:
        execution = self._burnish
        if execution is None:
            return original(self)
        start = clock()
        row = original(self)
        fetched(execution, 1, clock() - start)
        return row

    return advance


def iterating(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """A wrapper of an ``__iter__`` that is a generator of rows."""

    def iterate(self: Any) -> Iterator[Any]:
        execution, rows = recall(self), iter(original(self))
        while True:
            start = probe.clock()
            try:
                row = next(rows)
            except StopIteration:
                return
            probe.fetched(execution, 1, probe.clock() - start)
            yield row

    return iterate


def parameters_of(arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if arguments:
        return arguments[0]
    return next((options[name] for name in ("params", "parameters", "args", "vars") if name in options), None)


def count_of(name: str, result: Any) -> int:
    if name == "fetchone":
        return int(result is not None)
    return len(result) if hasattr(result, "__len__") else 0

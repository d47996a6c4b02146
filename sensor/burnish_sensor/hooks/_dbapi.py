"""Wrappers for the cursors of database drivers (PEP 249 and its relatives)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable
from weakref import WeakKeyDictionary

from ..probe import UNKNOWN, Probe
from ..queries import normalise as normalise  # loaded with the first driver, not in its first statement
from ._library import Wrapper

FETCHES = ("fetchone", "fetchmany", "fetchall")
#: of cursors that have no ``__dict__``
_executions: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def remember(cursor: Any, execution: Any) -> None:
    """Keep what a cursor executed last, for the rows that are fetched from it."""
    try:
        cursor._burnish = execution
    except AttributeError:
        try:
            _executions[cursor] = execution
        except TypeError:  # it cannot be remembered at all: its rows are not counted
            pass


def recall(cursor: Any) -> Any:
    """What a cursor executed last; None where another library above it records its rows."""
    try:
        found = cursor._burnish
    except AttributeError:
        found = None
    if found is not None or not _executions:
        return found
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
        statement = probe.statement

        def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            forget(self)  # what it fetches itself to begin anew are no rows
            guard = statement()
            if guard is None:
                return original(self, query, *arguments, **options)
            parameters = UNKNOWN if many else parameters_of(arguments, options)
            try:
                result = original(self, query, *arguments, **options)
            except BaseException as error:
                remember(self, end(probe, guard, self, query, parameters, system, error))
                raise
            remember(self, end(probe, guard, self, query, parameters, system, None))
            return result

        return probe.execute_method(execute, original, system, many)

    return wrapper


def executing_native(system: str, many: bool = False) -> Wrapper:
    """The same for ``execute(query, parameters=(), /)`` of a class that has ``_burnish``: as short as can be."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        statement, executed = probe.statement, probe.executed

        def execute(self: Any, query: Any, parameters: Any = (), /) -> Any:
            self._burnish = None
            guard = statement()
            if guard is None:
                return original(self, query, parameters)
            given = UNKNOWN if many else parameters
            try:
                result = original(self, query, parameters)
            except BaseException as error:
                self._burnish = executed(guard, query, given, system, error)
                raise
            self._burnish = executed(guard, query, given, system)
            return result

        return probe.execute_method(execute, original, system, many)

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
) -> Any:
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
            probe.fetched_since(execution, count_of(name, result), start)
            return result

        return probe.fetch_method(fetch, original, name == "fetchone")

    return wrapper


def native_fetches(kind: type, plain: type) -> dict[str, Wrapper]:
    """Wrappers of those methods that a cursor class has from the driver's class in C, which calls no other method.

    They ask for ``_burnish``, which the class must have.
    """
    wrappers = {
        "__next__": advancing,
        "fetchall": _fetching_all,
        "fetchone": _fetching_one,
        "fetchmany": _fetching_many,
    }
    return {name: wrapper for name, wrapper in wrappers.items() if getattr(kind, name) is getattr(plain, name)}


def _fetching_all(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    clock, fetched_since = probe.clock, probe.fetched_since

    def fetchall(self: Any) -> Any:
        execution = self._burnish
        if execution is None:
            return original(self)
        start = clock()
        rows = original(self)
        fetched_since(execution, len(rows), start)
        return rows

    return fetchall


def _fetching_one(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    clock, fetched_since = probe.clock, probe.fetched_since

    def fetchone(self: Any) -> Any:
        execution = self._burnish
        if execution is None:
            return original(self)
        start = clock()
        row = original(self)
        fetched_since(execution, 0 if row is None else 1, start)
        return row

    return fetchone


def _fetching_many(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def fetchmany(self: Any, *arguments: Any, **options: Any) -> Any:
        start = probe.clock()
        rows = original(self, *arguments, **options)
        probe.fetched_since(self._burnish, len(rows), start)
        return rows

    return fetchmany


def advancing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """A wrapper of the ``__next__`` of a cursor in C, which calls no other method; short, for it runs for each row."""
    clock, fetched_since = probe.clock, probe.fetched_since

    def advance(self: Any) -> Any:
        execution = self._burnish
        if execution is None:
            return original(self)
        start = clock()
        row = original(self)
        fetched_since(execution, 1, start)
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
            probe.fetched_since(execution, 1, start)
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

"""Django 4.2 and later: requests, management commands and SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from ..entries.bodies import AsyncBody, Body
from ..entries.entries import Entry
from ..probe import UNKNOWN, Probe
from ._caches import patch_cache
from ._dbapi import end, quiet
from ._library import Library

__all__ = ["patch_cache"]
PATCHES = {
    "django.core.cache.backends.db": "patch_cache",
    "django.core.cache.backends.filebased": "patch_cache",
    "django.core.cache.backends.locmem": "patch_cache",
    "django.core.cache.backends.memcached": "patch_cache",
    "django.core.cache.backends.redis": "patch_cache",
    "django.core.handlers.base": "patch_handler",
    "django.core.handlers.exception": "patch_exception",
    "django.core.management.base": "patch_command",
    "django.db.backends.base.base": "patch_connection",
    "django.db.backends.utils": "patch_cursor",
}
#: commands that serve until they are stopped: their requests are the entries
_SERVERS = frozenset({"runserver", "runserver_plus", "testserver", "shell", "shell_plus", "test"})


def patch_handler(library: Library) -> None:
    """Make each request an entry, named when its route is known."""
    handler = library.module.BaseHandler
    library.wrap(handler, "get_response", _synchronous)
    library.wrap(handler, "get_response_async", _asynchronous)


def _synchronous(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def get_response(self: Any, request: Any) -> Any:
        if not probe.active:
            return original(self, request)
        outer = probe.entries.generic()
        if outer is not None:
            try:
                return original(self, request)
            finally:
                outer.name = outer.name or _name(request)
        entry = probe.entries.begin("http")
        try:
            response = original(self, request)
        except BaseException as error:
            probe.entries.end(entry, _name(request), 500, error)
            raise
        return _ended(probe, entry, request, response)

    return get_response


def _asynchronous(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def get_response_async(self: Any, request: Any) -> Any:
        if not probe.active:
            return await original(self, request)
        outer = probe.entries.generic()
        if outer is not None:
            try:
                return await original(self, request)
            finally:
                outer.name = outer.name or _name(request)
        entry = probe.entries.begin("http")
        try:
            response = await probe.entries.awaiting(entry, original(self, request))
        except BaseException as error:
            probe.entries.end(entry, _name(request), 500, error)
            raise
        return _ended(probe, entry, request, response)

    return get_response_async


def _ended(probe: Probe, entry: Entry, request: Any, response: Any) -> Any:
    """The response, after its entry was ended, or is made to end with the body that it streams."""
    if not getattr(response, "streaming", False) or getattr(response, "file_to_stream", None) is not None:
        probe.entries.end(entry, _name(request), _status(response))
        return response  # a file is sent by the server

    def finish(error: BaseException | None) -> None:
        probe.entries.end(entry, _name(request), _status(response), error)

    kind = AsyncBody if getattr(response, "is_async", False) else Body
    try:
        response.streaming_content = kind(probe.entries, entry, response.streaming_content, finish)
    except Exception:  # noqa: BLE001 - a response class of the application; the body, given up, has ended the entry
        pass
    return response


def _status(response: Any) -> int:
    return int(getattr(response, "status_code", 500))


def _name(request: Any) -> str:
    """Method and route; ``<unmatched>`` where no route matched. A path never becomes a name."""
    route = getattr(getattr(request, "resolver_match", None), "route", None)
    method = request.method if str(request.method).isalpha() else "<method>"
    return f"{method} <unmatched>" if route is None else f"{method} {route or '/'}"


def patch_exception(library: Library) -> None:
    """Learn which exception became a response of 500 or more."""
    library.wrap(library.module, "response_for_exception", _explaining)


def _explaining(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def response_for_exception(request: Any, exc: BaseException) -> Any:
        response = original(request, exc)
        context = probe.entries.current()
        if context is not None and response.status_code >= 500:
            context.error = type(exc).__name__
        return response

    return response_for_exception


def patch_command(library: Library) -> None:
    """Make each management command an entry, unless it serves, or runs inside another entry."""
    library.wrap(library.module.BaseCommand, "execute", _commanding)


def _commanding(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def execute(self: Any, *arguments: Any, **options: Any) -> Any:
        name = type(self).__module__.rpartition(".")[2]
        if not probe.active or name in _SERVERS or probe.entries.inside():
            return original(self, *arguments, **options)
        entry = probe.entries.begin("command", "command:" + name)
        failure = None
        try:
            return original(self, *arguments, **options)
        except BaseException as error:
            failure = error
            raise
        finally:
            probe.entries.end(entry, error=failure)

    return execute


def patch_connection(library: Library) -> None:
    """What Django asks a new connection by itself is no statement of the application."""
    library.wrap(library.module.BaseDatabaseWrapper, "connect", quiet)


def patch_cursor(library: Library) -> None:
    """Record each execution and its rows; with the debug wrapper, what it asks the database itself is inside."""
    wrapper = library.module.CursorWrapper
    library.replace(wrapper, "_burnish", None)
    for cursor in (wrapper, library.module.CursorDebugWrapper):
        library.wrap_own(cursor, {"execute": _executing, "executemany": _executing})
    library.wrap(wrapper, "__iter__", _iterating)
    for name in ("fetchone", "fetchmany", "fetchall"):
        library.replace(wrapper, name, _fetching(name, library.probe))


def _executing(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    many = original.__name__ == "executemany"
    statement = probe.statement

    def execute(self: Any, sql: Any, params: Any = None) -> Any:
        guard = statement()
        if guard is None:
            return original(self, sql, params)
        given = UNKNOWN if many else params
        try:
            result = original(self, sql, params)
        except BaseException as error:
            self._burnish = end(probe, guard, self, sql, given, self.db.vendor, error)
            raise
        self._burnish = end(probe, guard, self, sql, given, self.db.vendor, None)
        return result

    return probe.execute_method(execute, original, None, many)


def _fetching(name: str, probe: Probe) -> Callable[..., Any]:
    clock, fetched_since, one = probe.clock, probe.fetched_since, name == "fetchone"

    def fetch(self: Any, *arguments: Any, **options: Any) -> Any:
        original = type(self).__getattr__(self, name)  # what Django does for a method that it does not define
        start = clock()
        result = original(*arguments, **options)
        rows = int(result is not None) if one else len(result)
        fetched_since(self._burnish, rows, start)
        return result

    method = probe.fetch_method(fetch, name, one)
    method.__name__ = name
    return method


def _iterating(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def iterate(self: Any) -> Iterator[Any]:
        rows = iter(original(self))
        while True:
            start = probe.clock()
            try:
                row = next(rows)
            except StopIteration:
                return
            probe.fetched_since(self._burnish, 1, start)
            yield row

    return iterate

"""Wrappers for the cursors and connections of database drivers whose methods are coroutines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Callable

from ..probe import UNKNOWN, Probe
from ._dbapi import FETCHES, count_of, end, forget, parameters_of, recall, remember
from ._library import Wrapper


def async_statement_methods(system: str) -> dict[str, Wrapper]:
    """The same for a cursor class whose methods are coroutines."""
    return {
        "execute": awaiting(system),
        "executemany": awaiting(system, many=True),
        "__anext__": fetching_async("fetchone"),
        **{name: fetching_async(name) for name in FETCHES},
    }


def awaiting(system: str, many: bool = False, rows: Callable[[Any], int | None] | None = None) -> Wrapper:
    """The same for a coroutine function. ``rows`` counts those in the result, where it holds them."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            guard = probe.statement()
            awaitable = original(self, query, *arguments, **options)
            if guard is None:
                if rows is None:
                    forget(self)
                return awaitable
            guard.open = False  # until somebody awaits it
            parameters = UNKNOWN if many else (arguments if rows else parameters_of(arguments, options))
            return _awaited(probe, guard, awaitable, self, query, parameters, system, rows)

        return as_coroutine_function(execute)

    return wrapper


async def _awaited(
    probe: Probe,
    guard: Any,
    awaitable: Any,
    cursor: Any,
    query: Any,
    parameters: Any,
    system: str,
    rows: Callable[[Any], int | None] | None,
) -> Any:
    failure: BaseException | None = None
    result: Any = None
    probe.resume(guard)
    try:
        result = await awaitable
        return result
    except BaseException as error:
        failure = error
        raise
    finally:
        execution = end(probe, guard, cursor, query, parameters, system, failure)
        if rows is None:
            remember(cursor, execution)
        elif failure is None:
            _count_result(probe, execution, rows, result)


def _count_result(probe: Probe, execution: Any, rows: Callable[[Any], int | None], result: Any) -> None:
    try:
        count = rows(result)
    except Exception:  # noqa: BLE001 - a result of a class that the driver was told to use
        return
    if count is not None:
        probe.fetched(execution, count, 0)


def quiet_async(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """The same for a coroutine function."""

    async def prepare(*arguments: Any, **options: Any) -> Any:
        guard = probe.statement()
        try:
            return await original(*arguments, **options)
        finally:
            if guard is not None:
                guard.open = False

    return prepare


def fetching_async(name: str) -> Wrapper:
    """The same for a coroutine function."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        async def fetch(self: Any, *arguments: Any, **options: Any) -> Any:
            execution = recall(self)
            if execution is None:
                return await original(self, *arguments, **options)
            remember(self, None)
            start = probe.clock()
            try:
                result = await original(self, *arguments, **options)
            finally:
                remember(self, execution)
            probe.fetched_since(execution, count_of(name, result), start)
            return result

        return fetch

    return wrapper


def iterating_async(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    """The same for an ``__aiter__`` that is an asynchronous generator."""

    async def iterate(self: Any) -> AsyncIterator[Any]:
        execution, rows = recall(self), original(self)
        while True:
            start = probe.clock()
            try:
                row = await rows.__anext__()
            except StopAsyncIteration:
                return
            probe.fetched_since(execution, 1, start)
            yield row

    return iterate


def as_coroutine_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that returns a coroutine, for those who ask ``iscoroutinefunction``."""
    import asyncio  # not at the head: a driver that does not wait needs neither
    import inspect

    mark = getattr(inspect, "markcoroutinefunction", None)
    if mark is not None:
        marked: Callable[..., Any] = mark(function)
        return marked
    function._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", None)  # type: ignore[attr-defined]
    return function

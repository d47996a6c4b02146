"""Wrappers for what calls another service, sync and async; the outermost library records the call."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Guard, Probe
from ..queries.dependencies import peer_of
from ._dbapi_async import as_coroutine_function
from ._library import Wrapper

#: (the client, positional arguments, named arguments) → (peer, operation)
Describe = Callable[[Any, tuple[Any, ...], dict[str, Any]], tuple[str, str]]
_PORTS = {"http": 80, "https": 443}


def calling(kind: str, describe: Describe) -> Wrapper:
    """A wrapper of a method that makes one call."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            guard = probe.dependency()
            if guard is None:
                return original(self, *arguments, **options)
            result, failure = None, None
            try:
                result = original(self, *arguments, **options)
                return result
            except BaseException as error:
                failure = error
                raise
            finally:
                end(probe, guard, kind, lambda: describe(self, arguments, options), result, failure)

        return call

    return wrapper


def calling_async(kind: str, describe: Describe) -> Wrapper:
    """A wrapper of a coroutine function that makes one call; its site is where the coroutine is made."""

    def wrapper(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            guard = probe.dependency()
            awaitable = original(self, *arguments, **options)
            if guard is None or not hasattr(awaitable, "__await__"):  # a pipeline's command is only noted
                return awaitable
            guard.open = False  # until somebody awaits it
            return _awaited(probe, guard, awaitable, kind, lambda: describe(self, arguments, options))

        return as_coroutine_function(call)

    return wrapper


async def _awaited(
    probe: Probe, guard: Guard, awaitable: Any, kind: str, describe: Callable[[], tuple[str, str]]
) -> Any:
    result, failure = None, None
    probe.resume_dependency(guard)
    try:
        result = await awaitable
        return result
    except BaseException as error:
        failure = error
        raise
    finally:
        end(probe, guard, kind, describe, result, failure)


def end(
    probe: Probe,
    guard: Guard,
    kind: str,
    describe: Callable[[], tuple[str, str]],
    result: Any,
    failure: BaseException | None,
) -> None:
    """Record a call; never raises, whatever the application's objects do."""
    try:
        peer, operation = describe()
        status = getattr(result, "status_code", None) or getattr(result, "status", None)
    except Exception:  # noqa: BLE001 - the application's objects
        guard.open = False
        return
    probe.called(guard, (kind, peer, operation), failure, status if isinstance(status, int) else None)


def peer_of_url(url: Any) -> str:
    """Host and port of a URL; the default port of its scheme where it names none."""
    from urllib.parse import urlsplit

    parts = urlsplit(url if isinstance(url, str) else str(url))
    return peer_of(parts.hostname, parts.port or _PORTS.get(parts.scheme))

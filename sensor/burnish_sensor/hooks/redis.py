"""redis-py, sync and async: each command, and each pipeline as one call. Not recorded: clusters and subscriptions."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ..queries.dependencies import command_of, peer_of
from ._clients import calling, calling_async
from ._library import Library

PATCHES = {
    "redis.client": "patch_client",
    "redis.asyncio.client": "patch_async_client",
    "redis.retry": "patch_retry",
    "redis.asyncio.retry": "patch_retry",
}


def patch_client(library: Library) -> None:
    """``Redis`` and ``Pipeline``."""
    library.wrap(library.module.Redis, "execute_command", calling("redis", _command))
    library.wrap(library.module.Pipeline, "immediate_execute_command", calling("redis", _command))
    library.wrap(library.module.Pipeline, "execute", calling("redis", _pipeline))


def patch_async_client(library: Library) -> None:
    """The same, of coroutines."""
    library.wrap(library.module.Redis, "execute_command", calling_async("redis", _command))
    library.wrap(library.module.Pipeline, "immediate_execute_command", calling_async("redis", _command))
    library.wrap(library.module.Pipeline, "execute", calling_async("redis", _pipeline))


def patch_retry(library: Library) -> None:
    """What the client tries again by itself, also to connect; with coroutines ``do`` only makes one each time."""
    library.wrap(library.module.Retry, "call_with_retry", _retrying)


def _retrying(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def call_with_retry(self: Any, do: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        call = probe.running_dependency()
        if call is None:
            return original(self, do, *arguments, **options)
        call.retries -= 1  # the first time is none

        def counted(*inner: Any, **named: Any) -> Any:
            call.retries += 1
            return do(*inner, **named)

        return original(self, counted, *arguments, **options)

    return call_with_retry


def _command(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    return _peer(client), command_of(arguments[0])


def _pipeline(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    return _peer(client), "PIPELINE"


def _peer(client: Any) -> str:
    at = client.connection_pool.connection_kwargs
    return "unix" if "path" in at else peer_of(at.get("host", "localhost"), int(at.get("port", 6379)))

"""redis-py, sync and async: each command, and each pipeline as one call. Not recorded: clusters and subscriptions."""

from __future__ import annotations

from typing import Any

from ..dependencies import command_of, peer_of
from ._clients import calling, calling_async
from ._library import Library

PATCHES = {"redis.client": "patch_client", "redis.asyncio.client": "patch_async_client"}


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


def _command(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    return _peer(client), command_of(arguments[0])


def _pipeline(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    return _peer(client), "PIPELINE"


def _peer(client: Any) -> str:
    at = client.connection_pool.connection_kwargs
    return "unix" if "path" in at else peer_of(at.get("host", "localhost"), int(at.get("port", 6379)))

"""pymemcache: each command that is sent; the pooled and hashing clients use this one."""

from __future__ import annotations

from typing import Any

from ..queries.dependencies import command_of, peer_of
from ._clients import Describe, calling
from ._library import Library

PATCHES = {"pymemcache.client.base": "patch_client"}


def patch_client(library: Library) -> None:
    """The three functions that all commands go through, each with the place of the command's name."""
    for function, place, name in (("_fetch_cmd", 0, "name"), ("_store_cmd", 0, "name"), ("_misc_cmd", 1, "cmd_name")):
        library.wrap(library.module.Client, function, calling("memcached", _describe(place, name)))


def _describe(place: int, name: str) -> Describe:
    def describe(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
        command = arguments[place] if len(arguments) > place else options[name]
        server = client.server
        return "unix" if isinstance(server, (str, bytes)) else peer_of(*server), command_of(command)

    return describe

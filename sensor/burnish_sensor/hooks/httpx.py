"""httpx, sync and async: a call of ``send`` is one call, with its redirects and, unless streamed, its body."""

from __future__ import annotations

from typing import Any

from ..queries.dependencies import method_of
from ._clients import calling, calling_async, peer_of_url
from ._library import Library

PATCHES = {"httpx": "patch_clients"}


def patch_clients(library: Library) -> None:
    """``Client`` and ``AsyncClient``, which ``httpx.get`` and its like use, too."""
    library.wrap(library.module.Client, "send", calling("http", _describe))
    library.wrap(library.module.AsyncClient, "send", calling_async("http", _describe))


def _describe(client: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    request = arguments[0] if arguments else options["request"]
    return peer_of_url(request.url), method_of(request.method)

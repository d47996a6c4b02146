"""aiohttp's client: a call until the headers of the answer are there; its body is read later."""

from __future__ import annotations

from typing import Any

from ..queries.dependencies import method_of
from ._clients import calling_async, peer_of_url
from ._library import Library

PATCHES = {"aiohttp.client": "patch_session"}


def patch_session(library: Library) -> None:
    """``ClientSession._request``, which all its methods use."""
    library.wrap(library.module.ClientSession, "_request", calling_async("http", _describe))


def _describe(session: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    method, url = (*arguments, options.get("method"), options.get("str_or_url"))[:2]
    base = getattr(session, "_base_url", None)
    absolute = "://" in str(url) or base is None
    return peer_of_url(url if absolute else base), method_of(method)

"""requests: a call of ``Session.send`` is one call, with its redirects and retries and, unless streamed, its body."""

from __future__ import annotations

from typing import Any

from ..queries.dependencies import method_of
from ._clients import calling, peer_of_url
from ._library import Library

PATCHES = {"requests.sessions": "patch_session"}


def patch_session(library: Library) -> None:
    """``Session``, which ``requests.get`` and its like use, too."""
    library.wrap(library.module.Session, "send", calling("http", _describe))


def _describe(session: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    request = arguments[0] if arguments else options["request"]
    return peer_of_url(request.url), method_of(request.method)

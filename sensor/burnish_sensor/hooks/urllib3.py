"""urllib3: a call of ``urlopen`` with its retries and redirects, which call it again; also below requests."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ..queries.dependencies import method_of, peer_of
from ._clients import calling
from ._library import Library

PATCHES = {"urllib3.connectionpool": "patch_pool"}
_RETRIES = 4  # the place of ``retries`` among the arguments of ``urlopen``


def patch_pool(library: Library) -> None:
    """``HTTPConnectionPool``; that of HTTPS inherits it."""
    library.wrap(library.module.HTTPConnectionPool, "urlopen", _opening)


def _opening(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    call = calling("http", _describe)(original, probe)

    def urlopen(self: Any, *arguments: Any, **options: Any) -> Any:
        outer = probe.running_dependency()
        if outer is not None:
            outer.retries += _is_retry(arguments, options)
        return call(self, *arguments, **options)

    return urlopen


def _is_retry(arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether the last thing in the history that urllib3 hands on is a failure, and no redirect."""
    retries = arguments[_RETRIES] if len(arguments) > _RETRIES else options.get("retries")
    history: Any = getattr(retries, "history", ())
    return bool(history) and not getattr(history[-1], "redirect_location", None)


def _describe(pool: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, str]:
    return peer_of(pool.host, pool.port), method_of(arguments[0] if arguments else options["method"])

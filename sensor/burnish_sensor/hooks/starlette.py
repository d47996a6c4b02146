"""Starlette: requests as entries, named by the path template of their route, with those of the mounts above it."""

from __future__ import annotations

from typing import Any, Callable

from ..asgi import serve
from ..entries.entries import request_name
from ..probe import Probe
from ._library import Library

PATCHES = {"starlette.applications": "patch_application", "starlette.routing": "patch_routing"}


def patch_application(library: Library) -> None:
    """``Starlette``, and through it ``FastAPI``."""
    library.wrap(library.module.Starlette, "__call__", _serving)


def patch_routing(library: Library) -> None:
    """Learn the templates while the request is handed on."""
    library.wrap(library.module.Route, "handle", _naming)
    library.wrap(library.module.Mount, "handle", _mounting)


def _serving(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await serve(probe, lambda *arguments: original(self, *arguments), scope, receive, send)

    return call


def _naming(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
        name(probe, scope, self.path)
        await original(self, scope, receive, send)

    return handle


def _mounting(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
        name(probe, scope, self.path + "/{path:path}")
        context = probe.entries.current()
        if context is not None:
            context.prefix += self.path
        await original(self, scope, receive, send)

    return handle


def name(probe: Probe, scope: Any, template: str) -> None:
    """Name the entry that is running by a template below the mounts so far."""
    context = probe.entries.current()
    if context is not None and context.kind == "http" and scope.get("type") == "http":
        context.name = request_name(scope.get("method"), context.prefix + template)

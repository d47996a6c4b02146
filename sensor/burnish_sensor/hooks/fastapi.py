"""FastAPI: an application and a router of Starlette, but newer versions keep a router's prefix out of its routes."""

from __future__ import annotations

from typing import Any, Callable

from ..probe import Probe
from ._library import Library
from .starlette import name

PATCHES = {"fastapi.routing": "patch_routing"}


def patch_routing(library: Library) -> None:
    """Where routes are included lazily, the template with its prefix is in the scope."""
    effective = getattr(library.module, "_get_scope_effective_route_context", None)
    if effective is None or "handle" not in vars(library.module.APIRoute):
        return

    def naming(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
        async def handle(self: Any, scope: Any, receive: Any, send: Any) -> None:
            context = effective(scope)
            template = getattr(context, "path_format", None) if context is not None else self.path
            if isinstance(template, str):
                name(probe, scope, template)
            await original(self, scope, receive, send)

        return handle

    library.wrap(library.module.APIRoute, "handle", naming)

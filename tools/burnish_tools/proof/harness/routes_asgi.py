"""The route that would answer a request, by Starlette's own router, named as the sensor names it.

Kept in step with `burnish_sensor/hooks/starlette.py` and `fastapi.py`: mounts add up, and newer versions of FastAPI
keep the prefix of an included router in the scope instead of in the route.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

MAX_WRAPPERS = 50


async def route_of(app: Any, scope: dict[str, Any]) -> str | None:
    """`/accounts/{account_id}`; None where the application has no such route or is not Starlette's."""
    starlette = _starlette(app)
    if starlette is None:
        return None
    finding = _Finding()
    async with finding:
        with contextlib.suppress(Exception):  # not found, or whatever a route of another kind needs
            await starlette.router({**scope, "app": starlette, "router": starlette.router}, _receive, _send)
    return finding.name


def _starlette(app: Any) -> Any:
    """The application inside of middleware that keeps the next one as `app`."""
    for _ in range(MAX_WRAPPERS):
        kind = getattr(sys.modules.get("starlette.applications"), "Starlette", None)
        if kind is None or app is None:
            return None
        if isinstance(app, kind):
            return app
        app = getattr(app, "app", None)
    return None


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: dict[str, Any]) -> None:
    """A redirect to the path with a slash, or not found: no route of the service."""


class _Finding:
    """Inside, routes note their name instead of handling the request."""

    def __init__(self) -> None:
        self.name: str | None = None
        self._prefix = ""
        self._held: list[tuple[Any, Any]] = []

    async def __aenter__(self) -> None:
        from starlette.routing import Mount, Route

        self._replace(Route, self._route)
        self._replace(Mount, self._mount(Mount.handle))
        fastapi: Any = sys.modules.get("fastapi.routing")
        if fastapi is not None and "handle" in vars(fastapi.APIRoute):
            self._replace(fastapi.APIRoute, self._effective(fastapi))

    async def __aexit__(self, *error: object) -> None:
        for kind, original in self._held:
            kind.handle = original

    def _replace(self, kind: Any, handle: Any) -> None:
        self._held.append((kind, kind.handle))

        async def noting(route: Any, scope: Any, receive: Any, send: Any) -> None:
            await handle(route, scope, receive, send)

        kind.handle = noting

    async def _route(self, route: Any, scope: Any, receive: Any, send: Any) -> None:
        if not route.methods or "GET" in route.methods:
            self.name = self._prefix + route.path

    def _mount(self, original: Any) -> Any:
        async def handle(mount: Any, scope: Any, receive: Any, send: Any) -> None:
            self.name = self._prefix + mount.path + "/{path:path}"
            self._prefix += mount.path
            inside = getattr(mount, "app", None)
            if hasattr(inside, "routes") or hasattr(inside, "app"):
                await original(mount, scope, receive, send)

        return handle

    def _effective(self, fastapi: Any) -> Any:
        effective = getattr(fastapi, "_get_scope_effective_route_context", lambda scope: None)

        async def handle(route: Any, scope: Any, receive: Any, send: Any) -> None:
            context = effective(scope)
            methods = getattr(context, "methods", None) or route.methods
            if "GET" in methods:
                self.name = self._prefix + (getattr(context, "path_format", None) or route.path)

        return handle

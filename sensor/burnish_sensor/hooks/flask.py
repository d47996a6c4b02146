"""Flask: requests as entries, named by their URL rule."""

from __future__ import annotations

from typing import Any, Callable

from ..entries.entries import request_name
from ..probe import Probe
from ..wsgi import serve
from ._library import Library

PATCHES = {"flask.app": "patch_app"}


def patch_app(library: Library) -> None:
    """Wrap the WSGI application: what it answers is the status; the rule is read while the request is dispatched."""
    flask = library.module.Flask
    library.wrap(flask, "wsgi_app", _serving)
    library.wrap(flask, "full_dispatch_request", _dispatching)
    library.wrap(flask, "handle_exception", _explaining)


def _serving(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def wsgi_app(self: Any, environ: Any, start_response: Any) -> Any:
        return serve(probe, lambda *arguments: original(self, *arguments), environ, start_response)

    return wsgi_app


def _dispatching(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def full_dispatch_request(self: Any, *arguments: Any) -> Any:
        from flask import request  # type: ignore[import-not-found, unused-ignore]

        context = probe.entries.current()
        if context is not None and context.kind == "http" and request.url_rule is not None:
            context.name = request_name(request.method, request.url_rule.rule)
        response = original(self, *arguments)
        if context is not None:
            context.complete = not getattr(response, "is_streamed", True)
        return response

    return full_dispatch_request


def _explaining(original: Callable[..., Any], probe: Probe) -> Callable[..., Any]:
    def handle_exception(self: Any, *arguments: Any) -> Any:
        context = probe.entries.current()
        if context is not None:
            context.error = type(arguments[-1]).__name__
            context.complete = True
        return original(self, *arguments)

    return handle_exception

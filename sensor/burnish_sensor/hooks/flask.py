"""Flask: requests as entries, named by their URL rule."""

from __future__ import annotations

from functools import wraps
from typing import Any

from ._library import Library

PATCHES = {"flask.app": "patch_app"}


def patch_app(library: Library) -> None:
    """Wrap the WSGI application: what it answers is the status; the rule is read while the request is dispatched."""
    flask, probe = library.module.Flask, library.probe
    original_app, original_failure = flask.wsgi_app, flask.handle_exception
    original_dispatch = flask.full_dispatch_request

    @wraps(original_app)
    def wsgi_app(self: Any, environ: Any, start_response: Any) -> Any:
        if not probe.active:
            return original_app(self, environ, start_response)
        method = str(environ.get("REQUEST_METHOD", "GET"))
        entry = probe.entries.begin("http")
        seen, failure = _Status(start_response), None
        try:
            return original_app(self, environ, seen)
        except BaseException as error:
            failure = error
            raise
        finally:
            unnamed = "{} <unmatched>".format(method if method.isalpha() else "<method>")
            probe.entries.end(entry, entry.context.name or unnamed, seen.status, failure)

    @wraps(original_dispatch)
    def full_dispatch_request(self: Any, *arguments: Any) -> Any:
        from flask import request  # type: ignore[import-not-found, unused-ignore]

        context = probe.entries.current()
        if context is not None and request.url_rule is not None:
            context.name = f"{request.method} {request.url_rule.rule}"
        return original_dispatch(self, *arguments)

    @wraps(original_failure)
    def handle_exception(self: Any, *arguments: Any) -> Any:
        context = probe.entries.current()
        if context is not None:
            context.error = type(arguments[-1]).__name__
        return original_failure(self, *arguments)

    library.replace(flask, "wsgi_app", wsgi_app)
    library.replace(flask, "full_dispatch_request", full_dispatch_request)
    library.replace(flask, "handle_exception", handle_exception)


class _Status:
    """A ``start_response`` that remembers the status."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.status = 500

    def __call__(self, status: str, *arguments: Any, **options: Any) -> Any:
        self.status = int(status[:3])
        return self._inner(status, *arguments, **options)

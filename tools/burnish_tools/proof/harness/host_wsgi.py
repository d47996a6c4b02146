"""Any WSGI application. Routes are named for Flask's, with or without other WSGI middleware around them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.util import setup_testing_defaults

from .host import TEST_HOST, Answer, Host, Send, answer_of, failed

MAX_WRAPPERS = 50


class WsgiHost(Host):
    """One request at a time, in this thread."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def entries(self, paths: Iterable[str]) -> dict[str, str]:
        flask = _flask(self._app)
        if flask is None:
            return {}
        refusals: Any = sys.modules["werkzeug.exceptions"]
        urls = flask.url_map.bind(flask.config.get("SERVER_NAME") or TEST_HOST)
        found = {}
        for path in paths:
            try:
                rule, _ = urls.match(_text(path), method="GET", return_rule=True)
            except (refusals.HTTPException, UnicodeError):  # not found, another method, or a redirect
                continue
            found[path] = "GET " + rule.rule
        return found

    def sender(self, headers: dict[str, str]) -> Send:
        variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}

        def send(target: str) -> Answer:
            return _request(self._app, {**_environ(target), **variables})

        return send


def _request(app: Any, environ: dict[str, Any]) -> Answer:
    told: list[Any] = []
    body: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        told[:] = [int(status[:3]), headers]
        return body.append

    try:
        chunks = app(environ, start_response)
        try:
            body.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
    except Exception as error:  # noqa: BLE001 - any error of the service is an answer
        return failed(error)
    return answer_of(told[0], told[1], b"".join(body)) if told else Answer(500, raised="no start_response")


def _environ(target: str) -> dict[str, Any]:
    parts = urlsplit(target)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": TEST_HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": TEST_HOST,
        "wsgi.errors": sys.stderr,
    }
    setup_testing_defaults(environ)
    return environ


def _text(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8")


def _flask(app: Any) -> Any:
    """The application inside of middleware that keeps the next one as `app` or `wsgi_app`."""
    for _ in range(MAX_WRAPPERS):
        kind = getattr(sys.modules.get("flask.app"), "Flask", None)
        if kind is None or app is None:
            return None
        if isinstance(app, kind):
            return app
        app = getattr(app, "app", None) or getattr(app, "wsgi_app", None) or getattr(app, "__self__", None)
    return None

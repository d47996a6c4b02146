"""Django: its test client, which goes through all middleware."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from .host import Answer, Host, Send


class DjangoHost(Host):
    """Does what a server does at its start; DEBUG off as in production."""

    def __init__(self, settings_module: str) -> None:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
        import django
        from django.conf import settings

        settings.DEBUG = False
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        django.setup()

    def entries(self, paths: Iterable[str]) -> dict[str, str]:
        from django.urls import Resolver404, resolve

        found = {}
        for path in paths:
            with contextlib.suppress(Resolver404, UnicodeError):
                found[path] = "GET " + resolve(unquote(path)).route
        return found

    def sender(self, headers: dict[str, str]) -> Send:
        from django.conf import settings
        from django.test import Client

        variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
        secure = bool(getattr(settings, "SECURE_SSL_REDIRECT", False))

        def send(target: str) -> Answer:
            client = Client(raise_request_exception=False)
            response: Any = client.get(target, secure=secure, **variables)
            kept = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, kept, sorted(response.cookies), _body_of(response))

        return send


def _body_of(response: Any) -> bytes:
    """The whole body, streamed or not."""
    if getattr(response, "streaming", False):
        return b"".join(response)
    return bytes(response.content)

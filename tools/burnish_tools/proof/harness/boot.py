"""Starts Django and sends it requests, each in a transaction that is rolled back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote


def start(settings_module: str) -> None:
    """What a server does at its start; DEBUG off as in production."""
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    import django
    from django.conf import settings

    settings.DEBUG = False
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    django.setup()


def entries(paths: list[str]) -> dict[str, str]:
    """`GET route` for every path that the service knows."""
    from django.urls import Resolver404, resolve

    found = {}
    for path in paths:
        with contextlib.suppress(Resolver404, UnicodeError):
            found[path] = "GET " + resolve(unquote(path)).route
    return found


def sender(headers: dict[str, str]) -> Callable[[str], Any]:
    """A function that sends one GET request and returns the response, whatever happened in the view."""
    from django.conf import settings
    from django.test import Client

    variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    secure = bool(getattr(settings, "SECURE_SSL_REDIRECT", False))

    def send(target: str) -> Any:
        client = Client(raise_request_exception=False)
        return client.get(target, secure=secure, **variables)

    return send


def body_of(response: Any) -> bytes:
    """The whole body, streamed or not."""
    if getattr(response, "streaming", False):
        return b"".join(response)
    return bytes(response.content)


@contextlib.contextmanager
def rolled_back(before: Callable[[], None] | None = None) -> Iterator[None]:
    """A transaction on every database; nothing of it stays. `before` runs inside, ahead of the body."""
    from django.db import connections, transaction

    with contextlib.ExitStack() as stack:
        for alias in connections:
            atomic = transaction.atomic(using=alias)
            atomic._from_testcase = True  # lets the service's own durable blocks nest, as in django.test.TestCase
            stack.enter_context(atomic)
        try:
            if before is not None:
                before()
            yield
        finally:
            for alias in connections:
                transaction.set_rollback(True, using=alias)

"""ASGI: each HTTP request is an entry. It ends with the body of the answer; what is done later still belongs to it.

For an application whose framework has no hook::

    from burnish_sensor.asgi import Middleware
    application = Middleware(application, route=lambda scope: scope.get("myframework.route"))

``route`` returns the route that was matched (``/orders/{id}``), never the path; it is asked when the request ends.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from .entries.entries import request_name
from .probe import Probe
from .wsgi import running_probe

#: from the ASGI scope to the route, or None
Route = Callable[[Any], Optional[str]]


class Middleware:
    """Makes each HTTP request of an ASGI application an entry; does nothing where the sensor does not run."""

    def __init__(self, application: Any, route: Route | None = None) -> None:
        self._application, self._route = application, route

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        probe = running_probe()
        if probe is None:
            await self._application(scope, receive, send)
        else:
            await serve(probe, self._application, scope, receive, send, self._route)


async def serve(
    probe: Probe, application: Any, scope: Any, receive: Any, send: Any, route: Route | None = None
) -> None:
    """Call the application within an entry; for anything but HTTP, and inside another entry, only call it."""
    entries = probe.entries
    if scope.get("type") != "http" or not probe.active or entries.inside():
        await application(scope, receive, send)
        return
    entry = entries.begin("http")
    entry.context.generic = True
    seen, failure = _Seen(probe, send), None
    try:
        await entries.awaiting(entry, application(scope, receive, seen))
    except BaseException as error:
        failure = error
        raise
    finally:
        name = entry.context.name or request_name(scope.get("method"), _ask(route, scope))
        status = seen.status if seen.status is not None or failure is None else 500
        entries.end(entry, name, status, failure, seen.ended)


def _ask(route: Route | None, scope: Any) -> str | None:
    try:
        return route(scope) if route is not None else None
    except Exception:  # noqa: BLE001 - the application's function
        return None


class _Seen:
    """A ``send`` that remembers the status, and when the last of the body was sent."""

    def __init__(self, probe: Probe, send: Any) -> None:
        self._probe, self._send = probe, send
        self.status: int | None = None
        self.ended: int | None = None

    async def __call__(self, message: Any) -> None:
        kind = message.get("type")
        if kind == "http.response.start":
            self.status = message.get("status")
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body"):
            self.ended = self._probe.clock()

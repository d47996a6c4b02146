"""WSGI: each request is an entry.

For an application whose framework has no hook::

    from burnish_sensor.wsgi import Middleware
    application = Middleware(application, route=lambda environ: environ.get("myframework.route"))

``route`` returns the route that was matched (``/orders/<id>``), never the path; it is asked when the request ends.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional

from .entries.bodies import Body
from .entries.entries import request_name
from .probe import Probe

#: from the WSGI environment to the route, or None
Route = Callable[[Any], Optional[str]]
Application = Callable[[Any, Any], Any]


class Middleware:
    """Makes each request of a WSGI application an entry; does nothing where the sensor does not run."""

    def __init__(self, application: Application, route: Route | None = None) -> None:
        self._application, self._route = application, route

    def __call__(self, environ: Any, start_response: Any) -> Any:
        probe = running_probe()
        if probe is None:
            return self._application(environ, start_response)
        return serve(probe, self._application, environ, start_response, self._route)


def running_probe() -> Probe | None:
    """The probe of the sensor in this process, if it runs."""
    sensor = getattr(sys.modules.get("burnish_sensor.runtime"), "active", None)
    return sensor.probe if sensor is not None else None


def serve(probe: Probe, application: Application, environ: Any, start_response: Any, route: Route | None = None) -> Any:
    """Call the application within an entry; inside another one only call it."""
    entries = probe.entries
    if not probe.active or entries.inside():
        return application(environ, start_response)
    entry = entries.begin("http")
    entry.context.generic = True
    status = _Status(start_response)

    def finish(error: BaseException | None = None) -> None:
        name = entry.context.name or request_name(environ.get("REQUEST_METHOD"), _ask(route, environ))
        entries.end(entry, name, status.code, error)

    try:
        result = application(environ, status)
    except BaseException as error:
        finish(error)
        raise
    if entry.context.complete or _is_sent_at_once(result, environ.get("wsgi.file_wrapper")):
        finish()
        return result
    return Body(entries, entry, result, finish)


def _ask(route: Route | None, environ: Any) -> str | None:
    try:
        return route(environ) if route is not None else None
    except Exception:  # noqa: BLE001 - the application's function
        return None


def _is_sent_at_once(result: Any, file_wrapper: Any) -> bool:
    """Chunks that are there already, and files that the server sends by itself if it gets the very object."""
    return isinstance(result, (list, tuple)) or (isinstance(file_wrapper, type) and isinstance(result, file_wrapper))


class _Status:
    """A ``start_response`` that remembers the status."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.code = 500

    def __call__(self, status: str, *arguments: Any, **options: Any) -> Any:
        try:
            self.code = int(status[:3])
        except (TypeError, ValueError):  # the server will complain
            pass
        return self._inner(status, *arguments, **options)

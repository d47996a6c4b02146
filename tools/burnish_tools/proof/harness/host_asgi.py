"""Any ASGI application: one event loop for the process, the lifespan around all requests, one request at a time.

Routes are named for applications that are Starlette's (FastAPI is one), with or without other ASGI middleware around
them: the request is handed down by the router itself, up to the route that would answer it and no further.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from .host import TEST_HOST, Answer, Host, Send, answer_of, failed

LIFESPAN_SECONDS = 60.0
LEFT_BEHIND_SECONDS = 5.0
"""How long tasks that a request has started may go on after its answer; then they are left to the next request."""


class AsgiHost(Host):
    """Has an event loop of its own, which is the thread's from now on."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._app: Any = None
        self._state: dict[str, Any] = {}
        self._lasting: set[asyncio.Task[Any]] = set()

    def serve(self, app: Any) -> None:
        """The application, which was loaded while the loop was there."""
        self._app = app

    def run(self, function: Callable[[], Any]) -> Any:
        """In the loop, where SQLAlchemy's asynchronous drivers can be used by synchronous code."""
        try:
            from sqlalchemy.util import greenlet_spawn
        except ImportError:
            return function()
        return self._loop.run_until_complete(greenlet_spawn(function))

    def entries(self, paths: Iterable[str]) -> dict[str, str]:
        from .routes_asgi import route_of

        found = {}
        for path in paths:
            route = self._loop.run_until_complete(route_of(self._app, self._scope(path, [])))
            if route is not None:
                found[path] = "GET " + route
        return found

    def sender(self, headers: dict[str, str]) -> Send:
        """Starts the lifespan first: the judged function has been wrapped by then."""
        self._loop.run_until_complete(self._begin_lifespan())
        sent = [(b"host", TEST_HOST.encode())]
        sent += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

        def send(target: str) -> Answer:
            return self._loop.run_until_complete(self._request(target, sent))

        return send

    async def _begin_lifespan(self) -> None:
        """Until the application says that it has started; one that does not know the protocol is left without."""
        started: asyncio.Future[str] = self._loop.create_future()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await self._loop.create_future()  # the process ends without a shutdown
            asked = True
            return {"type": "lifespan.startup"}

        async def send(message: dict[str, Any]) -> None:
            if not started.done() and message["type"].startswith("lifespan.startup."):
                failed = message["type"].endswith(".failed")
                started.set_result((message.get("message") or "it does not say why") if failed else "")

        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        task = self._loop.create_task(self._app(scope, receive, send))
        await asyncio.wait({task, started}, timeout=LIFESPAN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            if started.result():
                raise RuntimeError(f"the application could not start: {started.result()}")
        elif not task.done():
            raise RuntimeError(f"the application's lifespan did not start within {LIFESPAN_SECONDS:g} s")
        elif task.exception() is not None:
            self._state.clear()
        self._lasting = {task, *asyncio.all_tasks(self._loop)}

    async def _request(self, target: str, headers: list[tuple[bytes, bytes]]) -> Answer:
        """To the end of all that the request has started."""
        over = asyncio.Event()
        told, body, asked = [], [], False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await over.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.append(message)
            elif message["type"] == "http.response.body":
                body.append(bytes(message.get("body", b"")))
                if not message.get("more_body"):
                    over.set()

        error = await _outcome(self._app(self._scope(target, headers), receive, send))
        await self._settled()
        if error is not None and not over.is_set():
            return failed(error)
        if not told:
            return Answer(500, raised="no response")
        pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in told[0].get("headers", ()))
        answer = answer_of(int(told[0]["status"]), pairs, b"".join(body))
        answer.raised = failed(error).raised if error is not None else ""
        return answer

    async def _settled(self) -> None:
        """Tasks that the request has left behind belong to it, not to the next one."""
        current = asyncio.current_task()
        left = {t for t in asyncio.all_tasks(self._loop) if t is not current and t not in self._lasting}
        if left:
            await asyncio.wait(left, timeout=LEFT_BEHIND_SECONDS)

    def _scope(self, target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
        parts = urlsplit(target)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode("ascii", "replace"),
            "query_string": parts.query.encode("ascii", "replace"),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": (TEST_HOST, 80),
            "state": dict(self._state),
        }


async def _outcome(request: Coroutine[Any, Any, None]) -> BaseException | None:
    """What the application raised past its own handlers; the server logs it, and so does nobody here."""
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await request
        except Exception as error:  # noqa: BLE001 - any error of the service is an answer
            return error
    return None

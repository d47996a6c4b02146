"""The ASGI application: routes, tokens, what a request must look like; the rest is the writer's. No framework.

Nothing that a client sends is answered with a 5xx: what may succeed later is a 429 with Retry-After, what never will is
another 4xx. A 503 means that the collector itself failed, and says when to come again.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from burnish_tools.collector.answers import BUSY_SECONDS, PROTOBUF, Answer, Rejected, said
from burnish_tools.collector.body import Gone, Incoming, Receive, encoding
from burnish_tools.collector.health import Health
from burnish_tools.collector.queue import Budget, Kind, Queue, Task
from burnish_tools.collector.settings import MB, CollectorSettings
from burnish_tools.collector.writer import dialect

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Scope = MutableMapping[str, Any]

JSON_TYPES = frozenset({"application/json"})
OTLP_TYPES = frozenset({PROTOBUF, "application/json"})
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})


@dataclass(frozen=True)
class Route:
    """What is posted to a path."""

    kind: Kind
    types: frozenset[str]


POSTS = {
    "/v1/windows": Route("windows", LINES),
    "/v1/traces": Route("traces", OTLP_TYPES),
    "/v1/metrics": Route("metrics", OTLP_TYPES),
    "/v1/deployments": Route("deployment", JSON_TYPES),
}
GETS = frozenset({"/healthz", "/v1/services"})
NOT_TAKEN = {
    "/v1/logs": "logs are not taken; send traces and metrics",
    "/v1development/profiles": "profiles are not taken; the sensor measures functions itself",
}


class CollectorApp:
    """Answers requests. `services` lists what the store has, in another thread."""

    def __init__(
        self,
        queue: Queue,
        health: Health,
        settings: CollectorSettings,
        *,
        token: str = "",
        otlp: bool = True,
        services: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        self._queue, self._health, self._settings, self._token = queue, health, settings, token
        self._services = services
        self._posts = {p: r for p, r in POSTS.items() if otlp or r.types is not OTLP_TYPES}
        self._budget = Budget(int(settings.queue_mb * MB))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        try:
            answer = await self._answered(scope, receive)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - the edge: a client is never told more than to come again
            kind = type(error).__name__
            self._health.problem(f"request {kind}", f"a request failed: {kind}; this is a bug of the collector")
            answer = Rejected(503, "the collector failed on this request", retry_after=BUSY_SECONDS).answer()
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.head()})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        route, incoming = self._posts.get(scope["path"]), Incoming(receive)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            self._authorise(scope["path"], headers.get("authorization", ""))
            if scope["method"] in ("GET", "HEAD") and scope["path"] in GETS:
                return await self._get(scope["path"])
            route = self._route(scope)
            if content_type not in route.types:
                raise Rejected(415, f"Content-Type must be {' or '.join(sorted(route.types))}")
            return await self._post(route, content_type, headers, incoming)
        except Rejected as rejected:
            kind = route.kind if route else "request"
            self._health.refused(f"{kind} {rejected.status}")
            if not await incoming.drain():
                rejected.headers = {**rejected.headers, "connection": "close"}
            return rejected.answer(dialect(kind, content_type != PROTOBUF))

    def _authorise(self, path: str, header: str) -> None:
        if not self._token or path == "/healthz":
            return
        scheme, _, sent = header.partition(" ")
        same = hmac.compare_digest(sent.strip().encode("latin-1"), self._token.encode())
        if scheme.lower() != "bearer" or not same:
            self._health.problem("token", "requests without the right token are refused (401)")
            raise Rejected(401, "send the token: Authorization: Bearer …", headers={"www-authenticate": "Bearer"})

    def _route(self, scope: Scope) -> Route:
        path, method = scope["path"], scope["method"]
        route = self._posts.get(path)
        if route is None and path not in GETS:
            raise Rejected(404, NOT_TAKEN.get(path, f"there is {', '.join([*self._posts, *sorted(GETS)])}"))
        allowed = "POST" if route else "GET, HEAD"
        if route is None or method != "POST":
            raise Rejected(405, f"this path takes {allowed}", headers={"allow": allowed})
        return route

    async def _get(self, path: str) -> Answer:
        if path == "/v1/services":
            return said({"services": await asyncio.to_thread(self._services)})
        queue = {"requests": len(self._queue), "bytes": self._budget.used, "limit_bytes": self._budget.limit}
        return said({**self._health.shown(), "queue": queue})

    async def _post(self, route: Route, content_type: str, headers: dict[str, str], incoming: Incoming) -> Answer:
        settings, held = self._settings, 0
        how = encoding(headers.get("content-encoding", ""))

        def hold(size: int) -> None:
            nonlocal held
            held += size

        try:
            limit = int(settings.max_body_mb * MB)
            body = await incoming.read(self._budget, limit, settings.body_seconds, hold)
            return await self._written(route, body, how, content_type != PROTOBUF)
        finally:
            self._budget.free(held)

    async def _written(self, route: Route, body: bytes, how: str, json: bool) -> Answer:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Answer] = loop.create_future()

        def finish(answer: Answer) -> None:
            try:
                loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(answer))
            except RuntimeError:  # the loop has ended: nobody is there to be answered
                return

        task = Task(route.kind, body, how, json, finish)
        if not self._queue.put(task):
            raise Rejected(429, "the collector is stopping; come again", retry_after=BUSY_SECONDS)
        try:
            return await asyncio.wait_for(asyncio.shield(done), self._settings.answer_seconds)
        except TimeoutError:
            task.give_up()  # where the writer has begun it is written; windows, spans, marks that come twice count once
            raise Rejected(429, "the collector is busy; come again", retry_after=BUSY_SECONDS) from None
        except asyncio.CancelledError:
            task.give_up()
            raise

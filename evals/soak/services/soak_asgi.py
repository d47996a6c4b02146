"""An ASGI service: tasks that interleave, threads of a pool, cancellation, async generators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import soak_wsgi

from burnish_sensor.asgi import Middleware


async def gathered() -> bytes:
    """Tasks that wait for each other."""
    return b"%d" % sum(await asyncio.gather(*(slowly(n) for n in range(10))))


async def slowly(n: int) -> int:
    """A coroutine that is suspended twice."""
    await asyncio.sleep(0.001)
    await asyncio.sleep(0)
    return n


async def pooled() -> bytes:
    """Queries on a thread of the loop's pool."""
    return await asyncio.get_running_loop().run_in_executor(None, soak_wsgi.order)


async def cancelled() -> bytes:
    """A task that is given up."""
    task = asyncio.ensure_future(slowly(1))
    await asyncio.sleep(0)
    task.cancel()
    return b"%d" % len(await asyncio.gather(task, return_exceptions=True))


async def counting() -> bytes:
    """An async generator, consumed to its end."""
    return b"%d" % sum([n async for n in numbers()])


async def numbers() -> AsyncIterator[int]:
    """Five numbers."""
    for n in range(5):
        await asyncio.sleep(0)
        yield n


async def busy() -> bytes:
    """Work that does not wait."""
    return soak_wsgi.busy()


ROUTES: dict[str, Callable[[], Awaitable[bytes]]] = {
    "/gathered": gathered,
    "/pooled": pooled,
    "/cancelled": cancelled,
    "/counting": counting,
    "/busy": busy,
}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The route is the path."""
    if scope["type"] != "http":
        return
    answer = ROUTES.get(scope["path"])
    status, body = (404, b"") if answer is None else (200, await answer())
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def route(scope: dict[str, Any]) -> str | None:
    """None for what is not known."""
    return scope["path"] if scope["path"] in ROUTES else None


app = Middleware(application, route)

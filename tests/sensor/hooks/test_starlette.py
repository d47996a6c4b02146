"""Starlette and FastAPI, served by uvicorn on 127.0.0.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.entry_support import call_wall, entries, entry_of, wall
from tests.sensor.hooks.sql_support import observe, queries
from tests.sensor.support import write

pytest.importorskip("uvicorn")

SERVED = """
    import asyncio, socket, sqlite3, threading, time
    import uvicorn
    db = sqlite3.connect(":memory:", check_same_thread=False)

    def serve(app, paths):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            ask(listener.getsockname()[1], paths)
            server.should_exit = True
            thread.join(10)

    def ask(port, paths):
        import urllib.request
        from concurrent.futures import ThreadPoolExecutor
        def get(path):
            try:
                return urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=10).read()
            except Exception as error:
                return str(error)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(get, paths))
        assert b"ok0ok1ok2" in answers, answers

    async def chunks():
        for number in range(3):
            await asyncio.sleep(0.02)
            yield "ok%d" % number

    async def count(number):
        await asyncio.sleep(0.01)
        return db.execute("SELECT ?", (number,)).fetchone()[0]

    def in_a_thread():
        return db.execute("SELECT 'thread'").fetchone()[0]

    def afterwards():
        time.sleep(0.3)
"""
STARLETTE = """
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.exceptions import HTTPException
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Mount, Route
    from served import *

    async def item(request):
        return PlainTextResponse(str(await count(request.path_params["number"])))
    def threaded(request):
        return PlainTextResponse(in_a_thread())
    async def broken(request):
        raise LookupError("hunter2")
    async def gone(request):
        raise HTTPException(410)
    async def stream(request):
        return StreamingResponse(chunks())
    async def later(request):
        return PlainTextResponse("ok", background=BackgroundTask(afterwards))

    app = Starlette(routes=[
        Route("/items/{number:int}", item), Route("/threaded", threaded), Route("/broken", broken),
        Route("/stream", stream), Route("/later", later),
        Mount("/shop", routes=[Route("/gone/{what}", gone), Route("/items/{number:int}", item)]),
    ])

    def main():
        serve(app, ["/items/1", "/items/2", "/threaded", "/broken", "/stream", "/later", "/nowhere/hunter2",
                    "/shop/gone/hunter2", "/shop/items/3"])
"""
FASTAPI = """
    from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException
    from fastapi.responses import StreamingResponse
    from served import *

    app, router, sub = FastAPI(), APIRouter(prefix="/shop"), FastAPI()

    @app.get("/items/{number}")
    async def item(number: int):
        return await count(number)
    @app.get("/threaded")
    def threaded():
        return in_a_thread()
    @app.get("/broken")
    async def broken():
        raise LookupError("hunter2")
    @router.get("/gone/{what}")
    async def gone(what):
        raise HTTPException(410)
    @app.get("/stream")
    async def stream():
        return StreamingResponse(chunks())
    @app.get("/later")
    async def later(tasks: BackgroundTasks):
        tasks.add_task(afterwards)
        return "ok"
    @sub.get("/items/{number}")
    async def sub_item(number: int):
        return await count(number)
    app.include_router(router)
    app.mount("/sub", sub)

    def main():
        serve(app, ["/items/1", "/items/2", "/threaded", "/broken", "/stream", "/later", "/nowhere/hunter2",
                    "/shop/gone/hunter2", "/sub/items/3"])
"""


def observed(tmp_path: Path, app: str) -> dict[str, Any]:
    write(tmp_path, served=SERVED)
    return observe(tmp_path, app)


def check(window: dict[str, Any], item: str, inner: str) -> None:
    found = entries(window)
    assert found == {
        f"GET {item}": (2, {"200": 2}, {}),
        "GET /threaded": (1, {"200": 1}, {}),
        "GET /broken": (1, {"500": 1}, {"LookupError": 1}),
        "GET /stream": (1, {"200": 1}, {}),
        "GET /later": (1, {"200": 1}, {}),
        "GET <unmatched>": (1, {"404": 1}, {}),
        "GET /shop/gone/{what}": (1, {"410": 1}, {}),
        f"GET {inner}": (1, {"200": 1}, {}),
    }
    assert entry_of(window, "served:count") == {f"GET {item}": 2, f"GET {inner}": 1}
    assert entry_of(window, "served:in_a_thread") == {"GET /threaded": 1}
    assert queries(window)["in_a_thread", "SELECT ?"] == (1, 1)
    assert wall(window, "GET /stream") > call_wall(window, "served:chunks")
    assert entry_of(window, "served:afterwards") == {"GET /later": 1}
    assert wall(window, "GET /later") < call_wall(window, "served:afterwards")
    assert "hunter2" not in str(window)


def test_starlette_requests_are_entries_named_by_their_template(tmp_path: Path) -> None:
    pytest.importorskip("starlette")
    check(observed(tmp_path, STARLETTE), "/items/{number:int}", "/shop/items/{number:int}")


def test_fastapi_requests_are_entries_named_by_their_template(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    check(observed(tmp_path, FASTAPI), "/items/{number}", "/sub/items/{number}")

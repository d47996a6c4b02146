from __future__ import annotations

import asyncio
from pathlib import Path

from burnish_sensor.asgi import Middleware
from tests.sensor.hooks.entry_support import entries, entry_of, wall
from tests.sensor.hooks.sql_support import observe

APP = """
    import asyncio
    from burnish_sensor.asgi import Middleware

    async def application(scope, receive, send):
        if scope["type"] != "http":
            return await send({"type": "lifespan.startup.complete"})
        if scope["path"] == "/broken":
            raise LookupError("hunter2")
        await send({"type": "http.response.start", "status": 202, "headers": []})
        for number in range(3):
            await asyncio.sleep(0.02)
            await send({"type": "http.response.body", "body": await chunk(), "more_body": number < 2})
        await asyncio.sleep(0.05)

    async def chunk():
        await asyncio.sleep(0)
        return b"x"

    observed = Middleware(application, route=lambda scope: scope.get("route"))

    async def call(path, route=None, kind="http"):
        sent = []
        async def send(message):
            sent.append(message)
        await observed({"type": kind, "path": path, "method": "GET", "route": route}, None, send)
        return sent

    async def main():
        assert len(await call("", kind="lifespan")) == 1
        await asyncio.gather(*(call("/a/hunter2", "/a/{name}") for _ in range(2)), call("/b/hunter2"))
        try:
            await call("/broken", "/broken")
        except LookupError:
            pass
        else:
            raise AssertionError
"""


def test_requests_of_any_asgi_application_are_entries_that_end_with_the_body(tmp_path: Path) -> None:
    window = observe(tmp_path, APP, "import asyncio; asyncio.run(app.main())")
    assert entries(window) == {
        "GET /a/{name}": (2, {"202": 2}, {}),
        "GET <unmatched>": (1, {"202": 1}, {}),
        "GET /broken": (1, {"500": 1}, {"LookupError": 1}),
    }
    assert entry_of(window, "app:chunk") == {"GET /a/{name}": 6, "GET <unmatched>": 3}
    (row,) = (
        row for row in window["calls"] if row["entry"] == "GET <unmatched>" and row["function"] == "app:application"
    )
    assert wall(window, "GET <unmatched>") < row["wall"]["sum"]  # which goes on after the body
    assert "hunter2" not in str(window)


def test_without_a_sensor_the_middleware_does_nothing() -> None:
    seen: list[object] = []

    async def application(*arguments: object) -> None:
        seen.extend(arguments)

    asyncio.run(Middleware(application)({"type": "http"}, None, None))
    assert seen == [{"type": "http"}, None, None]

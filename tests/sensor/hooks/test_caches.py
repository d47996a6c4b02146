from __future__ import annotations

from pathlib import Path

import pytest

from tests.sensor.hooks.loopback import listening, memcached, redis
from tests.sensor.hooks.sql_support import observe
from tests.sensor.hooks.test_http_clients import short

REDIS = """
    import asyncio, os
    import redis
    import redis.asyncio
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    PORT = int(os.environ["PORT"])
    OPTIONS = {"host": "127.0.0.1", "port": PORT, "retry": Retry(NoBackoff(), 0)}

    def read(client):
        for number in range(3):
            assert client.get("hunter2:%d" % number) is None

    def write(client):
        client.set("hunter2", "hunter2")

    def broken(client):
        try:
            client.execute_command("NONSENSE", "hunter2")
        except redis.ResponseError:
            pass

    def odd(client):
        try:
            client.execute_command("hunter2-7!", 1)
        except redis.ResponseError:
            pass

    def times_out():
        try:
            redis.Redis(**OPTIONS, socket_timeout=0.2).blpop("hunter2")
        except redis.TimeoutError:
            pass

    def piped(client):
        pipe = client.pipeline(transaction=False)
        pipe.get("a").get("b").set("c", 1)
        assert pipe.execute() == [None, None, True]

    def main():
        client = redis.Redis(**OPTIONS)
        read(client)
        write(client)
        broken(client)
        odd(client)
        piped(client)
        times_out()

    async def aread(client):
        await asyncio.gather(*(client.get(str(n)) for n in range(3)))

    async def apiped(client):
        async with client.pipeline(transaction=False) as pipe:
            await pipe.get("a").set("b", 1).execute()

    async def amain():
        client = redis.asyncio.Redis(host="127.0.0.1", port=PORT)
        await client.set("a", 1)
        await aread(client)
        await apiped(client)
        await client.connection_pool.disconnect()
"""


def test_redis_commands_by_call_site(tmp_path: Path) -> None:
    pytest.importorskip("redis")
    with listening(redis) as port:
        window = observe(tmp_path, REDIS, PORT=str(port))
    assert short(window) == {
        "read": ("GET", 3, {}, 0, 0),
        "write": ("SET", 1, {}, 0, 0),
        "broken": ("NONSENSE", 1, {"ResponseError": 1}, 0, 0),
        "odd": ("<command>", 1, {"ResponseError": 1}, 0, 0),
        "piped": ("PIPELINE", 1, {}, 0, 0),
        "times_out": ("BLPOP", 1, {"TimeoutError": 1}, 1, 0),
    }
    assert {(row["kind"], row["peer"]) for row in window["dependencies"]} == {("redis", f"127.0.0.1:{port}")}
    assert "hunter2" not in str(window).lower()


def test_redis_coroutines_are_attributed_to_the_function_that_asked(tmp_path: Path) -> None:
    pytest.importorskip("redis")
    with listening(redis) as port:
        window = observe(tmp_path, REDIS, "import asyncio; asyncio.run(app.amain())", PORT=str(port))
    assert short(window) == {
        "amain": ("SET", 1, {}, 0, 0),
        "aread": ("GET", 3, {}, 0, 0),
        "apiped": ("PIPELINE", 1, {}, 0, 0),
    }


FLAKY = """
    import asyncio, os
    import redis, redis.asyncio
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    PORT = int(os.environ["PORT"])

    def read():
        client = redis.Redis(port=PORT, retry=Retry(NoBackoff(), 3), retry_on_error=[redis.ConnectionError])
        assert client.get("hunter2") is None

    async def aread():
        retry = AsyncRetry(NoBackoff(), 3)
        client = redis.asyncio.Redis(port=PORT, retry=retry, retry_on_error=[redis.ConnectionError])
        assert await client.get("hunter2") is None
        await client.connection_pool.disconnect()

    def refused():
        try:
            redis.Redis(port=1, retry=Retry(NoBackoff(), 2), retry_on_error=[redis.ConnectionError]).get("a")
        except redis.ConnectionError:
            pass

    def main():
        read()
        asyncio.run(aread())
        refused()
"""


def test_retries_of_redis_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("redis", minversion="4.5")  # older ones cannot be told so much
    failures = iter([1, 1, 0, 1, 0])
    with listening(lambda connection: redis(connection, failures)) as port:
        found = short(observe(tmp_path, FLAKY, PORT=str(port)))
    assert found["read"] == ("GET", 1, {}, 0, 2)
    assert found["aread"] == ("GET", 1, {}, 0, 1)
    assert found["refused"][:3] == ("GET", 1, {"ConnectionError": 1})  # some versions try to connect only once


MEMCACHED = """
    import os
    from pymemcache.client.base import Client, PooledClient
    from pymemcache.exceptions import MemcacheUnknownCommandError

    SERVER = ("127.0.0.1", int(os.environ["PORT"]))

    def read(client):
        for _ in range(3):
            assert client.get("hunter2") is None
    def write(client):
        client.set("hunter2", b"hunter2", noreply=False)
    def remove(client):
        client.delete("hunter2", noreply=False)
    def broken(client):
        try:
            client.touch("hunter2", noreply=False)
        except MemcacheUnknownCommandError:
            pass

    def main():
        read(Client(SERVER))
        pooled = PooledClient(SERVER)
        write(pooled)
        remove(pooled)
        broken(pooled)
"""


def test_memcached_commands_by_call_site(tmp_path: Path) -> None:
    pytest.importorskip("pymemcache")
    with listening(memcached) as port:
        window = observe(tmp_path, MEMCACHED, PORT=str(port))
    assert short(window) == {
        "read": ("GET", 3, {}, 0, 0),
        "write": ("SET", 1, {}, 0, 0),
        "remove": ("DELETE", 1, {}, 0, 0),
        "broken": ("TOUCH", 1, {"MemcacheUnknownCommandError": 1}, 0, 0),
    }
    assert {(row["kind"], row["peer"]) for row in window["dependencies"]} == {("memcached", f"127.0.0.1:{port}")}
    assert "hunter2" not in str(window)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sensor.hooks.loopback import pages
from tests.sensor.hooks.sql_support import line_of, observe

SYNC = """
    import os
    import {library}

    ADDRESS = os.environ["ADDRESS"]
    URL = "http://hunter2:hunter2@" + ADDRESS

    def fetch():
        for _ in range(3):
            assert get(URL + "/ok?key=hunter2").status{code} == 200

    def fails():
        get(URL + "/error")

    def times_out():
        try:
            get(URL + "/slow", timeout=0.2)
        except {timeout}:
            pass

    def refused():
        try:
            get("http://127.0.0.1:1/")
        except {refused}:
            pass

    def main():
        fetch()
        fails()
        times_out()
        refused()
"""
REQUESTS = SYNC.format(
    library="requests; get = requests.get", code="_code", timeout="requests.Timeout", refused="requests.ConnectionError"
)
HTTPX = SYNC.format(
    library="httpx; get = httpx.Client().get",
    code="_code",
    timeout="httpx.TimeoutException",
    refused="httpx.ConnectError",
)
URLLIB3 = """
    import os
    import urllib3
    from urllib3.util import Retry

    ADDRESS = os.environ["ADDRESS"]
    HTTP = urllib3.PoolManager(retries=False)

    def fetch():
        for _ in range(3):
            assert HTTP.request("GET", "http://" + ADDRESS + "/ok?key=hunter2").status == 200

    def fails():
        HTTP.request("GET", "http://" + ADDRESS + "/error")

    def times_out():
        try:
            HTTP.request("GET", "http://" + ADDRESS + "/slow", timeout=0.2)
        except urllib3.exceptions.TimeoutError:
            pass

    def refused():
        try:
            HTTP.request("GET", "http://127.0.0.1:1/")
        except urllib3.exceptions.HTTPError:
            pass

    def main():
        fetch()
        fails()
        times_out()
        refused()
"""
ERRORS = {
    "requests": ("ReadTimeout", "ConnectionError"),
    "httpx": ("ReadTimeout", "ConnectError"),
    "urllib3": ("ReadTimeoutError", "NewConnectionError"),
}


def short(window: dict[str, Any]) -> dict[str, Any]:
    """By bare function: (operation, calls, errors, timeouts, retries)."""
    keys = ("operation", "calls", "errors", "timeouts", "retries")
    return {row["function"].partition(":")[2]: tuple(row[key] for key in keys) for row in window["dependencies"]}


@pytest.mark.parametrize(("library", "app"), [("requests", REQUESTS), ("httpx", HTTPX), ("urllib3", URLLIB3)])
def test_calls_errors_and_timeouts_by_call_site(tmp_path: Path, library: str, app: str) -> None:
    pytest.importorskip(library)
    with pages() as address:
        window = observe(tmp_path, app, ADDRESS=address)
    timeout, refused = ERRORS[library]
    assert short(window) == {
        "fetch": ("GET", 3, {}, 0, 0),
        "fails": ("GET", 1, {"HTTP 500": 1}, 0, 0),
        "times_out": ("GET", 1, {timeout: 1}, 1, 0),
        "refused": ("GET", 1, {refused: 1}, 0, 0),
    }
    peers = {row["function"]: (row["kind"], row["peer"]) for row in window["dependencies"]}
    assert peers["app:fetch"] == ("http", address)
    assert peers["app:refused"] == ("http", "127.0.0.1:1")
    (fetch,) = (row for row in window["dependencies"] if row["function"] == "app:fetch")
    assert (fetch["file"], fetch["line"]) == ("app.py", line_of(app, "?key="))
    assert "hunter2" not in str(window)
    assert "/ok" not in str(window["dependencies"])


RETRYING = """
    import os
    import urllib3
    from urllib3.util import Retry
    URL = "http://" + os.environ["ADDRESS"]
    RETRY = Retry(total=5, status_forcelist=[503], backoff_factor=0)

    def flaky():
        assert urllib3.PoolManager(retries=RETRY).request("GET", URL + "/flaky").status == 200

    def redirected():
        assert urllib3.PoolManager().request("GET", URL + "/redirect").status == 200

    def exhausted():
        try:
            urllib3.PoolManager(retries=Retry(2, backoff_factor=0)).request("GET", "http://127.0.0.1:1/")
        except urllib3.exceptions.MaxRetryError:
            pass

    def main():
        flaky()
        redirected()
        exhausted()
"""
REQUESTS_RETRYING = """
    import os
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry
    URL = "http://" + os.environ["ADDRESS"]

    def flaky():
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=5, status_forcelist=[503], backoff_factor=0)))
        assert session.post(URL + "/flaky").status_code == 503
        assert session.get(URL + "/flaky").status_code == 200

    def redirected():
        assert requests.get(URL + "/redirect").status_code == 200

    def main():
        flaky()
        redirected()
"""


def test_retries_of_urllib3_are_counted_and_redirects_are_not(tmp_path: Path) -> None:
    pytest.importorskip("urllib3")
    with pages() as address:
        found = short(observe(tmp_path, RETRYING, ADDRESS=address))
    assert found["flaky"] == ("GET", 1, {}, 0, 2)
    assert found["exhausted"] == ("GET", 1, {"MaxRetryError": 1}, 0, 2)
    assert found["redirected"][3:] == (0, 0)


def test_requests_is_recorded_once_with_the_retries_below_it(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    with pages() as address:
        window = observe(tmp_path, REQUESTS_RETRYING, ADDRESS=address)
    rows = {(row["function"], row["operation"]): row for row in window["dependencies"]}
    assert {key: (row["calls"], row["retries"], row["errors"]) for key, row in rows.items()} == {
        ("app:flaky", "POST"): (1, 0, {"HTTP 503": 1}),
        ("app:flaky", "GET"): (1, 1, {}),
        ("app:redirected", "GET"): (1, 0, {}),
    }


ASYNC = """
    import asyncio, os
    import {library}

    URL = "http://" + os.environ["ADDRESS"]

    async def fetch(client):
        {fetch}

    async def fails(client):
        await client.get(URL + "/error")

    async def times_out(client):
        try:
            await client.get(URL + "/slow", timeout={timeout})
        except {error}:
            pass

    async def together(client):
        await asyncio.gather(
            client.post(URL + "/ok"), client.post(URL + "/ok"))

    async def main():
        async with {library}.{client}() as client:
            await asyncio.gather(*(fetch(client) for _ in range(3)))
            await fails(client)
            await times_out(client)
            await together(client)
"""
ASYNC_HTTPX = ASYNC.format(
    library="httpx", client="AsyncClient", fetch='await client.get(URL + "/ok?key=hunter2")', timeout="0.2",
    error="httpx.TimeoutException",
)  # fmt: skip
AIOHTTP = ASYNC.format(
    library="aiohttp", client="ClientSession", timeout="aiohttp.ClientTimeout(0.2)", error="asyncio.TimeoutError",
    fetch="""async with client.get(URL + "/ok?key=hunter2") as answer:
            assert await answer.text() == "ok"
""",
)  # fmt: skip


@pytest.mark.parametrize(
    ("library", "app", "error"), [("httpx", ASYNC_HTTPX, "ReadTimeout"), ("aiohttp", AIOHTTP, "TimeoutError")]
)
def test_coroutines_are_attributed_to_the_function_that_asked(
    tmp_path: Path, library: str, app: str, error: str
) -> None:
    pytest.importorskip(library)
    with pages() as address:
        window = observe(tmp_path, app, "import asyncio; asyncio.run(app.main())", ADDRESS=address)
    found = short(window)
    (name,) = found["times_out"][2]
    assert error in name
    assert found == {
        "fetch": ("GET", 3, {}, 0, 0),
        "fails": ("GET", 1, {"HTTP 500": 1}, 0, 0),
        "times_out": ("GET", 1, {name: 1}, 1, 0),
        "together": ("POST", 2, {}, 0, 0),
    }
    (row,) = (row for row in window["dependencies"] if row["function"] == "app:fetch")
    assert (row["peer"], row["line"]) == (address, line_of(app, "?key="))
    assert "hunter2" not in str(window)

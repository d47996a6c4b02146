import httpx
import pytest

from ledger.settings import async_url
from tests.conftest import Api

pytestmark = pytest.mark.anyio


async def test_without_a_key_nothing_is_told(client: httpx.AsyncClient) -> None:
    response = await client.get("/accounts")
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorised"


async def test_an_unknown_key_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/accounts", headers={"X-Api-Key": "nobody"})).status_code == 401


async def test_a_scope_that_is_missing_is_named(api: Api) -> None:
    refusal = await api.get("/reports/monthly", 403, month="2026-03")
    assert refusal["error"] == {"code": "forbidden", "message": "mobile lacks the scope staff"}


async def test_health_needs_no_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}


async def test_the_request_id_comes_back(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health", headers={"X-Request-Id": "abc"})).headers["x-request-id"] == "abc"
    first, second = [(await client.get("/health")).headers["x-request-id"] for _ in range(2)]
    assert first != second


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+asyncpg://u@h/d"])
def test_urls_get_the_driver(url: str) -> None:
    assert async_url(url) == "postgresql+asyncpg://u@h/d"


@pytest.mark.parametrize("url", ["", "sqlite:///x", "postgres"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL: expected postgres://"):
        async_url(url)

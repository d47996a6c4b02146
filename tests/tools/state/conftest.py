from __future__ import annotations

from urllib.parse import quote

import psycopg
import pytest


@pytest.fixture
def state_url(postgres_url: str) -> str:
    """An empty schema of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("DROP SCHEMA IF EXISTS state CASCADE")
        db.execute("CREATE SCHEMA state")
    return f"{postgres_url}?options={quote('-csearch_path=state')}"

"""The fixture `postgres_url`: one throw-away PostgreSQL server for the whole session (`burnish.testing.postgres`).

Where the machine has no server, the tests that need it are skipped and say why.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from burnish.testing.postgres import Cluster, PostgresMissing


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database; its user is a superuser."""
    try:
        with Cluster.started() as cluster:
            yield cluster.url()
    except PostgresMissing as error:
        pytest.skip(str(error))

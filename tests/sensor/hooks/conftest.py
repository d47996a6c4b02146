"""Servers that the tests of hooks share; this folder is also run on its own, on Pythons too old for the agent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from tests.sensor.hooks.servers import mariadb_server, redis_server
from tests.sensor.support import ROOT


def _postgres() -> Any:
    """``burnish.testing.postgres``, which any Python can read, without the package around it, which not any can."""
    spec = spec_from_file_location("burnish_testing_postgres", ROOT / "agent/burnish/testing/postgres.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database; its user is a superuser."""
    postgres = _postgres()
    try:
        with postgres.Cluster.started() as cluster:
            yield cluster.url()
    except postgres.PostgresMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def mariadb_port() -> Iterator[str]:
    """Port of a MariaDB server on 127.0.0.1 with the database ``test`` for the user ``u``."""
    with mariadb_server() as port:
        yield str(port)


@pytest.fixture(scope="session")
def redis_port() -> Iterator[str]:
    """Port of a Redis server on 127.0.0.1."""
    with redis_server() as port:
        yield str(port)

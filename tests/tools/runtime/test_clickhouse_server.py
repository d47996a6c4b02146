"""The ClickHouse store over HTTP, with its engine in another process: the contract, and what fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from burnish.errors import DataError, Unavailable
from burnish.testing.clickhouse_server import clickhouse_server
from burnish_tools.runtime.clickhouse import ClickHouseStore, connect
from tests.tools.runtime.store_contract import StoreContract
from tests.tools.runtime.test_clickhouse_store import FILLED

PASSWORD = "s3cret"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clickhouse_server(tmp_path_factory.mktemp("server"), PASSWORD) as port:
        yield f"clickhouse://127.0.0.1:{port}/dataset"


class TestOverHttp(StoreContract):
    @pytest.fixture(autouse=True)
    def _empty(self, server: str) -> None:
        self.url = server
        connection = connect(server, PASSWORD)
        for (table,) in connection.read(FILLED):
            connection.run(f"TRUNCATE TABLE {table}")
        connection.close()

    def make_store(self, tmp_path: Path) -> ClickHouseStore:
        return ClickHouseStore(connect(self.url, PASSWORD))


def test_a_wrong_password_is_told_with_the_variable(server: str) -> None:
    with pytest.raises(DataError, match=r"runtime\.password_variable") as error:
        connect(server, "wr0ng")
    assert "wr0ng" not in str(error.value)


def test_a_server_that_goes_away_can_be_tried_again(tmp_path: Path) -> None:
    with clickhouse_server(tmp_path) as port:
        connection = connect(f"clickhouse://127.0.0.1:{port}/dataset")
        connection.run("CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n")
        connection.insert("kept", {"n": "UInt8"}, [(7,)])
    with pytest.raises(Unavailable, match="see that the server runs"):
        connection.read("SELECT n FROM kept")
    with clickhouse_server(tmp_path) as port:
        assert connect(f"clickhouse://127.0.0.1:{port}/dataset").read("SELECT n FROM kept") == [(7,)]

"""The store of Burnish's own state in PostgreSQL: the contract, and what is its own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from burnish.errors import LeaseHeld, Unavailable
from burnish.store import Store
from burnish.testing.scripted import FixedClock
from burnish_tools.state.store import PostgresStore
from tests.agent.store_contract import StateContract


@pytest.mark.postgres
class TestPostgresStore(StateContract):
    @pytest.fixture(autouse=True)
    def _schema(self, state_url: str) -> None:
        self.url = state_url

    def store(self, directory: Path) -> Store:
        return PostgresStore(self.url, directory, FixedClock(7.0))

    def holder(self, directory: Path) -> str:
        return (
            "import pathlib\nfrom burnish_tools.state.store import PostgresStore\n"
            "from burnish.testing.scripted import FixedClock\n"
            f"store = PostgresStore({self.url!r}, pathlib.Path({str(directory)!r}), FixedClock())"
        )

    def _lease_once_free(self, directory: Path) -> None:
        """The server notices the end of a connection a moment after the process died."""
        for _ in range(100):
            try:
                with self.store(directory).lease():
                    return
            except LeaseHeld:
                time.sleep(0.05)
        pytest.fail("the lease was not let go")

    def test_another_machine_sees_the_same_jobs(self, tmp_path: Path) -> None:
        one, two = self.store(tmp_path / "one"), self.store(tmp_path / "two")
        number = one.begin_run(scheduled=True)
        two.end_run(number, {})
        assert one.last_run(scheduled=True) is not None
        with one.lease(), pytest.raises(LeaseHeld), two.lease():
            pass


def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"postgres://127\.0\.0\.1:1/burnish: .*see that the server runs") as error:
        PostgresStore("postgres://me:s3cret@127.0.0.1:1/burnish", tmp_path, FixedClock())
    assert "s3cret" not in str(error.value)

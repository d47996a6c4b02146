"""The store of Burnish's own state in a file: the contract, and what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.errors import DataError
from burnish.store import Store
from burnish.testing.scripted import FixedClock
from tests.agent.store_contract import StateContract


def store(directory: Path) -> Store:
    return Store(directory, FixedClock(7.0))


class TestStore(StateContract):
    def store(self, directory: Path) -> Store:
        return store(directory)

    def holder(self, directory: Path) -> str:
        return (
            "import pathlib\nfrom burnish.store import Store\nfrom burnish.testing.scripted import FixedClock\n"
            f"store = Store(pathlib.Path({str(directory)!r}), FixedClock())"
        )


def test_a_corrupt_file_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DataError, match=r"state\.sqlite3: cannot be read .*move it away"):
        store(tmp_path)

"""Where the state is."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.testing.scripted import FixedClock
from burnish_tools.model.budget import FileSpending
from burnish_tools.state.opening import place
from burnish_tools.state.spending import PostgresSpending
from burnish_tools.state.store import PostgresStore


def test_without_a_database_it_is_in_files(tmp_path: Path) -> None:
    here = place("", tmp_path, FixedClock(7.0))
    here.store().close()
    here.checkpoints().conn.close()
    assert isinstance(here.spending(), FileSpending)
    assert {path.name for path in tmp_path.glob("*.sqlite3")} == {"state.sqlite3", "checkpoints.sqlite3"}


@pytest.mark.postgres
def test_with_one_all_of_it_is_on_the_server(tmp_path: Path, state_url: str) -> None:
    there = place(state_url, tmp_path, FixedClock(7.0))
    assert isinstance(there.store(), PostgresStore)
    assert isinstance(there.spending(), PostgresSpending)
    there.checkpoints().conn.close()
    assert list(tmp_path.glob("*.sqlite3")) == []

"""A profile of very many functions has those that cost most, and still knows the others by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.testing import windows as w
from burnish_tools.runtime import SqliteStore
from burnish_tools.runtime.format import parse
from burnish_tools.runtime.sqlite.cover import MOST

N = MOST + 300


def test_the_dearest_are_there_and_the_others_are_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    queries = [w.query("SELECT ?", at="m:f7:3", ms=900)]
    rows = [w.calls(f"m:f{i}", 1 if i % 2 else 3, wall_ms=(i + 1) * 0.01) for i in range(N)]
    for sequence in range(2):
        store.add([parse(w.window(calls=rows, queries=queries, sequence=sequence))])
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    names = {f.function for f in profile.functions}
    assert {f"m:f{i}" for i in range(N - 400, N, 2)} <= names
    assert len(names) < MOST
    assert profile.dropped == {"rare_calls": N - len(names)}
    times = [(i + 1) * 0.01 * (1 if i % 2 else 3) for i in range(N)]
    held = sum(ms for i, ms in enumerate(times) if f"m:f{i}" in names)
    left = profile.left_out
    assert left is not None
    assert (left.functions, left.statements, left.statement_share) == (N - len(names), 0, 0.0)
    assert left.own_share == pytest.approx(1 - held / sum(times), rel=1e-3)
    hidden = next(f"m:f{i}" for i in range(N) if f"m:f{i}" not in names)
    found = profile.function(hidden)
    assert found is not None
    assert (found.function, found.calls in (2, 6)) == (hidden, True)
    assert profile.function("m:never") is None


def test_as_many_as_there_is_room_for_are_all_there(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    store.add([parse(w.window(calls={f"m:f{i}": 1 for i in range(MOST)}))])
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    assert len(profile.functions) == MOST
    assert profile.dropped == {}
    assert profile.left_out is None


def test_statements_that_were_left_out_are_told_with_their_share(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    some = [w.query(f"SELECT a{i} FROM t", at="m:f:3", ms=1) for i in range(MOST + 100)]
    store.add([parse(w.window(calls={"m:f": 1}, queries=some))])
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    left = profile.left_out
    assert left is not None
    assert (left.functions, left.own_share) == (0, 0.0)
    assert left.statements == MOST + 100 - len(profile.queries)
    assert left.statement_share == pytest.approx(left.statements / (MOST + 100), rel=1e-3)

"""Broken and hostile windows: what cannot be right is left out and counted, and nothing of the rest is lost."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import DataError
from burnish.histogram import Histogram
from burnish.profile import Profile
from burnish.testing import windows as w
from burnish_tools.runtime import SqliteStore, Taken, limits
from burnish_tools.runtime.format import Window, of_plain, parse

GOOD, BAD = "m:good", "m:bad"


def spoilt(**change: Any) -> Window:
    """A window of two functions, one of which has its row changed."""
    raw = json.loads(w.window(calls={GOOD: 1, BAD: 1}))
    row = raw["calls"][1]
    for key, value in change.items():
        part, _, name = key.partition("__")
        if name:
            row[part][name] = value
        else:
            row[part] = value
    return parse(json.dumps(raw))


@pytest.mark.parametrize(
    "change",
    [
        {"calls": -1},
        {"calls": 2**60},
        {"function": "m:" + "f" * 10_000_000},
        {"entry": "e" * 1_001},
        {"errors": {"E" * 1_001: 1}},
        {"errors": {"E": -1}},
        {"wall__sum": float("nan")},
        {"wall__sum": float("inf")},
        {"wall__count": -5},
        {"wall__counts": [1, -1]},
        {"wall__counts": [0] * 10_001},
        {"own__scale": 200},
        {"own__offset": 2**40},
        {"own__min": -1},
        {"calls": float("nan")},
        {"wall__count": float("inf")},
        {"wall__sum": 10**400},
        {"rate": 2**64},
        {"error": {"calls": -1, "wall": 0}},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_right_is_left_out_and_counted(change: dict[str, Any]) -> None:
    window = spoilt(**change)
    assert [row.function for row in window.calls] == [GOOD]
    assert window.sensor.dropped["functions"] == 1


def test_a_name_of_a_function_or_statement_that_is_too_long_goes_without_the_rows() -> None:
    raw = json.loads(w.window(calls={GOOD: 1}))
    raw["functions"]["x" * 2_000] = {"file": "a.py"}
    raw["statements"]["abc"] = {"text": "s" * (limits.TEXT + 1)}
    window = parse(json.dumps(raw))
    assert list(window.functions) == [GOOD]
    assert window.statements == {}
    assert (window.sensor.dropped["functions"], window.sensor.dropped["statements"]) == (1, 1)


@pytest.mark.parametrize("change", [{"service": "s" * 1_001}, {"sequence": -1}, {"start_unix_ns": 2**70}])
def test_a_window_that_cannot_be_told_apart_is_refused(change: dict[str, Any]) -> None:
    raw = json.loads(w.window(calls={GOOD: 1})) | change
    with pytest.raises(DataError, match=next(iter(change))):
        parse(json.dumps(raw))


def test_rows_made_in_the_process_have_the_same_bounds() -> None:
    raw = json.loads(w.window(calls={GOOD: 1, BAD: 1}))
    assert of_plain(raw) == parse(json.dumps(raw))
    raw["calls"][1]["wall"]["count"] = -1
    window = of_plain(raw)
    assert [row.function for row in window.calls] == [GOOD]
    assert window.sensor.dropped["functions"] == 1


def profile_of(store: SqliteStore) -> Profile:
    profile = store.runtime("shop", "production").profile()
    assert profile is not None
    return profile


def test_what_was_left_out_is_told_with_the_profile(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    assert store.add([spoilt(calls=-1)]) == Taken(new=1)
    assert profile_of(store).dropped == {"functions": 1}


def test_a_histogram_that_is_finer_than_is_kept_is_brought_to_the_sensors_scale(tmp_path: Path) -> None:
    store, far = SqliteStore(tmp_path / "runtime.sqlite3"), [1e-300, 1e15]
    fine = [json.loads(Histogram.of([value], scale=20).model_dump_json()) for value in far]
    lines = [json.loads(w.window(calls={GOOD: 1}, sequence=i)) for i in range(2)]
    for line, histogram in zip(lines, fine, strict=True):
        line["calls"][0]["wall"] = histogram
    store.add([parse(json.dumps(line)) for line in lines])
    assert profile_of(store).functions[0].wall == Histogram.of(far)


def test_a_window_of_the_future_is_refused_and_one_of_the_past_taken(tmp_path: Path) -> None:
    store, now = SqliteStore(tmp_path / "runtime.sqlite3"), time.time()
    windows = [
        parse(w.window(calls={GOOD: 1}, start=now + ahead, instance=f"i{ahead}")) for ahead in (-86_400, 1_800, 7_200)
    ]
    taken = store.add(windows)
    assert (taken.new, taken.duplicates) == (2, 0)
    assert taken.refused == {"begins more than an hour in the future: set the clock of its machine": 1}


def test_a_flood_of_names_ends_as_other_and_is_told(tmp_path: Path) -> None:
    most = limits.NEW_NAMES["entries"]
    store = SqliteStore(tmp_path / "runtime.sqlite3")
    for sequence, first in enumerate(range(0, most + 100, 5_000)):
        rows = [
            {"entry": f"GET {i}/", "kind": "http", "calls": 1} for i in range(first, min(first + 5_000, most + 100))
        ]
        raw = json.loads(w.window(sequence=sequence)) | {"entries": rows}
        store.add([parse(json.dumps(raw))])
    again = json.loads(w.window(sequence=99, start=86_400)) | {"entries": [{"entry": "GET new/", "calls": 1}]}
    store.add([parse(json.dumps(again))])
    profile = profile_of(store)
    calls = {entry.entry: entry.calls for entry in profile.entries}
    assert len(calls) == most + 2
    assert (calls[limits.OTHER], calls["GET new/"]) == (100, 1)
    assert profile.dropped == {"entries": 100}

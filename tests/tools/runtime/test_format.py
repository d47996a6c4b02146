"""The reading of one window: additive changes are no errors, everything else is one that says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import DataError
from burnish.testing import windows as w
from burnish_tools.runtime.format import NewerFormat, parse

GOLDEN = sorted((Path(__file__).parents[2] / "format").glob("*.jsonl"))


def window(**change: Any) -> str:
    return json.dumps({**json.loads(w.window(calls={"m:f": 1})), **change})


def test_there_are_golden_files() -> None:
    assert GOLDEN


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: str(path.name))
def test_golden_files_are_read_in_full(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        read, written = parse(line), json.loads(line)
        for rows in ("entries", "calls", "queries", "per_call"):
            assert len(getattr(read, rows)) == len(written.get(rows, ()))
        for row, raw in zip(read.calls, written["calls"], strict=True):
            assert (row.function, row.calls, row.callers) == (raw["function"], raw["calls"], raw["callers"])
            assert row.wall.histogram().model_dump(exclude_none=True, mode="json") == raw["wall"]
        for per_call in read.per_call:
            assert per_call.statement in read.statements
            assert per_call.function in read.functions


def test_unknown_keys_are_ignored_at_every_level() -> None:
    raw = json.loads(window(weather="fine"))
    raw["calls"][0] |= {"mood": 1}
    raw["calls"][0]["wall"] |= {"colour": "red"}
    assert parse(json.dumps(raw)).calls[0].calls == 1


def test_missing_optional_keys_take_their_defaults() -> None:
    keys = ("format", "service", "instance", "sequence", "start_unix_ns", "end_unix_ns")
    raw = json.loads(window())
    read = parse(json.dumps({key: raw[key] for key in keys}))
    assert (read.environment, read.release, read.calls, read.sensor.dropped) == ("production", "unknown", (), {})


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"format": 7, "calls": "something quite different"}, {"format": 2, "service": None}]
)
def test_a_newer_format_says_so_even_where_its_shape_is_unknown(change: dict[str, Any]) -> None:
    with pytest.raises(NewerFormat, match=r"format \d and this Burnish reads up to 1: upgrade Burnish"):
        parse(window(**change))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"service": None}, "service: "),
        ({"format": 0}, "format: "),
        ({"calls": [{"function": "m:f"}]}, r"calls\.0\.entry: Field required"),
        ({"start_unix_ns": 5, "end_unix_ns": 4}, "end_unix_ns lies before start_unix_ns"),
        ({"sequence": -1}, "sequence: "),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        parse(window(**change))
    assert not isinstance(error.value, NewerFormat)

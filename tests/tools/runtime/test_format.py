"""The reading of one window: additive changes are no errors, everything else is one that says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from burnish.errors import DataError
from burnish.testing import windows as w
from burnish_tools.runtime.format import NewerFormat, line_of, of_plain, parse

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


def test_a_whole_number_may_be_written_as_a_float() -> None:
    raw = json.loads(window())
    raw["calls"][0] |= {"calls": 7.0}
    assert (parse(json.dumps(raw)).calls[0].calls, parse(window()).calls[0].calls) == (7, 1)


def test_a_line_that_was_written_again_says_the_same() -> None:
    for path in GOLDEN:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert parse(line_of(parse(line))) == parse(line) == of_plain(json.loads(line))


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
        ({"calls": [{"function": 1}]}, r"calls\.0\.function: Expected `str`, got `int`"),
        ({"functions": {"m:f": {"line": "x"}}}, r"functions\.m:f\.line: Expected `int`, got `str`"),
        ({"calls": {}}, "calls: Expected `array`"),
        ({"sensor": {"dropped": {"functions": "many"}}}, "sensor.dropped"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        parse(window(**change))
    assert not isinstance(error.value, NewerFormat)


@pytest.mark.parametrize("line", [b"[1]", b"", b"\xff", b'{"format":1,"x":' + b"[" * 100_000, b'{"service":"\\ud800"}'])
def test_what_is_no_window_at_all_is_an_error_like_any_other(line: bytes) -> None:
    with pytest.raises(DataError):
        parse(line)

"""What is printed and written into the docs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from burnish.finding import Interval
from evals.bench.sensor.errors import BenchError
from evals.bench.sensor.report import BEGIN, END, Table, interval, write_docs, write_json

TABLE = Table("Title", "n = 3 rounds.", ["program", "sensor"], [["go", "1.01"], ["json", "1.02"]], ["a note"], {"k": 1})


def test_a_table_says_how_it_was_taken() -> None:
    assert TABLE.markdown() == (
        "### Title\n\nn = 3 rounds.\n\n| program | sensor |\n|---|---|\n| go | 1.01 |\n| json | 1.02 |\n\n- a note\n"
    )


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (Interval(value=1.0123, low=1.0, high=1.02, n=9), "1.012 (1.000 to 1.020)"),
        (Interval(value=1.5, low=-math.inf, high=math.inf, n=1), "1.500"),
        (Interval(value=math.nan, low=-math.inf, high=math.inf, n=0), "–"),
    ],
)
def test_an_interval_is_shown_only_where_there_is_one(seen: Interval, text: str) -> None:
    assert interval(seen) == text


def test_the_docs_keep_all_but_what_stands_between_the_markers(tmp_path: Path) -> None:
    docs = tmp_path / "benchmarks.md"
    docs.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_docs(docs, [TABLE])
    write_docs(docs, [TABLE])
    text = docs.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert text.count("### Title") == 1
    assert "old" not in text


def test_docs_without_markers_are_left_alone(tmp_path: Path) -> None:
    docs = tmp_path / "benchmarks.md"
    docs.write_text("before\nafter\n")
    with pytest.raises(BenchError, match="are missing"):
        write_docs(docs, [TABLE])
    assert docs.read_text() == "before\nafter\n"


def test_the_docs_of_this_repository_have_the_markers(tmp_path: Path) -> None:
    docs = tmp_path / "benchmarks.md"
    docs.write_bytes((Path(__file__).parents[4] / "docs" / "benchmarks.md").read_bytes())
    write_docs(docs, [TABLE])
    assert "### Title" in docs.read_text(encoding="utf-8")


def test_json_has_the_numbers_behind_the_table(tmp_path: Path) -> None:
    write_json(tmp_path / "out.json", [TABLE])
    (table,) = json.loads((tmp_path / "out.json").read_text())["tables"]
    assert (table["title"], table["raw"]) == ("Title", {"k": 1})

"""The whole command on one program, in an environment of its own."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

from evals.bench.sensor.__main__ import main


@pytest.mark.slow
@pytest.mark.long
def test_a_quick_run_of_one_program_gives_finite_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    words = ["--quick", "--only", "cpu", "--programs", "richards", "--pythons", version, "--pairs", "2", "--markdown"]
    status = main([*words, "--cache", str(tmp_path / "cache"), "--json", str(tmp_path / "out.json")])
    shown = capsys.readouterr()
    assert status == 0, shown.err
    (table,) = json.loads((tmp_path / "out.json").read_text())["tables"]
    assert f"### CPU-bound programs, Python {version}" in shown.out
    assert table["columns"][-2:] == ["plain again", "sensor"]
    assert [row[0] for row in table["rows"]] == ["richards", "**geometric mean**", "**worst**"]
    rounds = table["raw"]["rounds"]
    assert len(rounds) == 2
    assert all(math.isfinite(value) and value > 0 for one in rounds for value in one["richards"].values())
    assert {"plain", "plain again", "sensor"} == set(rounds[0]["richards"])
    ratio = float(table["rows"][0][-1].split()[0])
    assert 0.2 < ratio < 100

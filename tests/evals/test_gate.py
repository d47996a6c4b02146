"""The gate's record and report; that it really proves is `python -m evals.gate`, which takes hours."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from burnish_tools.proof.rules import rules_check
from burnish_tools.recipes._base import MemorySource
from evals.gate import __main__ as gate
from evals.gate.service import CODE, EDITS, PATH, Weighing


def row(kind: str, number: int, accepted: bool) -> dict[str, object]:
    by, why = ("", "") if accepted else ("cost", "not_faster")
    return {"kind": kind, "number": number, "accepted": accepted, "by": by, "why": why, "saving": None}


def test_a_wrongly_accepted_search_misses_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    right = [row("same", n, accepted=False) for n in range(99)] + [row("tenth", n, accepted=n > 0) for n in range(10)]
    assert gate.report(right) == 0
    told = capsys.readouterr().out
    assert "| 99 | 0 | 0.0% (0.0% to 3.7%) | cost (not_faster) 99 |" in told
    assert "| 10 | 9 | 90.0%" in told
    assert gate.report([*right, row("same", 99, accepted=True), row("same", 100, accepted=True)]) == 1
    assert gate.report([*right, row("tenth", 10, accepted=False)]) == 1


def test_a_cut_line_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "gate.jsonl"
    path.write_text(json.dumps(row("same", 0, accepted=False)) + '\n{"kind": "sa', "utf-8")
    assert [one["number"] for one in gate.recorded(path)] == [0]
    assert gate.recorded(tmp_path / "missing") == []


def test_the_edits_do_what_they_say(tmp_path: Path) -> None:
    results = {}
    for name, code in {"old": CODE, **EDITS}.items():
        space: dict[str, object] = {}
        exec(compile(ast.parse(code), name, "exec"), space)
        results[name] = space["weigh"](list(range(50)))  # type: ignore[operator]
    assert len(set(results.values())) == 1
    for kind in EDITS:
        change = Weighing(tmp_path / kind).job(kind, 0).change
        assert change is not None
        assert rules_check(change, MemorySource({PATH: CODE}), 60).passed

"""The trial of the recipes on a directory: what it lists, what it writes, what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish_tools.recipes.examples.deque import BREADTH, BREADTH_AFTER, HEAD, HEAD_AFTER
from evals.trials.recipes import main, reason


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with a queue, the same in its tests and in a generated file, and a file of Python 2."""
    for name, text in {
        "graph/walk.py": HEAD + BREADTH,
        "graph/tests/test_walk.py": HEAD + BREADTH,
        "graph/made.py": "# @generated\n" + HEAD + BREADTH,
        "graph/old.py": 'print "old"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "link.py").symlink_to("/etc/hostname")
    return tmp_path


def test_lists_what_is_proposed_and_why_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(project), "--recipe", "deque", "--diffs", str(project / "out.diff")]) == 0
    printed = capsys.readouterr().out
    assert "deque: 1 proposed, 1 declined" in printed
    assert "not_written_here: says that it is generated" in printed
    assert "+    queue = deque([root])  # breadth first" in (project / "out.diff").read_text()
    assert (project / "graph/walk.py").read_text() == HEAD + BREADTH


def test_writes_where_it_is_told_to(project: Path) -> None:
    assert main([str(project), "--recipe", "deque", "--apply"]) == 0
    assert (project / "graph/walk.py").read_text() == HEAD_AFTER + BREADTH_AFTER
    assert (project / "graph/made.py").read_text() == "# @generated\n" + HEAD + BREADTH


def test_an_empty_directory_is_a_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path)])


def test_a_reason_is_the_same_for_all_functions() -> None:
    assert reason("a/b.py:12: `x` may change") == "… may change"

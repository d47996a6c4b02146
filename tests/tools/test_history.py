"""What git knows of the lines of a change, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from burnish.job import Change, FileEdit
from burnish_tools.workspace import Author, GitWorkspace
from tests.tools.git_repo import Team

TEXT = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


def changed(before: str, old: str, new: str, path: str = "app.py") -> Change:
    edit = FileEdit(path=path, before=before, after=before.replace(old, new))
    return Change(recipe="r", title="t", summary="s", safety="s", edits=(edit,))


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def workspace(team: Team, root: str = ".") -> GitWorkspace:
    return GitWorkspace(str(team.bare), "main", root, team.bare.parent / "state", Author("B", "b@example.org"))


def test_only_commits_on_the_changed_lines_count(team: Team) -> None:
    team.commit({"app.py": TEXT})
    two = TEXT.replace("return 2", "return 1 + 1")
    team.commit({"app.py": two})
    space = workspace(team)
    head = space.head()
    assert len(space.history(head, changed(two, "return 1 + 1", "return 2")).commits) == 2
    (only,) = space.history(head, changed(two, "return 1\n", "return 3\n")).commits
    assert (only.author, only.subject) == ("ada@example.org", "work")


def test_lines_are_followed_through_a_move_within_the_file_and_under_a_root(team: Team) -> None:
    team.commit({"shop/app.py": TEXT})
    moved = "import os\n\n\n" + TEXT
    team.commit({"shop/app.py": moved})
    space = workspace(team, "shop")
    assert len(space.history(space.head(), changed(moved, "return 2", "return 3")).commits) == 1


def test_a_new_file_has_no_past(team: Team) -> None:
    space = workspace(team)
    new = FileEdit(path="new.py", before=None, after="x = 1\n")
    change = Change(recipe="r", title="t", summary="s", safety="s", edits=(new,))
    assert space.history(space.head(), change).commits == ()


def test_what_git_cannot_tell_is_not_told(team: Team) -> None:
    space = workspace(team)
    assert not space.history(space.head(), changed(TEXT, "return 1", "return 3", "missing.py")).read

"""What git knows of the lines that a change touches: `git log -L`, which follows lines through edits and renames."""

from __future__ import annotations

from collections.abc import Iterator

from burnish.errors import RepositoryError, Unavailable
from burnish.job import Change
from burnish.risk import History, Past, changed_ranges
from burnish_tools.plumbing import Plumbing

MOST_COMMITS = 30
"""For each changed place, newest first."""
MOST_PLACES = 8
SINCE = "3 years ago"
"""Older than that, what a commit says is rarely still true; and a long history is not walked to its end."""


def history(git: Plumbing, commit: str, root: str, change: Change) -> History:
    """Commits up to `commit` on the changed lines. What git cannot tell in time is not told: `read` is False."""
    found: dict[str, Past] = {}
    try:
        for path, first, last in _places(root, change):
            for past in _commits(git, commit, path, first, last):
                found[past.commit] = past
    except (RepositoryError, Unavailable):
        return History(read=False)
    newest_first = sorted(found.values(), key=lambda past: (-past.unix, past.commit))
    return History(commits=tuple(newest_first))


def _places(root: str, change: Change) -> Iterator[tuple[str, int, int]]:
    places = [
        (f"{root}/{edit.path}" if root else edit.path, first, last)
        for edit in change.edits
        for first, last in changed_ranges(edit)
    ]
    yield from places[:MOST_PLACES]


def _commits(git: Plumbing, commit: str, path: str, first: int, last: int) -> Iterator[Past]:
    asked = ("log", "--no-patch", f"-L{first},{last}:{path}", f"--since={SINCE}", f"--max-count={MOST_COMMITS}")
    for row in git.text(*asked, "--format=%H%x00%ct%x00%ae%x00%s", commit).splitlines():
        sha, unix, author, subject = row.split("\0", 3)
        yield Past(commit=sha, unix=float(unix), author=author, subject=subject)

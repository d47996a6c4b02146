"""The local forge: real merges in a bare repository, several processes, and people who use git instead of Burnish."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from burnish.errors import ConfigError, DataError, RepositoryError, UsageError
from burnish_tools.forges.local import LocalForge
from burnish_tools.workspace import Author, GitWorkspace
from tests.tools.git_repo import FAST, VIEWS, Team, change, git

BRANCH = "burnish/n-plus-one-1a2b"
US = Author("Burnish", "burnish@example.org")


class FixedClock:
    def now(self) -> float:
        return 1_770_000_000.5


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def forge(team: Team) -> LocalForge:
    return LocalForge(team.bare, team.bare.parent / "forge.sqlite3", FixedClock(), author=US)


def proposed(team: Team) -> GitWorkspace:
    space = GitWorkspace(str(team.bare), "main", ".", team.bare.parent / "state", US)
    space.publish(space.head(), change(), BRANCH, "Fetch the shops\n")
    return space


def test_approve_merges_with_a_merge_commit(team: Team) -> None:
    space = proposed(team)
    number = forge(team).open(BRANCH, "Fetch the shops", "b").number
    later = team.commit({"later.py": "x = 1\n"})
    merged = forge(team).approve(number)
    assert merged.state == "merged"
    assert git(team.bare, "rev-parse", "main") == merged.merge_commit
    assert git(team.bare, "log", "-1", "--format=%P|%s|%an|%ct", "main") == (
        f"{later} {merged.head}|Merge pull request 1 from {BRANCH}|Burnish|1770000000"
    )
    assert team.show("main:shop/views.py").decode() == FAST
    assert team.show("main:later.py")
    assert space.head() == merged.merge_commit
    assert space.contains(merged.merge_commit, merged.head)
    assert forge(team).approve(number) == merged, "done once"
    with pytest.raises(UsageError, match="is merged already; revert it instead"):
        forge(team).refuse(number, "too late")


def test_a_conflict_names_the_file_and_changes_nothing(team: Team) -> None:
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    head = team.commit({"shop/views.py": VIEWS.replace("name", "title")})
    with pytest.raises(RepositoryError, match=rf"pull request 1 \({BRANCH}\): conflict in shop/views.py; a person"):
        forge(team).approve(number)
    assert git(team.bare, "rev-parse", "main") == head
    assert forge(team).get(number).state == "open"


def test_a_merge_by_git_is_a_merge(team: Team) -> None:
    """Also what is left when a process dies between moving the branch and writing it down."""
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    team.commit({"before.py": "x = 1\n"})
    git(team.checkout, "fetch", "--quiet", "origin")
    git(team.checkout, "merge", "--quiet", "--no-ff", "-m", "by hand", f"origin/{BRANCH}")
    merge = git(team.checkout, "rev-parse", "HEAD")
    team.commit({"after.py": "x = 1\n"})
    git(team.bare, "branch", "-D", BRANCH)
    assert forge(team).open_pull_requests() == []
    assert (forge(team).approve(number).state, forge(team).get(number).merge_commit) == ("merged", merge)


def test_a_fast_forward_is_a_merge_too(team: Team) -> None:
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    git(team.bare, "update-ref", "refs/heads/main", BRANCH)
    seen = forge(team).get(number)
    assert (seen.state, seen.merge_commit) == ("merged", seen.head)


def test_a_deleted_branch_closes(team: Team) -> None:
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    git(team.bare, "branch", "-D", BRANCH)
    assert (forge(team).get(number).state, forge(team).get(number).reason) == ("closed", "The branch was deleted.")
    with pytest.raises(UsageError, match=r"was closed \(The branch was deleted\.\)"):
        forge(team).approve(number)


def test_the_first_refusal_counts(team: Team) -> None:
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    assert forge(team).refuse(number, "no").reason == "no"
    assert forge(team).refuse(number, "never").reason == "no"
    with pytest.raises(UsageError, match=r"pull request 1 was closed \(no\)"):
        forge(team).approve(number)


def test_what_cannot_be_opened_says_why(team: Team) -> None:
    with pytest.raises(RepositoryError, match="has no branch burnish/x; push it"):
        forge(team).open("burnish/x", "t", "b")
    git(team.bare, "branch", "burnish/x", "main")
    with pytest.raises(RepositoryError, match="has nothing that the base branch does not have"):
        forge(team).open("burnish/x", "t", "b")
    with pytest.raises(UsageError, match="there is no pull request 7"):
        forge(team).comment(7, "t", "b")
    with pytest.raises(ConfigError, match=r"git clone --bare"):
        LocalForge(team.checkout, team.bare.parent / "f.sqlite3", FixedClock())


def test_what_is_shown(team: Team) -> None:
    proposed(team)
    opened = forge(team).open(BRANCH, "t", "Body")
    assert opened.url == "burnish show 1a2b"
    assert forge(team).body(opened.number) == "<!-- burnish:v1 id=n-plus-one-1a2b -->\nBody"


def test_a_broken_store_is_named(team: Team) -> None:
    proposed(team)
    (team.bare.parent / "forge.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"forge\.sqlite3 cannot be used"):
        forge(team).find(BRANCH)


# ── several at once ──────────────────────────────────────────────────────────────────────────────────────────────────

_OPEN = """
import sys
from pathlib import Path
from burnish_tools.forges.local import LocalForge
class Clock:
    def now(self): return 1.0
forge = LocalForge(Path(sys.argv[1]), Path(sys.argv[2]), Clock())
print(forge.open(sys.argv[3], "t", "b").number, flush=True)
if sys.argv[4] == "approve":
    forge.approve(1)
"""


def _process(team: Team, then: str = "") -> subprocess.Popen[bytes]:
    store = team.bare.parent / "forge.sqlite3"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _OPEN, str(team.bare), str(store), BRANCH, then]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE)


def test_processes_that_open_the_same_branch_open_one(team: Team) -> None:
    proposed(team)
    answers = [process.communicate(timeout=30)[0] for process in [_process(team) for _ in range(2)]]
    assert answers == [b"1\n"] * 2
    assert [pull.number for pull in forge(team).open_pull_requests()] == [1]


def test_threads_that_open_the_same_branch_open_one(team: Team) -> None:
    proposed(team)
    together = Barrier(4)

    def opened(_: int) -> int:
        together.wait(10)
        return forge(team).open(BRANCH, "t", "b").number

    assert forge(team).find(BRANCH) is None  # the tables are there
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(opened, range(4))) == [1] * 4


def test_killed_while_it_approves(team: Team) -> None:
    proposed(team)
    with _process(team, "approve") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        process.kill()
    merged = forge(team).approve(1)
    assert merged.state == "merged"
    assert git(team.bare, "rev-list", "--merges", "--count", "main") == "1"
    assert git(team.bare, "fsck", "--no-dangling") == ""


def test_approved_by_two_people_at_once(team: Team) -> None:
    proposed(team)
    number = forge(team).open(BRANCH, "t", "b").number
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: forge(team).approve(number), range(2))
    assert first == second
    assert git(team.bare, "rev-list", "--merges", "--count", "main") == "1"

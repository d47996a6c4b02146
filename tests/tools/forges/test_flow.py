"""The life of a pull request, the same on every forge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from burnish.protocols import Forge
from burnish.testing.forge import MemoryForge
from burnish.testing.github_server import TOKEN, github_server
from burnish_tools.forges import ForgeSettings
from burnish_tools.forges.github import GitHubForge
from burnish_tools.forges.local import LocalForge
from tests.tools.git_repo import Team, git

BRANCH = "burnish/n-plus-one-1a2b"


class FixedClock:
    def now(self) -> float:
        return 1_770_000_000.0


class Desk(Protocol):
    """A forge with people at it."""

    def forge(self) -> Forge: ...
    def push(self, branch: str) -> str: ...
    def merge(self, number: int) -> str: ...
    def close(self, number: int, reason: str) -> None: ...
    def comments(self, number: int) -> list[str]: ...


class LocalDesk:
    def __init__(self, directory: Path) -> None:
        self.team = Team(directory)
        self.store = directory / "state" / "forge.sqlite3"

    def forge(self) -> LocalForge:
        return LocalForge(self.team.bare, self.store, FixedClock())

    def push(self, branch: str) -> str:
        git(self.team.checkout, "checkout", "--quiet", "--detach", "main")
        return self.team.commit({f"{branch.replace('/', '-')}.py": "x = 1\n"}, branch=branch)

    def merge(self, number: int) -> str:
        return self.forge().approve(number).merge_commit

    def close(self, number: int, reason: str) -> None:
        self.forge().refuse(number, reason)

    def comments(self, number: int) -> list[str]:
        return [body for _, body in self.forge().comments(number)]


class GitHubDesk:
    def __init__(self, server) -> None:
        self.server = server

    def forge(self) -> GitHubForge:
        settings = ForgeSettings(
            kind="github", repository="team/shop", base_url=self.server.url, retries=2, longest_wait_seconds=1,
            seconds_between_requests=0, seconds_between_writes=0,
        )  # fmt: skip
        return GitHubForge(settings, TOKEN)

    def push(self, branch: str) -> str:
        self.server.branches[branch] = f"{len(self.server.branches):040x}"
        return self.server.branches[branch]

    def merge(self, number: int) -> str:
        self.server.merge(number, "c" * 40)
        return "c" * 40

    def close(self, number: int, reason: str) -> None:
        self.server.close(number, reason)

    def comments(self, number: int) -> list[str]:
        return [c["body"] for c in self.server.comments.get(number, []) if c["user"]["login"] != "ada"]


class MemoryDesk:
    def __init__(self) -> None:
        self.memory = MemoryForge()

    def forge(self) -> MemoryForge:
        return self.memory

    def push(self, branch: str) -> str:
        return ""

    def merge(self, number: int) -> str:
        return self.memory.merge(number, "c" * 40).merge_commit

    def close(self, number: int, reason: str) -> None:
        self.memory.close(number, reason)

    def comments(self, number: int) -> list[str]:
        return [body for (n, _), body in self.memory.comments.items() if n == number]


@pytest.fixture(params=["local", "github", "memory"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    if request.param == "github":
        with github_server() as server:
            yield GitHubDesk(server)
    else:
        yield LocalDesk(tmp_path) if request.param == "local" else MemoryDesk()


def test_opened_found_and_shown(desk: Desk) -> None:
    head = desk.push(BRANCH)
    assert desk.forge().find(BRANCH) is None
    opened = desk.forge().open(BRANCH, "Fetch the shops", "Because.", ["performance"])
    assert (opened.branch, opened.title, opened.head) == (BRANCH, "Fetch the shops", head)
    assert (opened.state, opened.merge_commit, opened.reason) == ("open", "", "")
    assert opened.url
    assert desk.forge().find(BRANCH) == opened
    assert desk.forge().get(opened.number) == opened
    assert desk.forge().open_pull_requests() == [opened]


def test_opening_again_after_a_crash_opens_nothing(desk: Desk) -> None:
    desk.push(BRANCH)
    first = desk.forge().open(BRANCH, "Fetch the shops", "Because.")
    again = desk.forge().open(BRANCH, "Fetch the shops", "Because.")  # a new process that remembers nothing
    assert again == first
    assert len(desk.forge().open_pull_requests()) == 1


def test_a_topic_has_one_comment(desk: Desk) -> None:
    desk.push(BRANCH)
    number = desk.forge().open(BRANCH, "t", "b").number
    for body in ("first", "second", "second"):
        desk.forge().comment(number, "verdict", body)
    desk.forge().comment(number, "note", "other")
    comments = desk.comments(number)
    assert [c.splitlines()[-1] for c in comments] == ["second", "other"]


def test_merged(desk: Desk) -> None:
    desk.push(BRANCH)
    number = desk.forge().open(BRANCH, "t", "b").number
    commit = desk.merge(number)
    seen = desk.forge().get(number)
    assert (seen.state, seen.merge_commit) == ("merged", commit)
    assert commit
    assert desk.forge().open_pull_requests() == []
    assert desk.forge().open(BRANCH, "t", "b") == seen, "a merged fix is not proposed again"


def test_closed_by_a_person_stays_closed(desk: Desk) -> None:
    desk.push(BRANCH)
    number = desk.forge().open(BRANCH, "t", "b").number
    desk.close(number, "We move this to SQL soon.")
    seen = desk.forge().get(number)
    assert (seen.state, seen.merge_commit, seen.reason) == ("closed", "", "We move this to SQL soon.")
    assert desk.forge().open_pull_requests() == []
    assert desk.forge().open(BRANCH, "t", "b").state == "closed", "what a person closed is not proposed again"


def test_branches_do_not_mix(desk: Desk) -> None:
    for name in ("burnish/a", "burnish/ab"):
        desk.push(name)
        desk.forge().open(name, name, "b")
    assert [pull.branch for pull in desk.forge().open_pull_requests()] == ["burnish/a", "burnish/ab"]
    found = desk.forge().find("burnish/a")
    assert found is not None
    assert found.branch == "burnish/a"

"""A forge in memory, for tests of what uses one."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.errors import Unavailable, UsageError
from burnish.job import PullRequest


class MemoryForge:
    """A `Forge` that remembers everything in its fields and does what a person would do by `merge` and `close`."""

    def __init__(self) -> None:
        self.pulls: dict[int, PullRequest] = {}
        self.bodies: dict[int, str] = {}
        self.labels: dict[int, tuple[str, ...]] = {}
        self.comments: dict[tuple[int, str], str] = {}
        self.outages = 0
        """How many of the next calls fail with Unavailable."""
        self.lost_answers = 0
        """How many of the next `open` calls open the pull request and then fail with Unavailable."""

    def find(self, branch: str) -> PullRequest | None:
        """The newest pull request from a branch, open or not."""
        self._outage()
        return self._newest(branch)

    def open(self, branch: str, title: str, body: str, labels: Sequence[str] = ()) -> PullRequest:
        """Opens one, or returns the newest from this branch."""
        self._outage()
        there = self._newest(branch)
        if there is None:
            number = len(self.pulls) + 1
            url = f"memory://pulls/{number}"
            there = PullRequest(number=number, branch=branch, head="", url=url, title=title, state="open")
            self.pulls[number], self.bodies[number], self.labels[number] = there, body, tuple(labels)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unavailable(f"{there.url}: the answer was lost")
        return there

    def get(self, number: int) -> PullRequest:
        """As it is now. Raises UsageError where there is no such number."""
        self._outage()
        if number not in self.pulls:
            raise UsageError(f"there is no pull request {number}; there are {sorted(self.pulls)}")
        return self.pulls[number]

    def comment(self, number: int, topic: str, body: str) -> None:
        """Writes a comment, or replaces the one with the same topic."""
        self.comments[self.get(number).number, topic] = body

    def open_pull_requests(self) -> Sequence[PullRequest]:
        """Those that are still open, oldest first."""
        self._outage()
        return [pull for _, pull in sorted(self.pulls.items()) if pull.state == "open"]

    def merge(self, number: int, commit: str) -> PullRequest:
        """A person merges it as `commit`."""
        return self._update(number, state="merged", merge_commit=commit)

    def close(self, number: int, reason: str = "") -> PullRequest:
        """A person closes it unmerged."""
        return self._update(number, state="closed", reason=reason)

    def _update(self, number: int, **fields: str) -> PullRequest:
        self.pulls[number] = self.get(number).model_copy(update=fields)
        return self.pulls[number]

    def _newest(self, branch: str) -> PullRequest | None:
        fitting = [pull for pull in self.pulls.values() if pull.branch == branch]
        return max(fitting, key=lambda pull: pull.number, default=None)

    def _outage(self) -> None:
        if self.outages:
            self.outages -= 1
            raise Unavailable("memory://pulls is down for a test")

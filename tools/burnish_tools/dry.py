"""Dry run, in the adapters: reads go through, each write is told instead of done. The steps know nothing of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from burnish.job import Change, PullRequest
from burnish.protocols import Forge, Source, Workspace
from burnish.risk import History

Say = Callable[[str], None]


class DryForge:
    """A forge that only says what it would write."""

    def __init__(self, forge: Forge, say: Say) -> None:
        self._forge, self._say = forge, say

    def find(self, branch: str) -> PullRequest | None:
        """As on the real forge."""
        return self._forge.find(branch)

    def get(self, number: int) -> PullRequest:
        """As on the real forge; what would have been opened here is open."""
        return self._forge.get(number)

    def open(self, branch: str, title: str, body: str, labels: Sequence[str] = ()) -> PullRequest:
        """Says what would be opened."""
        self._say(f"would open a pull request from {branch}: {title}\n\n{body}")
        return PullRequest(number=0, branch=branch, head="", url="(dry run)", title=title, state="open")

    def comment(self, number: int, topic: str, body: str) -> None:
        """Says what would be written."""
        self._say(f"would comment on pull request {number} ({topic}):\n\n{body}")

    def open_pull_requests(self) -> Sequence[PullRequest]:
        """As on the real forge."""
        return self._forge.open_pull_requests()


class DryWorkspace:
    """A repository that only says what it would push."""

    def __init__(self, workspace: Workspace, say: Say) -> None:
        self._workspace, self._say = workspace, say

    def head(self) -> str:
        """As in the repository."""
        return self._workspace.head()

    def dirty(self) -> Sequence[str]:
        """As in the repository."""
        return self._workspace.dirty()

    def source(self, commit: str) -> Source:
        """As in the repository."""
        return self._workspace.source(commit)

    def export(self, commit: str, target: Path, change: Change | None = None) -> None:
        """As in the repository: it writes only to the given directory."""
        self._workspace.export(commit, target, change)

    def publish(self, base: str, change: Change, branch: str, message: str) -> str:
        """Says what would be pushed; returns a name for the commit that was not made."""
        self._say(f"would push to {branch}, on {base[:12]}:\n\n{message}\n{self.diff(change)}")
        return hashlib.sha1(f"{base}{message}".encode(), usedforsecurity=False).hexdigest()

    def history(self, commit: str, change: Change) -> History:
        """As in the repository."""
        return self._workspace.history(commit, change)

    def publish_revert(self, commit: str, branch: str, message: str) -> str:
        """Says what would be pushed."""
        self._say(f"would push to {branch}, reverting {commit[:12]}:\n\n{message}")
        return hashlib.sha1(f"{commit}{message}".encode(), usedforsecurity=False).hexdigest()

    def contains(self, release: str, commit: str) -> bool:
        """As in the repository."""
        return self._workspace.contains(release, commit)

    def diff(self, change: Change) -> str:
        """As in the repository."""
        return self._workspace.diff(change)

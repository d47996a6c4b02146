"""Pull requests on GitHub, through PyGithub.

A write that was answered with 5xx, or not at all, may have happened: it is not sent again, GitHub is asked whether it
is there. Everything is found again by what GitHub keeps, the branch or a hidden marker, never by what we remember.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import github
import requests
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest as GithubPull
from github.Repository import Repository

from burnish.errors import ConfigError, Unavailable
from burnish.job import PullRequest
from burnish_tools.forges import ForgeSettings
from burnish_tools.forges.github_edge import Edge, Retry, said
from burnish_tools.forges.text import capped, marked, topic_marker

PREFIX = "burnish/"
_REASON_LIMIT = 500
T = TypeVar("T")


class GitHubForge:
    """A `Forge` on one GitHub repository."""

    def __init__(self, settings: ForgeSettings, token: str, base: str = "main") -> None:
        """`base` is the branch that is merged into. Raises ConfigError where repository or token is missing."""
        if not settings.repository:
            raise ConfigError("forge.repository is empty; set it to owner/name")
        if not token:
            raise ConfigError(f"{settings.token_variable} is empty; export a token that may write pull requests")
        self._settings = settings
        self._base = base
        self._edge = Edge(settings)
        self._api = github.Github(
            auth=github.Auth.Token(token),
            base_url=settings.base_url.rstrip("/"),
            timeout=settings.timeout_seconds,
            retry=Retry(total=settings.retries, max_rate_limit_wait=settings.longest_wait_seconds),
            per_page=100,
            seconds_between_requests=settings.seconds_between_requests or None,
            seconds_between_writes=settings.seconds_between_writes or None,
            api_version="2022-11-28",
        )

    def find(self, branch: str) -> PullRequest | None:
        """The newest pull request from a branch of this repository, open or not."""
        with self._edge:
            pull = self._newest(branch)
            return None if pull is None else self._seen(pull)

    def open(self, branch: str, title: str, body: str, labels: Sequence[str] = ()) -> PullRequest:
        """Opens one with the labels given and those of the settings, or returns the newest from this branch.

        Raises RepositoryError where GitHub will not have it (no such branch, nothing to merge).
        """
        with self._edge:
            pull = self._newest(branch)
            if pull is None:
                pull = self._create(branch, title, marked(body, branch))
            self._label(pull, labels)
            return self._seen(pull)

    def get(self, number: int) -> PullRequest:
        """As it is now; for one that a person closed, with the last thing that a person said."""
        with self._edge:
            return self._seen(self._repository.get_pull(number))

    def comment(self, number: int, topic: str, body: str) -> None:
        """Writes a comment, or replaces our own with the same topic."""
        text = capped(f"{topic_marker(topic)}\n{body}")
        with self._edge:
            pull = self._repository.get_pull(number)
            there = self._comment_on(pull, topic)
            if there is None:
                self._written_once(lambda: pull.create_issue_comment(text), lambda: self._comment_on(pull, topic))
            elif there.body != text:
                there.edit(text)

    def open_pull_requests(self) -> Sequence[PullRequest]:
        """Those from a `burnish/` branch of this repository that are still open, oldest first."""
        with self._edge:
            pulls = {p.number: p for p in self._repository.get_pulls(state="open") if p.head.ref.startswith(PREFIX)}
            return [self._seen(pull) for _, pull in sorted(pulls.items()) if self._is_ours(pull)]

    def close(self) -> None:
        """Closes the connections."""
        self._api.close()

    @cached_property
    def _repository(self) -> Repository:
        # Asked for, not assumed: a renamed repository answers a POST with 307, which would be taken for a success.
        return self._api.get_repo(self._settings.repository)

    def _newest(self, branch: str) -> GithubPull | None:
        head = f"{self._repository.owner.login}:{branch}"
        pulls = self._repository.get_pulls(state="all", sort="created", direction="desc", head=head)
        # GitHub ignores a filter that it does not understand and lists everything.
        fitting = [pull for pull in pulls if pull.head.ref == branch and self._is_ours(pull)]
        return max(fitting, key=lambda pull: pull.number, default=None)

    def _is_ours(self, pull: GithubPull) -> bool:
        """From a branch of this repository, not of a fork (which is None once it is deleted)."""
        repository: Repository | None = pull.head.repo
        return repository is not None and repository.full_name == self._repository.full_name

    def _create(self, branch: str, title: str, body: str) -> GithubPull:
        def create(draft: bool = self._settings.draft) -> GithubPull:
            return self._repository.create_pull(base=self._base, head=branch, title=title, body=body, draft=draft)

        def post() -> GithubPull:
            try:
                return create()
            except github.GithubException as error:
                if error.status == 422 and self._settings.draft and "draft" in said(error).lower():
                    return create(draft=False)
                raise

        pull = self._written_once(post, lambda: self._newest(branch))
        if not isinstance(pull.number, int):
            raise Unavailable(f"{self._edge.url} answered without a number; has the repository a new name?")
        return pull

    def _written_once(self, write: Callable[[], T], look: Callable[[], T | None]) -> T:
        """Writes; where nobody can tell whether it was written, or it was there already, looks it up."""
        try:
            return write()
        except (github.GithubException, requests.RequestException) as error:
            status = error.status if isinstance(error, github.GithubException) else 599
            if status < 500 and not (status == 422 and "already exists" in said(error)):
                raise
            found = look()
            if found is None:
                raise
            return found

    def _label(self, pull: GithubPull, labels: Sequence[str]) -> None:
        """Labels it once; a token that may not label is no reason to fail, the pull request is what counts."""
        wanted = [*dict.fromkeys((*labels, *self._settings.labels))]
        if not wanted or pull.labels or pull.state != "open":
            return
        try:
            pull.add_to_labels(*wanted)
        except github.GithubException as error:
            if error.status not in (403, 404, 422) or isinstance(error, github.RateLimitExceededException):
                raise

    def _comment_on(self, pull: GithubPull, topic: str) -> IssueComment | None:
        mine = (c for c in pull.get_issue_comments() if c.user is not None and c.user.login == pull.user.login)
        return next((c for c in mine if (c.body or "").startswith(topic_marker(topic))), None)

    def _seen(self, pull: GithubPull) -> PullRequest:
        merged = pull.merged_at is not None
        state = "merged" if merged else pull.state
        return PullRequest(
            number=pull.number,
            branch=pull.head.ref,
            head=pull.head.sha,
            url=pull.html_url,
            title=pull.title,
            state=state,
            # Before the merge this is GitHub's trial merge, which no release will ever contain.
            merge_commit=(pull.merge_commit_sha or "") if merged else "",
            reason=self._reason(pull) if state == "closed" else "",
        )

    def _reason(self, pull: GithubPull) -> str:
        said = [c.body for c in pull.get_issue_comments() if c.user is not None and c.user.type != "Bot"]
        words = [text for text in said if text and "<!-- burnish:" not in text]
        return words[-1].strip()[:_REASON_LIMIT] if words else ""

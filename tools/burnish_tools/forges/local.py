"""A forge without a server: a bare repository for the branches, SQLite for the pull requests.

What git knows is asked of git every time: a pull request is merged when its branch is in the base branch, whether
`approve` or a person's `git push` put it there. So a process that dies between merging and writing that down loses
nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from burnish.errors import ConfigError, DataError, RepositoryError, UsageError
from burnish.job import PullRequest
from burnish.protocols import Clock
from burnish_tools.forges.text import capped, marked
from burnish_tools.plumbing import Author, checked_branch
from burnish_tools.workspace import Git

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pull_requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT, branch TEXT NOT NULL, head TEXT NOT NULL, title TEXT NOT NULL,
    body TEXT NOT NULL, labels TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open', merge_commit TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '', opened_unix REAL NOT NULL, closed_unix REAL);
CREATE INDEX IF NOT EXISTS pull_requests_by_branch ON pull_requests (branch, number);
CREATE TABLE IF NOT EXISTS comments (
    number INTEGER NOT NULL REFERENCES pull_requests, topic TEXT NOT NULL, body TEXT NOT NULL,
    written_unix REAL NOT NULL, PRIMARY KEY (number, topic));
"""
_SHOWN = "SELECT number, branch, head, title, state, merge_commit, reason FROM pull_requests"
_RACES = 5


class LocalForge:
    """A `Forge` on a bare repository. Several processes may use it at once."""

    def __init__(
        self,
        repository: Path,
        store: Path,
        clock: Clock,
        *,
        base: str = "main",
        author: Author = Author("Burnish", "burnish@localhost"),  # noqa: B008 -- an immutable value
    ) -> None:
        """`store` is a SQLite file, made when missing; `author` signs merge commits. Raises ConfigError."""
        if not (repository / "objects").is_dir():
            raise ConfigError(
                f"the local forge needs a bare repository and {repository} is none: make one with "
                f"`git clone --bare {repository} {repository}.git` and set service.repository to it"
            )
        self._git = Git(repository.resolve())
        self._store = store
        self._clock = clock
        self._base = f"refs/heads/{checked_branch(base)}"
        self._author = author

    # ── the Forge protocol ───────────────────────────────────────────────────────────────────────────────────────────

    def find(self, branch: str) -> PullRequest | None:
        """The newest pull request from a branch, open or not."""
        with self._database() as database:
            return self._newest(database, branch)

    def open(self, branch: str, title: str, body: str, labels: Sequence[str] = ()) -> PullRequest:
        """Opens one, or returns the newest from this branch. Raises RepositoryError where there is nothing to merge."""
        with self._database() as database:
            there = self._newest(database, branch)
            if there is not None:
                return there
            head = self._head(branch)
            if head is None:
                raise RepositoryError(f"{self._git.directory} has no branch {branch}; push it before it is proposed")
            if self._git.is_ancestor(head, self._base):
                raise RepositoryError(f"branch {branch} has nothing that the base branch does not have")
            row = (branch, head, title, marked(body, branch), ",".join(labels), self._clock.now())
            database.execute(
                "INSERT INTO pull_requests (branch, head, title, body, labels, opened_unix) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
            opened = self._newest(database, branch)
            assert opened is not None
            return opened

    def get(self, number: int) -> PullRequest:
        """As it is now. Raises UsageError where there is no such number."""
        with self._database() as database:
            return self._get(database, number)

    def comment(self, number: int, topic: str, body: str) -> None:
        """Writes a comment, or replaces the one with the same topic."""
        with self._database() as database:
            self._get(database, number)
            database.execute(
                "INSERT INTO comments VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (number, topic, capped(body), self._clock.now()),
            )

    def open_pull_requests(self) -> Sequence[PullRequest]:
        """Those from a `burnish/` branch that are still open, oldest first."""
        with self._database() as database:
            rows = database.execute(
                f"{_SHOWN} WHERE state = 'open' AND branch LIKE 'burnish/%' ORDER BY number"
            ).fetchall()
            seen = [self._as_git_has_it(database, row) for row in rows]
        return [pull for pull in seen if pull.state == "open"]

    # ── the lead's desk ──────────────────────────────────────────────────────────────────────────────────────────────

    def approve(self, number: int) -> PullRequest:
        """Merges it into the base branch by a merge commit; done once.

        Raises RepositoryError with the files where it conflicts, UsageError where it was closed.
        """
        for _ in range(_RACES):
            # Read before the pull request, so that a merge by somebody else in between makes `_merge` say no.
            base = self._git.commit(self._base)
            pull = self.get(number)
            if pull.state == "closed":
                raise UsageError(f"pull request {number} was closed ({pull.reason or 'no reason given'})")
            if pull.state == "merged" or self._merge(pull, base):
                return self.get(number)
        raise RepositoryError(f"the base branch moved {_RACES} times while pull request {number} was merged; try again")

    def refuse(self, number: int, reason: str) -> PullRequest:
        """Closes it without merging; the first reason stays. Raises UsageError where it is merged."""
        with self._database() as database:
            pull = self._get(database, number)
            if pull.state == "merged":
                raise UsageError(f"pull request {number} is merged already; revert it instead")
            if pull.state == "open":
                self._close(database, number, "closed", reason=reason)
            return self._get(database, number)

    def body(self, number: int) -> str:
        """Its text, in Markdown."""
        with self._database() as database:
            self._get(database, number)
            return str(database.execute("SELECT body FROM pull_requests WHERE number = ?", (number,)).fetchone()[0])

    def comments(self, number: int) -> Sequence[tuple[str, str]]:
        """(topic, text) of its comments, oldest first."""
        with self._database() as database:
            self._get(database, number)
            rows = database.execute("SELECT topic, body FROM comments WHERE number = ? ORDER BY rowid", (number,))
            return [(str(topic), str(body)) for topic, body in rows]

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other process can come between."""
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._store, timeout=30, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    database.execute(statement)
                with database:
                    yield database
        except (sqlite3.Error, OSError) as error:
            raise DataError(f"the local forge's database {self._store} cannot be used: {error}") from error

    def _newest(self, database: sqlite3.Connection, branch: str) -> PullRequest | None:
        row = database.execute(f"{_SHOWN} WHERE branch = ? ORDER BY number DESC LIMIT 1", (branch,)).fetchone()
        return None if row is None else self._as_git_has_it(database, row)

    def _get(self, database: sqlite3.Connection, number: int) -> PullRequest:
        row = database.execute(f"{_SHOWN} WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise UsageError(f"there is no pull request {number} in {self._store}; `burnish jobs` lists them")
        return self._as_git_has_it(database, row)

    def _as_git_has_it(self, database: sqlite3.Connection, row: Sequence[str | int]) -> PullRequest:
        number, branch, head, title, state, merge_commit, reason = row
        url = f"burnish show {str(branch).rpartition('-')[2]}"
        pull = PullRequest(
            number=int(number), branch=str(branch), head=str(head), url=url, title=str(title), state=str(state),
            merge_commit=str(merge_commit), reason=str(reason),
        )  # fmt: skip
        if pull.state != "open":
            return pull
        now = self._head(pull.branch)
        head = now or pull.head
        merge = self._git.landed(head, self._base)
        state = "merged" if merge else "open" if now else "closed"
        reason = "The branch was deleted." if state == "closed" else ""
        seen = pull.model_copy(update={"head": head, "state": state, "merge_commit": merge or "", "reason": reason})
        if seen != pull:
            database.execute("UPDATE pull_requests SET head = ? WHERE number = ?", (head, pull.number))
        if state != "open":
            self._close(database, pull.number, state, merge_commit=merge or "", reason=reason)
        return seen

    def _close(
        self, database: sqlite3.Connection, number: int, state: str, *, merge_commit: str = "", reason: str = ""
    ) -> None:
        database.execute(
            "UPDATE pull_requests SET state = ?, merge_commit = ?, reason = ?, closed_unix = ? WHERE number = ?",
            (state, merge_commit, reason, self._clock.now(), number),
        )

    def _head(self, branch: str) -> str | None:
        return self._git.commit(f"refs/heads/{checked_branch(branch)}")

    def _merge(self, pull: PullRequest, base: str | None) -> bool:
        """Merges into the base branch at `base`; False where somebody has moved it."""
        if base is None:
            raise RepositoryError(f"{self._git.directory} has no branch {self._base.removeprefix('refs/heads/')}")
        try:
            tree = self._git.merged_tree(base, pull.head)
        except RepositoryError as error:
            raise RepositoryError(f"pull request {pull.number} ({pull.branch}): {error}") from error
        message = f"Merge pull request {pull.number} from {pull.branch}\n\n{pull.title}\n"
        merge = self._git.write_commit(tree, [base, pull.head], message, self._author, int(self._clock.now()))
        return self._git.move(self._base, merge, base)

"""Git's plumbing as typed methods, over one method that runs a command (`burnish_tools.workspace.Git` has it)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from burnish.errors import RepositoryError

_BRANCH = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|[./](?=[A-Za-z0-9_-]))*")
_NO_COMMIT = "0" * 40


class Author(NamedTuple):
    """Who signs Burnish's commits; the e-mail tells its commits from a person's."""

    name: str
    email: str


class Answer(NamedTuple):
    """What a git process said."""

    status: int
    out: bytes
    err: str


def checked_branch(name: str) -> str:
    """The name, where it is one that git and a command line take for a branch. Raises RepositoryError."""
    if len(name) > 200 or not _BRANCH.fullmatch(name) or name.endswith(".lock"):
        raise RepositoryError(f"{name!r} is no branch name: letters, digits, `-`, `_`, single dots and slashes only")
    return name


class Plumbing(ABC):
    """Questions to, and writes in, one repository. Every method raises RepositoryError with git's words."""

    directory: Path

    @abstractmethod
    def call(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Answer:
        """Runs one command and answers whatever its status."""

    def text(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Output of a command that has to succeed, without the last line end."""
        return self.data(*arguments, stdin=stdin, env=env).decode("utf-8", "surrogateescape").rstrip("\n")

    def data(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """The same as bytes, untouched."""
        answer = self.call(*arguments, stdin=stdin, env=env)
        if answer.status:
            raise RepositoryError(f"git {arguments[0]} failed in {self.directory}: {answer.err.strip()}")
        return answer.out

    def commit(self, name: str) -> str | None:
        """SHA of the commit that a ref or SHA names; None where there is none."""
        answer = self.call("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
        return None if answer.status else answer.out.decode().strip()

    def is_ancestor(self, old: str, new: str) -> bool:
        """True where `new` is `old` or comes after it; False also where one of them is unknown."""
        return self.call("merge-base", "--is-ancestor", old, new).status == 0

    def parents(self, commit: str) -> list[str]:
        """SHAs of its parents."""
        return self.text("log", "-1", "--format=%P", commit, "--").split()

    def unix(self, commit: str) -> int:
        """Its committer date, in seconds since 1970."""
        return int(self.text("log", "-1", "--format=%ct", commit, "--"))

    def message(self, commit: str) -> str:
        """Its message."""
        return self.text("log", "-1", "--format=%B", commit, "--")

    def tree(self, commit: str) -> str:
        """SHA of its tree."""
        return self.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def write_blob(self, data: bytes) -> str:
        """Writes bytes as they are; returns the SHA."""
        return self.text("hash-object", "-w", "--no-filters", "--stdin", stdin=data)

    def write_commit(self, tree: str, parents: Sequence[str], message: str, author: Author, unix: int) -> str:
        """Writes a commit; the same arguments give the same SHA."""
        who = {"NAME": author.name, "EMAIL": author.email, "DATE": f"@{unix} +0000"}
        env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        options = [option for parent in parents for option in ("-p", parent)]
        return self.text("commit-tree", tree, *options, "-F", "-", stdin=message.encode(), env=env)

    def merged_tree(self, ours: str, theirs: str) -> str:
        """SHA of the tree that merges two commits. A conflict is a RepositoryError that names the files."""
        answer = self.call("merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs)
        tree, *conflicts = answer.out.decode("utf-8", "replace").splitlines() or [""]
        if answer.status == 1 and tree:
            raise RepositoryError(f"conflict in {', '.join(filter(None, conflicts))}; a person has to merge by hand")
        if answer.status:
            raise RepositoryError(f"git merge-tree failed (it needs git 2.38 or newer): {answer.err.strip()}")
        return tree

    def tree_without(self, commit: str, head: str, author: Author) -> str:
        """SHA of the tree of `head` with `commit` reverted, a merge against its first parent.

        A revert is a merge towards the parent with the commit itself as the merge base; git 2.38 takes no merge base,
        so the three trees are given a history in which it is.
        """
        parents = self.parents(commit)
        if not parents:
            raise RepositoryError("it is the first commit")
        base = self.write_commit(self.tree(commit), [], "base", author, 0)
        sides = [self.write_commit(self.tree(side), [base], "side", author, 0) for side in (head, parents[0])]
        return self.merged_tree(*sides)

    def others(self, tip: str, base: str, email: str) -> list[str]:
        """Commits of a branch that are not on `base`, and in any case its tip, if another e-mail wrote or committed."""
        show = ("log", "--format=%h by %ae%x00%ce", tip)
        rows = self.text(*show, "--not", base, "--").splitlines() or self.text(*show, "-1", "--").splitlines()
        return [row.split("\0")[0] for row in rows if not row.endswith(f" by {email}\0{email}")]

    def landed(self, commit: str, branch: str) -> str | None:
        """The commit that brought `commit` into a branch: itself, or the first merge of it on the branch's own line."""
        tip = self.commit(branch)
        if tip is None or not self.is_ancestor(commit, tip):
            return None
        line = self.text("rev-list", "--first-parent", "--reverse", f"^{commit}", tip, "--").split()
        if not line or self.parents(line[0])[:1] == [commit]:
            return commit
        return next(later for later in line if self.is_ancestor(commit, later))

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Points a ref at `new` if it still is at `old` (None: does not exist yet); False where it is not."""
        return self.call("update-ref", ref, new, old or _NO_COMMIT).status == 0

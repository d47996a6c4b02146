"""The service's git repository, by git's plumbing in a bare mirror of our own. The only importer of `git`.

Files are read from git's objects and changes are written as git's objects: there is no work tree to get dirty, nothing
follows a symbolic link, and what is proven (`export`) is the very tree that is pushed (`publish`). Edits are made on
the text in the repository, so clean filters and line-end conversion have already happened and are not run again.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import git

from burnish.errors import RepositoryError, Unavailable
from burnish.job import Change
from burnish.risk import History
from burnish_tools.edits import checked_path, unified
from burnish_tools.history import history
from burnish_tools.plumbing import Answer, Author, Plumbing, checked_branch
from burnish_tools.remote import Remote, environment
from burnish_tools.scratch import scratch
from burnish_tools.tree import Tree, entries

__all__ = ["Author", "Git", "GitWorkspace"]

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SOURCES = 8


class Git(Plumbing):
    """Runs git on one repository: no hooks, no questions, no configuration but the repository's own, never for ever."""

    def __init__(self, directory: Path, *, timeout: float = 120.0) -> None:
        """`directory` is a bare repository or a `.git`; `timeout` is in seconds per command."""
        self.directory = directory
        self.timeout = timeout

    def call(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
    ) -> Answer:
        """Runs one command; `config` reaches it by its environment. Raises Unavailable where it had to be killed."""
        with tempfile.TemporaryFile() as source:
            source.write(stdin)
            source.seek(0)
            status, out, err = git.Git(str(self.directory.parent)).execute(
                ["git", *arguments],
                istream=source,
                env={**environment(self.directory, config or {}), **(env or {})},
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=self.timeout,
            )
        if status < 0 and "Timeout" in err:
            raise Unavailable(f"git {arguments[0]} did not end in {self.timeout:g} s and was stopped; try again later")
        return Answer(status, out, err)


class GitWorkspace:
    """A `Workspace` on a path or an HTTPS, SSH or file URL. Its mirror and temporary files are in `state_dir`."""

    def __init__(
        self, repository: str, branch: str, root: str, state_dir: Path, author: Author, *, token: str = ""
    ) -> None:
        """`root` is the application root in the repository; `token` lets git in over HTTPS. Raises ConfigError."""
        self._remote = Remote.at(repository, token)
        self._branch = checked_branch(branch)
        self._root = "" if root in ("", ".", "./") else checked_path(root.removeprefix("./").rstrip("/"))
        self._state_dir = state_dir.resolve()
        self._author = author
        self._sources: dict[str, Tree] = {}
        self._looked_for: set[str] = set()

    def head(self) -> str:
        """Commit of the base branch, fetched. Raises RepositoryError, Unavailable, ConfigError."""
        self._fetch()
        commit = self._git.commit(f"refs/heads/{self._branch}")
        if commit is None:
            there = self._git.text("for-each-ref", "--format=%(refname:lstrip=2)", "--count=10", "refs/heads").split()
            known = f"it has {', '.join(there)}" if there else "it has no commit yet"
            raise RepositoryError(f"{self._remote.url} has no branch {self._branch} ({known}); set service.branch")
        return commit

    def dirty(self) -> Sequence[str]:
        """Uncommitted and untracked paths of a local checkout; empty for a bare repository and for a URL."""
        checkout = self._remote.checkout
        if checkout is None:
            return []
        status = ("status", "--porcelain=v1", "-z", "--no-renames")
        rows = Git(checkout / ".git").text(*status, env={"GIT_WORK_TREE": str(checkout)}).split("\0")
        paths = {row[3:]: checkout / row[3:] for row in rows if row}
        ours = self._state_dir
        return sorted(p for p, full in paths.items() if not (full.is_relative_to(ours) or ours.is_relative_to(full)))

    def source(self, commit: str) -> Tree:
        """Its files at a commit. Raises RepositoryError where there is no such commit."""
        sha = self._known(commit)
        if sha not in self._sources:
            if len(self._sources) >= _SOURCES:
                del self._sources[next(iter(self._sources))]
            rows = entries(self._git.data("ls-tree", "-r", "-z", "--full-tree", sha))
            self._sources[sha] = Tree(rows, self._root, lambda blob: self._git.data("cat-file", "blob", blob))
        return self._sources[sha]

    def export(self, commit: str, target: Path, change: Change | None = None) -> None:
        """Writes the whole tree of a commit, with a change applied, to an empty directory; the root is inside it.

        Raises RepositoryError where the directory holds something or the change does not fit the commit.
        """
        tree = self._tree(commit, change) if change else self._git.tree(self._known(commit))
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise RepositoryError(f"{target} is not empty; nothing was written to it")
        with self._scratch() as directory:
            env = {"GIT_INDEX_FILE": str(directory / "index"), "GIT_WORK_TREE": str(target.resolve())}
            self._git.text("read-tree", tree, env=env)
            self._git.text("checkout-index", "--all", env=env)

    def publish(self, base: str, change: Change, branch: str, message: str) -> str:
        """Commits the change on `base` and pushes it to `branch`; the same call makes the same commit.

        Raises RepositoryError where the branch holds somebody else's commit, Unavailable.
        """
        sha, tree = self._known(base), self._tree(base, change)
        if tree == self._git.tree(sha):
            raise RepositoryError(f"the change {change.title!r} changes nothing")
        commit = self._git.write_commit(tree, [sha], message, self._author, self._git.unix(sha))
        self._push(commit, branch)
        return commit

    def publish_revert(self, commit: str, branch: str, message: str) -> str:
        """Reverts a commit, or a merge against its first parent, on the head of the base branch, and pushes that.

        A revert with this message that is on `branch` already is left as it is. Raises RepositoryError where the
        commit is not on the base branch, is reverted already, or the revert conflicts with later work.
        """
        head = self.head()
        there = self._git.commit(f"refs/heads/{checked_branch(branch)}")
        if there and self._others(there) == [] and self._git.message(there).strip() == message.strip():
            return there
        sha = self._git.commit(commit)
        if sha is None or not self._git.is_ancestor(sha, head):
            raise RepositoryError(f"{commit} is not on {self._branch}; there is nothing to revert")
        try:
            tree = self._git.tree_without(sha, head, self._author)
        except RepositoryError as error:
            raise RepositoryError(f"{commit} cannot be reverted on {self._branch}: {error}") from error
        if tree == self._git.tree(head):
            raise RepositoryError(f"{commit} is reverted on {self._branch} already")
        revert = self._git.write_commit(tree, [head], message, self._author, self._git.unix(head))
        self._push(revert, branch)
        return revert

    def contains(self, release: str, commit: str) -> bool:
        """True where `commit` is the release (a commit or a tag) or an ancestor of it; else, or if unknown, False."""
        names = [f"refs/tags/{release}"]
        names += [release] if _COMMIT.fullmatch(release) else []
        found = next(filter(None, map(self._git.commit, names)), None)
        if found is None and names and release not in self._looked_for:
            self._looked_for.add(release)
            self._fetch()
            found = next(filter(None, map(self._git.commit, names)), None)
        return found is not None and bool(_COMMIT.fullmatch(commit)) and self._git.is_ancestor(commit, found)

    def history(self, commit: str, change: Change) -> History:
        """What was committed before to the lines that a change touches."""
        return history(self._git, self._known(commit), self._root, change)

    def diff(self, change: Change) -> str:
        """The change as a unified diff with the repository's paths."""
        return unified(change, self._root)

    @cached_property
    def _git(self) -> Git:
        """The mirror. No code of the repository ever runs there, and it is named for the repository it mirrors."""
        url = self._remote.url
        name = re.sub(r"[^A-Za-z0-9]+", "-", url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git"))
        mirror = self._state_dir / "repositories" / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:8]}.git"
        mirror.mkdir(parents=True, exist_ok=True)
        mirror_git = Git(mirror)
        mirror_git.text("init", "--bare", "--quiet", "--template=")
        return mirror_git

    def _fetch(self) -> None:
        options = (
            "--quiet",
            "--prune",
            "--no-write-fetch-head",
            "--update-shallow",
            "--no-recurse-submodules",
        )
        self._talk(
            "fetch",
            *options,
            "--",
            self._remote.url,
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        )

    def _talk(self, *arguments: str) -> None:
        answer = self._git.call(*arguments, config=self._remote.config())
        if answer.status:
            raise self._remote.error(answer.err or answer.out.decode("utf-8", "replace"))

    def _known(self, commit: str) -> str:
        sha = self._git.commit(commit) if _COMMIT.fullmatch(commit) else None
        if sha is None:
            raise RepositoryError(f"{self._remote.url} has no commit {commit!r}, as far as it was fetched")
        return sha

    def _tree(self, commit: str, change: Change) -> str:
        written = self.source(commit).changed(change)
        rows = [f"{file.mode} {self._git.write_blob(file.text.encode())}\t{file.path}\0" for file in written]
        with self._scratch() as directory:
            env = {"GIT_INDEX_FILE": str(directory / "index")}
            self._git.text("read-tree", self._known(commit), env=env)
            self._git.text("update-index", "-z", "--index-info", stdin="".join(rows).encode(), env=env)
            return self._git.text("write-tree", env=env)

    def _push(self, commit: str, branch: str) -> None:
        if checked_branch(branch) == self._branch:
            raise RepositoryError(f"{branch} is the base branch; Burnish pushes only to branches of its own")
        self._fetch()
        ref = f"refs/heads/{branch}"
        there = self._git.commit(ref)
        if there == commit:
            return
        if there and (others := self._others(there)):
            raise RepositoryError(
                f"branch {branch} holds {others[0]}; Burnish does not push over other people's work: "
                "merge it, or delete the branch"
            )
        self._talk(
            "push",
            "--quiet",
            "--no-verify",
            f"--force-with-lease={ref}:{there or ''}",
            "--",
            self._remote.url,
            f"{commit}:{ref}",
        )

    def _others(self, tip: str) -> list[str]:
        return self._git.others(tip, f"refs/heads/{self._branch}", self._author.email)

    def _scratch(self) -> AbstractContextManager[Path]:
        return scratch(self._state_dir / "tmp", "git")

"""A workspace of plain files: a repository with commits, without git."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from burnish.errors import RepositoryError
from burnish.job import Change
from burnish.risk import History

Files = Mapping[str, str]


class FakeSource:
    """A `Source` made of a dictionary."""

    def __init__(self, files: Files) -> None:
        self.files = dict(files)

    def read(self, path: str) -> str | None:
        """Text of a file, or None."""
        return self.files.get(path)

    def paths(self, suffix: str = ".py") -> Sequence[str]:
        """Sorted paths with this suffix."""
        return sorted(path for path in self.files if path.endswith(suffix))


class FakeWorkspace:
    """A `Workspace` whose application root is the whole repository. `commit` adds to its history."""

    def __init__(self, files: Files) -> None:
        self.commits: dict[str, Files] = {}
        self.parents: dict[str, str] = {}
        self.branches: dict[str, str] = {}
        self.uncommitted: tuple[str, ...] = ()
        self.past = History()
        self.commit(files)

    @classmethod
    def of(cls, folder: Path, suffixes: Sequence[str] = (".py", ".html", ".toml", ".txt")) -> FakeWorkspace:
        """The text files of a directory."""
        found = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in suffixes)
        return cls({p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in found})

    def commit(self, files: Files, branch: str = "main") -> str:
        """A new commit with exactly these files; its name is a hash of them and of its parent."""
        parent = self.branches.get(branch, "")
        text = "\0".join((parent, *(part for item in sorted(files.items()) for part in item)))
        name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.commits[name], self.branches[branch] = dict(files), name
        if parent and parent != name:
            self.parents[name] = parent
        return name

    def head(self) -> str:
        """The newest commit of `main`."""
        return self.branches["main"]

    def dirty(self) -> Sequence[str]:
        """What a test has put into `uncommitted`."""
        return self.uncommitted

    def source(self, commit: str) -> FakeSource:
        """The files of a commit. Raises RepositoryError where there is no such commit."""
        return FakeSource(self._files(commit))

    def export(self, commit: str, target: Path, change: Change | None = None) -> None:
        """Writes them, with the change applied. Raises RepositoryError where the change does not fit."""
        target.mkdir(parents=True, exist_ok=True)
        for path, text in self._changed(commit, change).items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, "utf-8")

    def publish(self, base: str, change: Change, branch: str, message: str) -> str:
        """Puts the changed files on `branch`. Raises RepositoryError where it holds something else."""
        files = self._changed(base, change)
        if branch in self.branches:
            if self.commits[self.branches[branch]] == files:
                return self.branches[branch]
            raise RepositoryError(f"branch {branch} holds another commit")
        self.branches[branch] = base
        return self.commit(files, branch)

    def publish_revert(self, commit: str, branch: str, message: str) -> str:
        """Puts the files of the commit's parent on `branch`."""
        self.branches.setdefault(branch, self.head())
        return self.commit(self._files(self.parents[commit]), branch)

    def contains(self, release: str, commit: str) -> bool:
        """True where `commit` is `release` or an ancestor of it."""
        while release and release != commit:
            release = self.parents.get(release, "")
        return bool(release)

    def history(self, commit: str, change: Change) -> History:
        """What a test has put into `past`."""
        return self.past

    def diff(self, change: Change) -> str:
        """The change as a unified diff."""
        lines: list[str] = []
        for edit in change.edits:
            before, after = (edit.before or "").splitlines(True), edit.after.splitlines(True)
            lines += difflib.unified_diff(before, after, f"a/{edit.path}", f"b/{edit.path}")
        return "".join(lines)

    def _files(self, commit: str) -> Files:
        if commit not in self.commits:
            raise RepositoryError(f"there is no commit {commit}")
        return self.commits[commit]

    def _changed(self, commit: str, change: Change | None) -> Files:
        files = dict(self._files(commit))
        for edit in change.edits if change else ():
            if files.get(edit.path) != edit.before:
                raise RepositoryError(f"{edit.path} is not what the change was made from")
            files[edit.path] = edit.after
        return files

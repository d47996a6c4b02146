"""The files of one commit, and what a change makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from burnish.errors import RepositoryError
from burnish.job import Change
from burnish_tools.edits import checked_path, new_text, within

PLAIN_MODES = {"100644", "100755"}


class Entry(NamedTuple):
    """A row of git's tree: `120000` is a symbolic link, `160000` a submodule."""

    mode: str
    sha: str


class Written(NamedTuple):
    """A file as a change leaves it; `path` is the repository's."""

    path: str
    mode: str
    text: str


def entries(listing: bytes) -> dict[str, Entry]:
    """Reads the answer of `git ls-tree -r -z --full-tree`."""
    rows: dict[str, Entry] = {}
    for row in filter(None, listing.decode("utf-8", "surrogateescape").split("\0")):
        fields, path = row.split("\t", 1)
        mode, _, sha = fields.split(" ")
        rows[path] = Entry(mode, sha)
    return rows


class Tree:
    """A `Source`: the files under the application root at one commit, each read once."""

    def __init__(self, rows: Mapping[str, Entry], root: str, blob: Callable[[str], bytes]) -> None:
        """`root` is `""` for the whole repository; `blob` gives the bytes of a blob by its SHA."""
        self._rows = rows
        self._root = root
        self._blob = blob
        self._texts: dict[str, str | None] = {}

    def read(self, path: str) -> str | None:
        """Text as it is in the repository, line ends included; None for links, submodules and what is not UTF-8."""
        if path not in self._texts:
            self._texts[path] = self._text(within(self._root, path))
        return self._texts[path]

    def paths(self, suffix: str = ".py") -> Sequence[str]:
        """Sorted paths of the plain files with this suffix."""
        start = within(self._root, "")
        inside = (path for path, row in self._rows.items() if row.mode in PLAIN_MODES and path.startswith(start))
        return sorted(path[len(start) :] for path in inside if path.endswith(suffix))

    def changed(self, change: Change) -> list[Written]:
        """Every file of a change as it will be. Raises RepositoryError where the change does not fit this commit."""
        written = [
            self._written(edit.path, new_text(edit, self.read(checked_path(edit.path)))) for edit in change.edits
        ]
        if len({file.path for file in written}) < len(written):
            raise RepositoryError(f"the change {change.title!r} edits one file twice; make it one edit")
        return written

    def _written(self, path: str, text: str) -> Written:
        full = within(self._root, path)
        row = self._rows.get(full)
        if row is not None and row.mode not in PLAIN_MODES:
            raise RepositoryError(f"{path} is a symbolic link or a submodule; no change may write there")
        parents = [full[:at] for at, character in enumerate(full) if character == "/"]
        if any(parent in self._rows for parent in parents):
            raise RepositoryError(f"{path} would lie behind a file, a symbolic link or a submodule")
        if row is None and any(other.startswith(f"{full}/") for other in self._rows):
            raise RepositoryError(f"{path} is a directory; no change may write there")
        return Written(full, row.mode if row else "100644", text)

    def _text(self, path: str) -> str | None:
        row = self._rows.get(path)
        if row is None or row.mode not in PLAIN_MODES:
            return None
        try:
            return self._blob(row.sha).decode("utf-8")
        except UnicodeDecodeError:
            return None

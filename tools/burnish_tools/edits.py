"""What an edit may be, as pure functions on text and paths: nothing here touches a file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from burnish.errors import RepositoryError
from burnish.job import Change, FileEdit


def checked_path(path: str) -> str:
    """The path, where it is relative, in plain form and outside `.git`. Raises RepositoryError."""
    parts = path.split("/")
    plain = path and not any(character in path for character in "\\\0\n")
    if not plain or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise RepositoryError(f"{path!r} is not a path inside the application root; nothing was written")
    return path


def within(root: str, path: str) -> str:
    """A path under the application root as a path of the repository; `root` is `""` where they are the same."""
    return f"{root}/{path}" if root else path


def new_text(edit: FileEdit, now: str | None) -> str:
    """The text that the file gets, given its text `now` (None: there is no such file), with the file's line ends.

    Raises RepositoryError where the edit was made on another text.
    """
    if edit.before != now:
        found = "is not there" if now is None else "is there already" if edit.before is None else "has another text"
        raise RepositoryError(f"{edit.path} {found} at the commit that the change is for; plan the change again")
    if now is None:
        return edit.after
    crlf = now.count("\r\n")
    if not crlf:
        return edit.after.replace("\r\n", "\n")
    uniform = crlf == now.count("\n")
    return edit.after.replace("\r\n", "\n").replace("\n", "\r\n") if uniform else edit.after


def unified(change: Change, root: str = "") -> str:
    """The change as a unified diff that `git apply` takes; paths are the repository's."""
    return "".join(_file_diff(edit, within(root, edit.path)) for edit in change.edits)


def _file_diff(edit: FileEdit, path: str) -> str:
    after = edit.after if edit.before is None else new_text(edit, edit.before)
    old = "/dev/null" if edit.before is None else f"a/{path}"
    lines = difflib.unified_diff(_lines(edit.before or ""), _lines(after), old, f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> Sequence[str]:
    """Lines as git and diff see them: `str.splitlines` would also split at form feeds and U+2028."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines

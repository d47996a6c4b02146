"""Names that outlive a process: the release that runs, and the instance."""

from __future__ import annotations

import os
from collections.abc import Mapping

RELEASE_VARIABLES = (
    "BURNISH_RELEASE",
    "GIT_COMMIT",
    "SOURCE_VERSION",
    "HEROKU_SLUG_COMMIT",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "VERCEL_GIT_COMMIT_SHA",
    "CI_COMMIT_SHA",
    "K_REVISION",
)


def new_instance() -> str:
    """A name for a process start: readable (the process id), and unique where ids are used again."""
    return f"{os.getpid()}-{os.urandom(6).hex()}"


def in_main_interpreter() -> bool:
    """Whether this is the interpreter that the process began with; true where that cannot be told."""
    import _thread

    ask = getattr(_thread, "_is_main_interpreter", None)
    if ask is not None:
        return bool(ask())
    try:
        import _xxsubinterpreters as interpreters  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


def find_release(environ: Mapping[str, str], root: str) -> str:
    """The commit from the platform's variables, else from the ``.git`` above ``root``, else ``unknown``."""
    for name in RELEASE_VARIABLES:
        if environ.get(name, "").strip():
            return environ[name].strip()
    try:
        return _head_commit(_git_directory(root)) or "unknown"
    except (OSError, ValueError):
        return "unknown"


def _git_directory(root: str) -> str:
    """The ``.git`` directory of the nearest work tree; a worktree's ``.git`` is a file that names it."""
    folder = os.path.abspath(root)
    while True:
        candidate = os.path.join(folder, ".git")
        if os.path.isdir(candidate):
            return candidate
        if os.path.isfile(candidate):
            return os.path.join(folder, _read(candidate).split("gitdir:", 1)[1].strip())
        parent = os.path.dirname(folder)
        if parent == folder:
            raise ValueError("no .git above " + root)
        folder = parent


def _head_commit(git: str) -> str | None:
    head = _read(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return head or None
    reference = head[len("ref:") :].strip()
    common = git
    if os.path.isfile(os.path.join(git, "commondir")):
        common = os.path.join(git, _read(os.path.join(git, "commondir")))
    for folder in (git, common):
        if os.path.isfile(os.path.join(folder, reference)):
            return _read(os.path.join(folder, reference)) or None
    for line in _read(os.path.join(common, "packed-refs")).splitlines():
        commit, _, name = line.partition(" ")
        if name == reference:
            return commit
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read().strip()

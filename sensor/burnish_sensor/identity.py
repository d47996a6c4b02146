"""Names that outlive a process: the release that runs, the instance, the body of a function."""

from __future__ import annotations

import ast
import copy
import hashlib
import os
from collections.abc import Mapping
from typing import Union

_LEFT_OUT = frozenset({"ctx", "kind", "type_comment"})
FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]

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


def body_hash(node: FunctionNode) -> str:
    """The first 16 hex digits of SHA-256 over the canonical text of a function.

    Its docstring and decorators are taken away and its name is emptied. So the hash survives moves and renames, and it
    is the same on every Python.
    """
    bare = copy.copy(node)
    bare.name = ""
    bare.decorator_list = []
    if ast.get_docstring(node, clean=False) is not None:
        bare.body = node.body[1:]
    return hashlib.sha256(canonical(bare).encode()).hexdigest()[:16]


def canonical(value: object) -> str:
    """A syntax tree as text that is the same on every Python: no positions, no empty field, no `ctx`."""
    if isinstance(value, ast.JoinedStr):  # 3.12.0 and 3.12.1 put empty constants into its format, others do not
        value = ast.JoinedStr([part for part in value.values if getattr(part, "value", None) != ""])
    if isinstance(value, ast.AST):
        fields = [
            f"{name}={canonical(field)}"
            for name, field in ast.iter_fields(value)
            if name not in _LEFT_OUT and field is not None and field != []
        ]
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, list):
        return f"[{','.join(canonical(item) for item in value)}]"
    return repr(value)

"""A real git repository for tests: what a team's forge and a person's checkout would hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from burnish.job import Change, FileEdit

VIEWS = "def products():\n    return [p.shop.name for p in all_products()]\n"
FAST = "def products():\n    return [p.shop.name for p in all_products().select_related('shop')]\n"


def git(directory: Path, *arguments: str, data: bytes | None = None) -> str:
    """Runs git as a person would, with a fixed identity; the output without the last line end."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        settings |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.org"}
        settings[f"GIT_{role}_DATE"] = "2026-01-02T03:04:05Z"
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**os.environ, **settings},
        input=data,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().rstrip("\n")


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """Made once and copied for every test; it is gone when the tests end."""
    made = tempfile.TemporaryDirectory()
    directory = Path(made.name)
    git(directory, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "service.git")
    git(directory, "clone", "--quiet", "--template=", str(directory / "service.git"), "checkout")
    checkout = directory / "checkout"
    (checkout / "shop").mkdir()
    for path, text in {"shop/views.py": VIEWS, "manage.py": "#!/usr/bin/env python\n", "README.md": "Shop\n"}.items():
        (checkout / path).write_text(text)
    git(checkout, "checkout", "--quiet", "-B", "main")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "work")
    git(checkout, "push", "--quiet", "origin", "main")
    return made


class Team:
    """A bare repository with one commit on `main`, and a person's checkout of it."""

    def __init__(self, directory: Path) -> None:
        template = Path(_template().name)
        self.bare = directory / "service.git"
        self.checkout = directory / "checkout"
        shutil.copytree(template, directory, dirs_exist_ok=True, symlinks=True)
        config = self.checkout / ".git" / "config"
        config.write_text(config.read_text().replace(str(template), str(directory)))

    def write(self, files: dict[str, str | bytes]) -> None:
        """Writes files to the checkout."""
        for path, text in files.items():
            target = self.checkout / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files: dict[str, str | bytes], message: str = "work", branch: str = "main") -> str:
        """Commits files (already written ones as well) and pushes; returns the commit."""
        self.write(files)
        git(self.checkout, "add", "--all")
        git(self.checkout, "commit", "--quiet", "--allow-empty", "--message", message)
        git(self.checkout, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return git(self.checkout, "rev-parse", "HEAD")

    def show(self, revision: str) -> bytes:
        """Bytes of `commit:path` in the bare repository."""
        done = subprocess.run(["git", "show", revision], cwd=self.bare, capture_output=True, check=True, timeout=30)
        return done.stdout


def change(path: str = "shop/views.py", before: str | None = VIEWS, after: str = FAST) -> Change:
    """A change of one file."""
    return Change(
        recipe="select_related",
        title="Fetch the shops with the products",
        summary="One join instead of a query per product.",
        safety="The same rows are read.",
        edits=(FileEdit(path=path, before=before, after=after),),
    )

"""The service of the gate: one function whose time is known, with tests, in a git repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from burnish.finding import Candidate, Evidence, Finding, Interval
from burnish.job import Change, FileEdit, Job, Proof
from burnish.settings import ServiceSettings
from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings
from burnish_tools.workspace import Author, GitWorkspace

CODE = '''"""Weighs lists of numbers."""


def weigh(items: list[int]) -> int:
    """A sum that depends on the order; ten of its hundred turns for each item are for nothing."""
    total, unused = 0, 0
    for item in items:
        for _ in range(90):
            total = (total * 31 + item) % 1000003
        for _ in range(10):
            unused = (unused * 31 + item) % 1000003
    return total
'''
TESTS = """import pytest

from weighing.sums import weigh


@pytest.mark.parametrize("size", [0, 1, 3, 8, 20, 33, 50, 64, 80, 100, 120, 150])
def test_weigh(size):
    items = [n * 7 % 31 for n in range(size)]
    assert weigh(items) == weigh(list(items))
    assert 0 <= weigh(items) < 1000003
"""
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "weighing/__init__.py": "",
    "weighing/sums.py": CODE,
    "tests/test_sums.py": TESTS,
}
PATH, FUNCTION = "weighing/sums.py", "weighing.sums:weigh"
WASTE = "        for _ in range(10):\n            unused = (unused * 31 + item) % 1000003\n"
EDITS = {
    "same": CODE.replace("unused", "spare"),
    "tenth": CODE.replace(WASTE, "").replace("total, unused = 0, 0", "total = 0"),
}


class Weighing:
    """The repository, and proofs of its two changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        repository = folder / "repository"
        for name, text in FILES.items():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(text, "utf-8")
        git = ["git", "-C", str(repository), "-c", "user.name=gate", "-c", "user.email=gate@example.org"]
        for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "weighing"]):
            subprocess.run([*git, *command], check=True)
        self._workspace = self._opened("head")
        self._base = self._workspace.head()

    def search(self, kind: str, number: int) -> Proof:
        """One whole proof, with randomness of its own."""
        state = self._folder / f"{kind}-{number}"
        service = ServiceSettings(name="weighing", repository=".", framework="none")
        prover = ServiceProver(service, self._settings(), self._opened(f"git-{kind}-{number}"), state, seed=number)
        return prover.prove(self.job(kind, number))

    def _opened(self, name: str) -> GitWorkspace:
        """A workspace is for one thread."""
        author = Author("gate", "gate@example.org")
        place = self._folder / name
        opened = GitWorkspace(str(self._folder / "repository"), branch="main", root=".", state_dir=place, author=author)
        opened.head()
        return opened

    def _settings(self) -> ProofSettings:
        """As shipped, without the plugins of whoever runs this."""
        return ProofSettings(environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})

    def job(self, kind: str, number: int) -> Job:
        """The job that is proven."""
        edit = FileEdit(path=PATH, before=CODE, after=EDITS[kind])
        change = Change(recipe="gate", title=kind, summary=kind, safety=kind, edits=(edit,))
        one = Interval(value=1e6, low=1e6, high=1e6, n=9)
        finding = Finding(
            kind="cpu_hot", function=FUNCTION, file=PATH, line=4, body="", release="r1", entries=(),
            calls_per_minute=one, wall_ns=one, removable_ns=1e5, evidence=Evidence(),
        )  # fmt: skip
        candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
        return Job(id=f"gate-{kind}-{number}", candidate=candidate, base=self._base, change=change)

"""A small library without any framework, as a dictionary of files, with tests of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from burnish.finding import Candidate, EntryShare, Evidence, Finding, Interval
from burnish.job import Change, FileEdit, Job, Proof
from burnish.settings import ServiceSettings
from burnish_tools.proof.prover import ServiceProver
from burnish_tools.proof.settings import ProofSettings
from burnish_tools.workspace import Author, GitWorkspace

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "basket/__init__.py": "",
    "basket/orders.py": '''
import logging
import threading

log = logging.getLogger(__name__)
LAST = []
STATE = {"runs": 0}


class Unknown(Exception):
    pass


def in_both(wanted: list[int], offered: list[int]) -> list[int]:
    """Those of `wanted` that are offered, in order, each as often as it is wanted."""
    found = []
    for item in wanted:
        if item in offered:
            found.append(item)
    return found


def in_stock(orders, stock):
    """Keeps what is there, in place; counts its runs."""
    STATE["runs"] += 1
    gone = [order for order in orders if order["sku"] not in stock]
    for order in gone:
        orders.remove(order)
    if gone:
        log.warning("%d orders are not in stock", len(gone))
    if not stock:
        raise Unknown("no stock at all", len(orders))
    return sum(order["price"] * order["count"] for order in orders)


def batches(items, size):
    """Generator: slices."""
    rest = list(items)
    while rest:
        batch = []
        while rest and len(batch) < size:
            batch.append(rest.pop(0))
        yield batch


async def gathered(names, known):
    return [name for name in names if name not in list(known)]


class Ledger:
    def __init__(self):
        self.rows = []
        self.names = []

    def add_all(self, rows):
        for row in rows:
            if row not in self.names:
                self.names.append(row)
        self.rows.extend(rows)
        return len(self.names)


def locked(items, lock):
    with lock:
        return sorted(set(items))


def untested(items):
    return [item for item in items if item in list(items)]


def common(wanted: list[int], offered: list[int]) -> list[int]:
    """No test of it."""
    found = []
    for item in wanted:
        if item in offered:
            found.append(item)
    return found


def priced(rows, discount):
    """The tests give no discount."""
    total = 0
    for row in rows:
        if row in rows[:0]:
            total += 1
        if discount > 1:
            total += row * discount
        else:
            total += row
    return total


def slow_if_large(items):
    total = 0
    for item in items:
        total += item
    return total
''',
    "tests/test_orders.py": """
import asyncio
import threading

import pytest

from basket import orders


@pytest.mark.parametrize("size", [0, 1, 5, 40, 80, 200, 300, 400])
def test_in_both(size):
    wanted = [n * 7 % 31 for n in range(size)]
    assert orders.in_both(wanted, list(range(0, size, 2))) == [n for n in wanted if n < size and n % 2 == 0]


def test_in_stock():
    rows = [{"sku": f"s{n}", "price": 0.1 * n, "count": n} for n in range(50)]
    assert orders.in_stock(list(rows), [f"s{n}" for n in range(25)]) == pytest.approx(490.0)
    assert orders.in_stock(rows[:3], ["s1", "s2"]) > 0
    with pytest.raises(orders.Unknown):
        orders.in_stock(rows[:2], [])


@pytest.mark.parametrize("count", [1, 7, 500, 900])
def test_batches(count):
    assert sum(map(len, orders.batches(range(count), 3))) == count


@pytest.mark.parametrize("count", [3, 60, 90])
def test_gathered(count):
    names = [f"n{n}" for n in range(count)]
    assert asyncio.run(orders.gathered(names, names[1:])) == ["n0"]


@pytest.mark.parametrize("count", [2, 20, 300])
def test_ledger(count):
    ledger = orders.Ledger()
    assert ledger.add_all([f"r{n % 100}" for n in range(count)]) == min(count, 100)


@pytest.mark.parametrize("count", [3, 40, 400])
def test_priced(count):
    assert orders.priced(list(range(count)), 1) == count * (count - 1) // 2


@pytest.mark.parametrize("count", [3, 40, 400])
def test_slow_if_large(count):
    assert orders.slow_if_large(list(range(count))) == count * (count - 1) // 2


def test_locked():
    assert orders.locked([2, 1, 2], threading.Lock()) == [1, 2]
""",
}
COMMAND = ProofSettings().test_command
SETTINGS = ProofSettings(
    pairs=8,
    calls=40,
    generated_calls=40,
    call_seconds=2,
    timeout_seconds=60,
    test_command=COMMAND,
    environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
)


@dataclass(frozen=True)
class Library:
    """A git repository with everything that a prover needs."""

    folder: Path
    workspace: GitWorkspace
    settings: ProofSettings

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def change(self, old: str, new: str, path: str = "basket/orders.py") -> Change:
        before = self.workspace.source(self.workspace.head()).read(path)
        assert before is not None
        assert old in before
        edits = (FileEdit(path=path, before=before, after=before.replace(old, new)),)
        return Change(recipe="test", title="t", summary="s", safety="s", edits=edits)

    def job(self, change: Change, function: str, removable_ns: float = 1) -> Job:
        one = Interval(value=1e6, low=1e6, high=1e6, n=9)
        finding = Finding(
            kind="cpu_hot",
            function=f"basket.orders:{function}",
            file="basket/orders.py",
            line=1,
            body="",
            release="r1",
            entries=(EntryShare(entry="task:nightly", calls_per_minute=10),),
            calls_per_minute=one,
            wall_ns=one,
            removable_ns=removable_ns,
            evidence=Evidence(),
        )
        candidate = Candidate(finding=finding, saving_ns_per_minute=1, chance=1, risk=1)
        return Job(id="job-1", candidate=candidate, base=self.workspace.head(), change=change)

    def prover(self, **more: object) -> ServiceProver:
        service = ServiceSettings(name="basket", repository=".")
        told = {"service": service, "settings": self.settings, "workspace": self.workspace, "state_dir": self.state}
        return ServiceProver(**{**told, **more})  # type: ignore[arg-type]

    def prove(self, function: str, old: str, new: str, removable_ns: float = 1) -> Proof:
        return self.prover().prove(self.job(self.change(old, new), function, removable_ns))


def library(folder: Path, changed: dict[str, Callable[[str], str]] | None = None, **settings: object) -> Library:
    """Makes the repository; `changed` edits files of it."""
    repository = folder / "repository"
    for name, text in FILES.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((changed or {}).get(name, str)(text), "utf-8")
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git[:3], "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "basket"], check=True)
    workspace = GitWorkspace(
        str(repository),
        branch="main",
        root=".",
        state_dir=folder / "git",
        author=Author("t", "t@example.org"),
        token="",
    )
    return Library(folder, workspace, SETTINGS.model_copy(update=settings))

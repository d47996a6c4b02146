"""A whole Burnish around a tiny repository: real git, real forge, real state and graph; production and proof are told.

Run as a program it does one cycle and can be told to die, as `kill -9` would, before or after a step:

    python -m tests.agent.scenario DIRECTORY [before|after STEP]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from burnish.cycle import run_cycle
from burnish.finding import Finding, Passed
from burnish.graph import Jobs, local_checkpoints
from burnish.histogram import Histogram
from burnish.job import Check, Job
from burnish.profile import EntryStats, FunctionStats, Point, Profile, Series
from burnish.protocols import Forge, ModelAdapter, Prover, Recipe
from burnish.report import Report
from burnish.risk import RiskSettings
from burnish.settings import LimitSettings, RankSettings, VerdictSettings
from burnish.store import Store
from burnish.testing import MemoryRuntime
from burnish.testing.scripted import FixedClock, ScriptedDetector, ScriptedProver, ScriptedRecipe, finding
from burnish.world import World
from burnish_tools.forges.local import LocalForge
from burnish_tools.workspace import Author, GitWorkspace

FUNCTION = "app:f"
SOURCE = "def f(n):\n    return sum(slow(n))\n"


def git(directory: Path, *arguments: str) -> str:
    """Git with a fixed identity."""
    command = [
        "git",
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.org",
        "-c",
        "init.defaultBranch=main",
        *arguments,
    ]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def repository(directory: Path) -> Path:
    """A bare repository with one file, and the checkout that is production; made once."""
    origin, checkout = directory / "origin.git", directory / "production"
    if not origin.exists():
        checkout.mkdir(parents=True)
        git(directory, "init", "--bare", "-q", str(origin))
        git(checkout, "init", "-q")
        (checkout / "app.py").write_text(SOURCE, encoding="utf-8")
        git(checkout, "add", "app.py")
        git(checkout, "commit", "-qm", "first")
        git(checkout, "remote", "add", "origin", str(origin))
        git(checkout, "push", "-qu", "origin", "main")
    return origin


class Scenario:
    """One directory, opened anew for each cycle as a new process would."""

    def __init__(
        self,
        directory: Path,
        *,
        findings: Iterable[Finding | Passed] | None = None,
        recipe: Recipe | None = None,
        prover: Prover | None = None,
        model: ModelAdapter | None = None,
        limits: LimitSettings | None = None,
        risk: RiskSettings | None = None,
        begins: Callable[[Job], None] = lambda job: None,
        ends: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.directory = directory
        self.origin = repository(directory)
        self.checkout = directory / "production"
        self.clock = FixedClock()
        self.findings = list(findings) if findings is not None else None
        self.recipe = recipe or ScriptedRecipe("slow(n)", "quick(n)")
        self.prover = prover or ScriptedProver()
        self.model = model
        self.verdicts = VerdictSettings(settle_seconds=1, warmup_seconds=0, min_calls=10)
        self.workspace_path = self.origin
        self.limits, self.risk = limits or LimitSettings(), risk or RiskSettings()
        self.begins, self.ends = begins, ends

    @property
    def forge(self) -> LocalForge:
        """The desk."""
        return LocalForge(self.origin, self.store.directory / "pull_requests.sqlite3", self.clock)

    @property
    def store(self) -> Store:
        """Jobs and runs."""
        return Store(self.directory / "state", self.clock)

    def deployed(self, ms: float, *, errors: int = 0) -> None:
        """Pulls main into production and notes how long a call takes there now."""
        git(self.checkout, "pull", "-q", "--ff-only")
        with (self.directory / "releases").open("a", encoding="utf-8") as file:
            file.write(f"{git(self.checkout, 'rev-parse', 'HEAD')} {ms} {errors}\n")

    def world(self, forge: Forge | None = None) -> World:
        """The collaborators."""
        releases = self._releases()
        told = self.findings
        if told is None:
            told = [finding(FUNCTION, release=releases[0][0])] if releases else []
        author = Author("Burnish", "burnish@localhost")
        return World(
            runtime=MemoryRuntime(
                [profile(name, i, errors) for i, (name, _, errors) in enumerate(releases)],
                [s for i, (name, ms, _) in enumerate(releases) for s in (series(name, i, ms), rest(name, i))],
            ),
            database=None,
            detectors=[ScriptedDetector(*told)],
            recipes=[self.recipe],
            workspace=GitWorkspace(str(self.workspace_path), "main", ".", self.directory / "git", author),
            prover=self.prover,
            forge=forge or self.forge,
            model=self.model,
            store=self.store,
            clock=self.clock,
            limits=self.limits,
            ranking=RankSettings(),
            verdicts=self.verdicts,
            risk=self.risk,
            begins=self.begins,
            ends=self.ends,
        )

    def cycle(self, forge: Forge | None = None) -> Report:
        """One cycle, as `burnish run --once` does it."""
        world = self.world(forge)
        checkpoints = local_checkpoints(world.store.directory / "checkpoints.sqlite3")
        with world.store.lease(), closing(Jobs(world, checkpoints)) as jobs:
            return run_cycle(world, jobs)

    def _releases(self) -> list[tuple[str, float, int]]:
        path = self.directory / "releases"
        rows = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(name, float(ms), int(errors)) for name, ms, errors in (row.split() for row in rows)]


def profile(release: str, place: int, errors: int) -> Profile:
    """An hour of one function."""
    start = place * 3_600_000_000_000
    some = Histogram.of([1e7] * 100)
    f = FunctionStats(
        function=FUNCTION, file="app.py", line=1, end_line=2, body="b0d1", kind="function", calls=1000,
        errors={"ValueError": errors} if errors else {}, wall=some, own=some, entries={"GET f/": 1000}, callers={},
    )  # fmt: skip
    entry = EntryStats(entry="GET f/", kind="http", calls=1000, errors={}, wall=some, queries=Histogram())
    return Profile(
        service="s", environment="e", release=release, start_unix_ns=start, end_unix_ns=start + 3_600_000_000_000,
        observed_seconds=3600, windows=60, instances=1, entries=(entry,), functions=(f,), queries=(), fan_outs=(),
    )  # fmt: skip


def series(release: str, place: int, ms: float) -> Series:
    """Sixty windows around a mean time per call."""
    points = [
        Point(
            start_unix_ns=place * 3_600_000_000_000 + i * 60_000_000_000, seconds=60, instance="i", entry="GET f/",
            calls=16, wall_ns=16 * ms * 1e6 * (0.95 + 0.1 * (i % 7) / 6), queries=0,
        )
        for i in range(60)
    ]  # fmt: skip
    return Series(function=FUNCTION, release=release, points=tuple(points))


def rest(release: str, place: int) -> Series:
    """The other entry of the service, always the same."""
    points = [p.model_copy(update={"entry": "GET g/"}) for p in series(release, place, 3.0).points]
    return Series(function="", release=release, points=tuple(points))


def refusal(name: str, why: object, summary: str) -> ScriptedProver:
    """A prover whose check says no."""
    return ScriptedProver(refusal=Check(name=name, passed=False, summary=summary, why=why))  # type: ignore[arg-type]


def main() -> None:
    """One cycle that may die."""
    directory, moment, step = Path(sys.argv[1]), *(sys.argv[2:4] or ("", ""))

    def die(job: Job) -> None:
        if job.step.value == step or job.state.value == step:
            os.kill(os.getpid(), signal.SIGKILL)

    running: list[str] = []

    def begins(job: Job) -> None:
        running[:] = [job.step.value]
        if moment == "before":
            die(job)

    def ends(job: Job) -> None:
        if moment == "after" and running == [step]:
            os.kill(os.getpid(), signal.SIGKILL)

    Scenario(directory, begins=begins, ends=ends).cycle()


if __name__ == "__main__":
    main()
